// Names of faces for people who do not see them, from the unhappiest to the happiest.

const MOODS: Readonly<Record<string, string>> = {
  en: "very unhappy|unhappy|neutral|happy|very happy",
  de: "sehr unzufrieden|unzufrieden|neutral|zufrieden|sehr zufrieden",
  fr: "très mécontent|mécontent|neutre|content|très content",
  es: "muy descontento|descontento|neutral|contento|muy contento",
  it: "molto scontento|scontento|neutrale|contento|molto contento",
  nl: "zeer ontevreden|ontevreden|neutraal|tevreden|zeer tevreden",
  pt: "muito descontente|descontente|neutro|contente|muito contente",
  pl: "bardzo niezadowolony|niezadowolony|obojętny|zadowolony|bardzo zadowolony",
  sv: "mycket missnöjd|missnöjd|neutral|nöjd|mycket nöjd",
  tr: "çok mutsuz|mutsuz|nötr|mutlu|çok mutlu",
  ar: "مستاء جدًا|مستاء|محايد|راضٍ|راضٍ جدًا",
  he: "לא מרוצה בכלל|לא מרוצה|ניטרלי|מרוצה|מרוצה מאוד",
};

/** The name of a face from -1, very unhappy, to 1, very happy; in English if `language` has none. */
export function moodName(language: string, mood: number): string {
  const names = (MOODS[language.split("-")[0] ?? ""] ?? MOODS["en"] ?? "").split("|");
  return names[Math.round((mood + 1) * 2)] ?? "";
}
