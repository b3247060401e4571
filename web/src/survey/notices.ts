// The page's own texts, beside those of the survey.

export interface Notices {
  unknown: string;
  unknownWhy: string;
  unreachable: string;
  retry: string;
  /** Below a score from a link: it says that nothing has been sent yet. */
  oneMore: string;
  /** The text of the link to the tenant's privacy policy. */
  privacy: string;
}

const NOTICES: Record<string, Notices> = {
  en: {
    unknown: "This survey is not here",
    unknownWhy: "The link may be incomplete, or the survey has ended. Thank you for trying.",
    unreachable: "The survey cannot be loaded. Please check your connection.",
    retry: "Try again",
    oneMore: "Almost done: please send your answer with one more tap.",
    privacy: "Privacy policy",
  },
  de: {
    unknown: "Diese Umfrage gibt es hier nicht",
    unknownWhy:
      "Der Link ist vielleicht unvollständig, oder die Umfrage ist beendet. Danke für Ihre Mühe.",
    unreachable: "Die Umfrage kann nicht geladen werden. Bitte prüfen Sie Ihre Verbindung.",
    retry: "Erneut versuchen",
    oneMore: "Fast fertig: Bitte senden Sie Ihre Antwort noch mit einem Tipp ab.",
    privacy: "Datenschutzerklärung",
  },
  fr: {
    unknown: "Cette enquête n’est pas disponible",
    unknownWhy:
      "Le lien est peut-être incomplet ou l’enquête est terminée. Merci de votre intérêt.",
    unreachable: "L’enquête ne peut pas être chargée. Vérifiez votre connexion.",
    retry: "Réessayer",
    oneMore: "Presque fini : touchez encore le bouton pour envoyer votre réponse.",
    privacy: "Politique de confidentialité",
  },
  es: {
    unknown: "Esta encuesta no está disponible",
    unknownWhy:
      "Puede que el enlace esté incompleto o que la encuesta haya terminado. " +
      "Gracias por su interés.",
    unreachable: "No se puede cargar la encuesta. Compruebe su conexión.",
    retry: "Reintentar",
    oneMore: "Casi listo: toque una vez más para enviar su respuesta.",
    privacy: "Política de privacidad",
  },
  it: {
    unknown: "Questo sondaggio non è disponibile",
    unknownWhy:
      "Il link potrebbe essere incompleto o il sondaggio è terminato. Grazie per l’interesse.",
    unreachable: "Impossibile caricare il sondaggio. Controlli la connessione.",
    retry: "Riprova",
    oneMore: "Quasi fatto: tocchi ancora una volta per inviare la risposta.",
    privacy: "Informativa sulla privacy",
  },
  nl: {
    unknown: "Deze enquête is niet beschikbaar",
    unknownWhy:
      "De link is misschien onvolledig of de enquête is afgelopen. Bedankt voor uw interesse.",
    unreachable: "De enquête kan niet worden geladen. Controleer uw verbinding.",
    retry: "Opnieuw proberen",
    oneMore: "Bijna klaar: tik nog één keer om uw antwoord te verzenden.",
    privacy: "Privacyverklaring",
  },
  pt: {
    unknown: "Este inquérito não está disponível",
    unknownWhy:
      "O link pode estar incompleto ou o inquérito já terminou. Obrigado pelo seu interesse.",
    unreachable: "Não é possível carregar o inquérito. Verifique a sua ligação.",
    retry: "Tentar de novo",
    oneMore: "Quase pronto: toque mais uma vez para enviar a sua resposta.",
    privacy: "Política de privacidade",
  },
  pl: {
    unknown: "Ta ankieta jest niedostępna",
    unknownWhy: "Link może być niepełny lub ankieta się zakończyła. Dziękujemy za zainteresowanie.",
    unreachable: "Nie można wczytać ankiety. Proszę sprawdzić połączenie.",
    retry: "Spróbuj ponownie",
    oneMore: "Prawie gotowe: dotknij jeszcze raz, aby wysłać odpowiedź.",
    privacy: "Polityka prywatności",
  },
  sv: {
    unknown: "Den här enkäten är inte tillgänglig",
    unknownWhy:
      "Länken kan vara ofullständig eller så är enkäten avslutad. Tack för ditt intresse.",
    unreachable: "Enkäten kan inte laddas. Kontrollera din anslutning.",
    retry: "Försök igen",
    oneMore: "Nästan klart: tryck en gång till för att skicka ditt svar.",
    privacy: "Integritetspolicy",
  },
  tr: {
    unknown: "Bu anket bulunamadı",
    unknownWhy: "Bağlantı eksik olabilir veya anket sona ermiştir. İlginiz için teşekkür ederiz.",
    unreachable: "Anket yüklenemiyor. Lütfen bağlantınızı kontrol edin.",
    retry: "Yeniden dene",
    oneMore: "Neredeyse bitti: yanıtınızı göndermek için bir kez daha dokunun.",
    privacy: "Gizlilik politikası",
  },
  ar: {
    unknown: "هذا الاستبيان غير متاح",
    unknownWhy: "قد يكون الرابط غير مكتمل أو انتهى الاستبيان. شكرًا لاهتمامك.",
    unreachable: "تعذر تحميل الاستبيان. يرجى التحقق من الاتصال.",
    retry: "إعادة المحاولة",
    oneMore: "أوشكت على الانتهاء: اضغط مرة أخرى لإرسال إجابتك.",
    privacy: "سياسة الخصوصية",
  },
  he: {
    unknown: "הסקר הזה אינו זמין",
    unknownWhy: "ייתכן שהקישור חלקי או שהסקר הסתיים. תודה על ההתעניינות.",
    unreachable: "לא ניתן לטעון את הסקר. נא לבדוק את החיבור.",
    retry: "ניסיון נוסף",
    oneMore: "כמעט סיימנו: הקישו פעם נוספת כדי לשלוח את התשובה.",
    privacy: "מדיניות פרטיות",
  },
};

const RIGHT_TO_LEFT = ["ar", "he"];

export interface Spoken {
  language: string;
  direction: "ltr" | "rtl";
  notices: Notices;
}

/** The notices in the first of the languages for which there are any, and that language. */
export function noticesIn(languages: readonly string[]): Spoken {
  const bases = languages.map((language) => language.toLowerCase().split("-")[0] ?? "");
  const language = bases.find((base) => Object.hasOwn(NOTICES, base)) ?? "en";
  const direction = RIGHT_TO_LEFT.includes(language) ? "rtl" : "ltr";
  return { language, direction, notices: NOTICES[language] as Notices };
}
