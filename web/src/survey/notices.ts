// What the page says while it has no survey yet, whose texts would bring their own words.

export interface Notices {
  unknown: string;
  unknownWhy: string;
  unreachable: string;
  retry: string;
}

const NOTICES: Record<string, Notices> = {
  en: {
    unknown: "This survey is not here",
    unknownWhy: "The link may be incomplete, or the survey has ended. Thank you for trying.",
    unreachable: "The survey cannot be loaded. Please check your connection.",
    retry: "Try again",
  },
  de: {
    unknown: "Diese Umfrage gibt es hier nicht",
    unknownWhy:
      "Der Link ist vielleicht unvollständig, oder die Umfrage ist beendet. Danke für Ihre Mühe.",
    unreachable: "Die Umfrage kann nicht geladen werden. Bitte prüfen Sie Ihre Verbindung.",
    retry: "Erneut versuchen",
  },
  fr: {
    unknown: "Cette enquête n’est pas disponible",
    unknownWhy:
      "Le lien est peut-être incomplet ou l’enquête est terminée. Merci de votre intérêt.",
    unreachable: "L’enquête ne peut pas être chargée. Vérifiez votre connexion.",
    retry: "Réessayer",
  },
  es: {
    unknown: "Esta encuesta no está disponible",
    unknownWhy:
      "Puede que el enlace esté incompleto o que la encuesta haya terminado. " +
      "Gracias por su interés.",
    unreachable: "No se puede cargar la encuesta. Compruebe su conexión.",
    retry: "Reintentar",
  },
  ar: {
    unknown: "هذا الاستبيان غير متاح",
    unknownWhy: "قد يكون الرابط غير مكتمل أو انتهى الاستبيان. شكرًا لاهتمامك.",
    unreachable: "تعذر تحميل الاستبيان. يرجى التحقق من الاتصال.",
    retry: "إعادة المحاولة",
  },
};

/** The notices in the first of the languages that there is, and which it is. */
export function noticesIn(languages: readonly string[]): { language: string; notices: Notices } {
  const bases = languages.map((language) => language.toLowerCase().split("-")[0] ?? "");
  const language = bases.find((base) => Object.hasOwn(NOTICES, base)) ?? "en";
  return { language, notices: NOTICES[language] as Notices };
}
