"""Comments of the sample's customers, by language and by how they felt."""

from collections.abc import Mapping

from pulse.tenants.rules import Segment

LANGUAGES: Mapping[str, str] = {
    "DE": "de",
    "AT": "de",
    "CH": "de",
    "FR": "fr",
    "PL": "pl",
    "ES": "es",
    "TR": "tr",
}
"""The language of customers, by country; in all others they write English."""

COMMENTS: Mapping[str, Mapping[Segment, tuple[str, ...]]] = {
    "en": {
        "good": (
            "Sorted out in five minutes, thank you!",
            "Friendly and quick 👍",
            'She said "leave it to me", and it was done the next day.',
        ),
        "neutral": ("It worked in the end.", "Fine, but the wait was long."),
        "bad": ("Had to explain it three times.", "Still waiting for an answer.", "No help at all"),
    },
    "de": {
        "good": ("Sehr freundlich und schnell.", "Top Service, gerne wieder! 😊", "Alles bestens."),
        "neutral": ("Ging so.", "Hat etwas gedauert, aber gelöst."),
        "bad": ("Drei Mal angerufen, nichts passiert.", "Leider keine Lösung.", "Viel zu langsam."),
    },
    "fr": {
        "good": ("Réponse très rapide, merci beaucoup.", "Équipe à l'écoute."),
        "neutral": ("Correct, sans plus.",),
        "bad": ("Toujours pas de réponse…", "Très déçue du suivi."),
    },
    "pl": {
        "good": ("Szybko i uprzejmie, dziękuję!",),
        "neutral": ("Może być.",),
        "bad": ("Nikt nie odpowiada na zgłoszenie.",),
    },
    "es": {
        "good": ("¡Muy amables, gracias!",),
        "neutral": ("Regular.",),
        "bad": ("Sigo sin solución.",),
    },
    "tr": {
        "good": ("Çok hızlı çözüldü, teşekkürler.",),
        "neutral": ("İdare eder.",),
        "bad": ("Hâlâ cevap bekliyorum.",),
    },
}

OUTAGE_COMMENTS = (
    "Mein Paket steht seit Tagen im Depot.",
    "Keine Zustellung, keine Auskunft. 😠",
    "Sendungsverfolgung zeigt seit Montag nichts mehr.",
)
"""Comments of customers who are affected by the bad week."""
