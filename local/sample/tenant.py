"""The sample's tenant: a parcel-and-mobile shop in Berlin that sells across Europe."""

from collections.abc import Mapping
from dataclasses import dataclass

from pulse import days
from pulse.tenants.rules import Rule
from pulse.tenants.surveys import Survey, Texts
from pulse.tenants.tenant import Tenant
from pulse.tenants.thresholds import KINDS, Thresholds

_MINUTE, _HOUR = 60, 3600

THRESHOLDS: Mapping[str, Thresholds] = {
    "voice": Thresholds(20, 20, 10 * _MINUTE),
    "email": Thresholds(4 * _HOUR, 8 * _HOUR, 48 * _HOUR),
    "chat": Thresholds(40, 40, 20 * _MINUTE),
    "sms": Thresholds(10 * _MINUTE, 20 * _MINUTE, 4 * _HOUR),
    "social": Thresholds(30 * _MINUTE, _HOUR, 12 * _HOUR),
    "task": Thresholds(8 * _HOUR, None, 72 * _HOUR),
}
"""The shop's thresholds by medium. A task has no first response: customers are called back."""

TENANT = Tenant(
    "demo",
    "Nordlicht Shop",
    "Europe/Berlin",
    thresholds={
        f"{medium}.{kind}": ((days.FIRST_DAY, seconds),)
        for medium, promised in THRESHOLDS.items()
        for kind in KINDS
        if (seconds := getattr(promised, f"{kind}_s")) is not None
    },
    targets={"voice.accept": 80, "chat.accept": 80, "email.first_response": 90},
    dimensions={key: ((days.FIRST_DAY, True),) for key in ("plan", "topic")},
)

SUPPORT, RELATIONSHIP, EASE = "support", "relationship", "ease"


def surveys(since_us: int) -> tuple[Survey, ...]:
    """The three surveys, their rules in force since `since_us`."""
    return (
        Survey(
            TENANT.id,
            SUPPORT,
            ((since_us, Rule.make("csat", 1, 5)),),
            style="faces",
            texts={
                "en": Texts(
                    "How satisfied are you with the help you got?",
                    "Thank you, we read every answer.",
                    ("Very unhappy", "Unhappy", "So-so", "Happy", "Very happy"),
                ),
                "de": Texts(
                    "Wie zufrieden sind Sie mit unserer Hilfe?",
                    "Danke, wir lesen jede Antwort.",
                    ("Sehr unzufrieden", "Unzufrieden", "Geht so", "Zufrieden", "Sehr zufrieden"),
                ),
            },
        ),
        Survey(
            TENANT.id,
            RELATIONSHIP,
            ((since_us, Rule.make("nps", 0, 10)),),
            texts={
                "en": Texts("How likely are you to recommend us to a friend?", "Thank you!"),
                "de": Texts("Würden Sie uns weiterempfehlen?", "Danke!"),
            },
        ),
        Survey(
            TENANT.id,
            EASE,
            ((since_us, Rule.make("ces", 1, 7)),),
            texts={
                "en": Texts("How easy was it to send your parcel back?", "Thank you!"),
                "de": Texts("Wie einfach war die Rücksendung?", "Danke!"),
            },
        ),
    )


@dataclass(frozen=True)
class Agent:
    """An agent of the support team, who works on the `media`.

    `skill` changes how customers feel; 0 is average. `weight` is the share of the work, `learns` is
    added to the skill in the course of the 90 days.
    """

    id: str
    name: str
    skill: float
    weight: int
    media: tuple[str, ...]
    learns: float = 0.0


AGENTS = (
    Agent("agent-01", "Mia Schneider", 0.35, 12, ("voice", "chat")),
    Agent("agent-02", "Amara Okafor", -0.75, 9, ("voice", "email"), learns=1.2),
    Agent("agent-03", "Jürgen Weiß", 0.05, 10, ("email", "task")),
    Agent("agent-04", "Zofia Kowalczyk", 0.25, 9, ("voice", "chat")),
    Agent("agent-05", "Nguyễn Thị Lan", 0.45, 8, ("chat", "sms", "social")),
    Agent("agent-06", "Ayşe Yılmaz", 0.15, 9, ("voice", "email")),
    Agent("agent-07", "Liam O'Connor", -0.1, 8, ("voice", "task")),
    Agent("agent-08", "Chloé Dubois", 0.1, 8, ("email", "social")),
    Agent("agent-09", "Δημήτρης Παππάς", -0.25, 6, ("voice", "sms")),
    Agent("agent-10", "佐藤 陽菜", 0.3, 6, ("chat", "sms", "social")),
    Agent("agent-11", "García, Lucía", 0.0, 8, ("voice", "email")),
    Agent("agent-12", "Rajesh Kumar", -0.4, 7, ("email", "task")),
)

SEGMENTS: Mapping[str, int] = {"Private": 70, "Business": 18, "Premium": 12}
"""The customer segments with their weights."""

ORDERS, DELIVERY, RETURNS, INVOICES = "Orders", "Delivery", "Returns", "Invoices"
SERVICES: Mapping[str, int] = {ORDERS: 34, DELIVERY: 30, RETURNS: 22, INVOICES: 14}
"""The service types with their weights."""

CURRENCIES: Mapping[str, tuple[str, float]] = {
    "CH": ("CHF", 0.95),
    "GB": ("GBP", 0.85),
    "PL": ("PLN", 4.3),
}
"""The currency of a country and the value of a euro in it; all others pay in euros."""

COUNTRIES: Mapping[str, int] = {
    "DE": 36,
    "AT": 10,
    "FR": 10,
    "GB": 9,
    "NL": 8,
    "PL": 8,
    "CH": 7,
    "ES": 5,
    "IT": 4,
    "TR": 2,
    "US": 1,
}
"""The customers' countries with their weights."""

OUTAGE_COUNTRY, OUTAGE_CHANNEL = "AT", "ticket"
"""The bad week: this country's parcel carrier stands still, and its customers write tickets."""

_ANDROID = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko)"
_WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64)"
_MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)"
_IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X)"
_WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
_SAFARI = "AppleWebKit/605.1.15 (KHTML, like Gecko)"

USER_AGENTS: Mapping[str, int] = {
    f"{_ANDROID} Chrome/142.0.0.0 Mobile Safari/537.36": 22,
    f"{_IPHONE} {_SAFARI} Version/26.1 Mobile/15E148 Safari/604.1": 21,
    f"{_WINDOWS} {_WEBKIT} Chrome/142.0.0.0 Safari/537.36": 17,
    f"{_MAC} {_SAFARI} Version/26.1 Safari/605.1.15": 8,
    f"{_WINDOWS} {_WEBKIT} Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0": 7,
    f"{_ANDROID} SamsungBrowser/29.0 Chrome/136.0.0.0 Mobile Safari/537.36": 6,
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0": 5,
    f"{_MAC} {_WEBKIT} Chrome/142.0.0.0 Safari/537.36": 5,
    f"Mozilla/5.0 (iPad; CPU OS 18_7 like Mac OS X) {_SAFARI} Version/26.1 Mobile/15E148 "
    "Safari/604.1": 4,
    "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0": 2,
    f"{_IPHONE} {_SAFARI} CriOS/142.0.7444.148 Mobile/15E148 Safari/604.1": 3,
}
"""The customers' User-Agent headers with their weights."""
