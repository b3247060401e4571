"""The mail signature and the widget's digest, without a stack."""

import re
from html.parser import HTMLParser

import pytest

from pulse.cli.survey_links import _quoted, signature, subresource_integrity
from pulse.tenants.rules import Rule
from pulse.tenants.surveys import Survey, Texts

FACES = Survey(
    "demo",
    "s",
    ((0, Rule.make("csat", 1, 5)),),
    style="faces",
    texts={
        "en": Texts("How was <it>?", "", ("Awful", "Bad", "Fair", "Good & well", "Great")),
        "ar": Texts("كيف كان؟", ""),
    },
)


class Mail(HTMLParser):
    """The links of a mail, and its plain text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[dict[str, str | None]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.links.append(dict(attrs))

    def handle_data(self, data: str) -> None:
        self.text += data


def drawn(survey: Survey, language: str = "en") -> tuple[str, Mail]:
    rule = survey.rules[0][1]
    links = {score: f"https://p.example/s/pk?a=b&score={score}" for score in rule.scores}
    html = signature(survey, language, rule, links)
    return html, Mail(html)


def test_a_mail_has_one_link_per_score_named_for_ears() -> None:
    html, mail = drawn(FACES)
    assert [link["href"] for link in mail.links] == [
        f"https://p.example/s/pk?a=b&score={score}" for score in range(1, 6)
    ]
    assert mail.links[3]["aria-label"] == "4, Good & well"
    assert "How was <it>?" in mail.text
    assert "<it>" not in html


def test_a_mail_needs_nothing_that_mail_clients_drop() -> None:
    html, _ = drawn(FACES)
    assert not re.search(r"<(style|script|svg|img|link)|class=", html)
    assert html.startswith("<table")


def test_faces_are_told_apart_and_turn_where_lower_is_better() -> None:
    rising = re.findall("[\U0001f600-\U0001f64f]", drawn(FACES)[0])
    assert len(set(rising)) == 5
    low = ((0, Rule.make("csat", 1, 5, lower_is_better=True)),)
    turned = Survey("demo", "s", low, style="faces", texts=FACES.texts)
    assert re.findall("[\U0001f600-\U0001f64f]", drawn(turned)[0]) == rising[::-1]


def test_numbers_say_what_their_ends_mean() -> None:
    nps = Survey("demo", "s", ((0, Rule.make("nps", 0, 10)),), texts={"en": Texts("?", "")})
    html, mail = drawn(nps)
    assert len(mail.links) == 11
    assert "Not at all likely" in mail.text and "Extremely likely" in mail.text
    assert sum(map(int, re.findall(r'colspan="(\d+)"', html))) == 11 + 11


def test_right_to_left() -> None:
    assert 'dir="rtl" lang="ar"' in drawn(FACES, "ar")[0]


@pytest.mark.parametrize(
    ("value", "quoted"),
    [
        ("{{ticket.id}}", "{{ticket.id}}"),
        ("T-{{ ticket.id }}/é", "T-{{ ticket.id }}%2F%C3%A9"),
        ("{!Case.Id}", "{!Case.Id}"),
        ("#{ticket.id}", "#{ticket.id}"),
        ("%{ticket.id}", "%{ticket.id}"),
        ("${ticket.id}", "${ticket.id}"),
        ("{$ticketId}", "{$ticketId}"),
        ("*|TICKET|*", "*|TICKET|*"),
        ("<OTRS_TICKET_TicketID>", "<OTRS_TICKET_TicketID>"),
        ("a#b%c*|d", "a%23b%25c%2A%7Cd"),
        ("{%conversation.number%}", "{%conversation.number%}"),
        ("a b&c=d", "a%20b%26c%3Dd"),
        ("{{a}", "%7B%7Ba%7D"),
        ('{{a"><script>}}', "%7B%7Ba%22%3E%3Cscript%3E%7D%7D"),
    ],
)
def test_placeholders_pass_through_and_all_else_is_encoded(value: str, quoted: str) -> None:
    assert _quoted(value) == quoted


def test_the_digest_is_what_browsers_compute() -> None:
    # printf 'alert(1)' | openssl dgst -sha384 -binary | base64
    digest = "HT2E9NfWiuQ/w1PRai+hTyqW16NIoCGA/m8VQDUopfAtcz6YQjtsMmQd5uRbVDpW"
    assert subresource_integrity(b"alert(1)") == f"sha384-{digest}"
