"""The survey page in a browser: who can vote, and that no answer is lost."""

import json
import re
from collections.abc import Callable
from urllib.error import HTTPError
from urllib.parse import urlencode, urljoin
from urllib.request import urlopen

import pytest
from playwright.sync_api import Page, Route, expect

from pulse.ingest.translations import LANGUAGES, translation
from tests.e2e.asking import (
    FACES,
    Posts,
    address,
    counted,
    has_sent,
    new_survey,
    pulse,
    radio,
)
from tests.e2e.conftest import NewPage, RunningStack, Watch
from tests.sampling import some


@pytest.fixture(scope="module")
def smiles(stack: RunningStack) -> str:
    """A survey with five faces."""
    return new_survey(stack, "csat", "1-5", *FACES)


# -- people


def test_a_click_sends_the_score_and_the_comment_follows(
    page: Page, stack: RunningStack, smiles: str
) -> None:
    posts = Posts(page)
    page.goto(
        address(stack, smiles, channel="ticket", agent="a-7", interaction="T 1/ü", utm_source="x")
    )
    expect(page.get_by_role("group", name="How satisfied are you?")).to_be_visible()
    radio(page, "Good").click()
    has_sent(page)
    expect(page.get_by_role("heading", name="Thanks a lot")).to_be_visible()
    expect(page.get_by_role("status")).to_be_focused()
    page.get_by_role("textbox", name="Would you like to tell us why?").fill("  Quick! 😀 ")
    page.get_by_role("button", name="Send").click()
    has_sent(page)

    score, comment = posts.settle()
    assert comment == {**score, "comment": "Quick! 😀"}
    assert {name: score[name] for name in score if name not in ("response_id", "answered_at")} == {
        "survey_id": smiles,
        "score": 4,
        "channel": "ticket",
        "agent_id": "a-7",
        "interaction_id": "T 1/ü",
    }
    assert page.context.cookies() == []


def test_another_face_changes_the_answer(page: Page, stack: RunningStack, smiles: str) -> None:
    posts = Posts(page)
    page.goto(address(stack, smiles))
    radio(page, "Good").click()
    radio(page, "Good").click()
    radio(page, "Awful").click()
    has_sent(page)
    first, second = posts.settle()
    assert second == {**first, "score": 1}


def test_arrows_choose_and_enter_votes(page: Page, stack: RunningStack, smiles: str) -> None:
    posts = Posts(page)
    page.goto(address(stack, smiles))
    radio(page, "Awful").focus()
    page.keyboard.press("Enter")  # nothing is chosen yet
    for _ in range(2):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    expect(radio(page, "Bad")).to_be_checked()
    assert posts.settle() == []
    page.keyboard.press("Enter")
    has_sent(page)
    assert [post["score"] for post in posts.settle()] == [2]


def test_the_send_button_votes_what_was_chosen(
    page: Page, stack: RunningStack, smiles: str
) -> None:
    posts = Posts(page)
    page.goto(address(stack, smiles))
    send = page.get_by_role("button", name="Send")
    expect(send).to_be_hidden()
    radio(page, "Awful").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    expect(send).to_be_focused()
    page.keyboard.press("Space")
    has_sent(page)
    assert [post["score"] for post in posts.settle()] == [1]


def test_a_score_in_the_link_is_chosen_and_voted_by_a_person(
    page: Page, stack: RunningStack, smiles: str
) -> None:
    posts = Posts(page)
    page.goto(address(stack, smiles, score=5))
    expect(radio(page, "Great")).to_be_checked()
    hint = page.get_by_text("one more tap")
    expect(hint).to_be_visible()
    assert posts.settle() == []
    page.get_by_role("button", name="Send").click()
    has_sent(page)
    expect(hint).to_be_hidden()
    assert [post["score"] for post in posts.settle()] == [5]


@pytest.mark.sampled
@pytest.mark.parametrize("score", some(["6", "0", "-1", "4.0", "", "NaN"], 3))
def test_a_score_that_the_scale_lacks_chooses_nothing(
    page: Page, stack: RunningStack, smiles: str, score: str
) -> None:
    page.goto(address(stack, smiles, score=score))
    expect(radio(page, "Great")).to_be_visible()
    assert page.locator("input:checked").count() == 0


def test_who_has_answered_may_change_the_answer_but_not_add_one(
    page: Page, stack: RunningStack, smiles: str
) -> None:
    posts = Posts(page)
    link = address(stack, smiles, interaction="ticket-5")
    page.goto(link)
    radio(page, "Good").click()
    has_sent(page)
    page.goto(link)
    expect(page.get_by_role("heading", name="You have already answered.")).to_be_visible()
    expect(page.get_by_role("button")).to_have_count(1)
    page.get_by_role("button", name="Change my answer").click()
    expect(radio(page, "Good")).to_be_focused()
    radio(page, "Fair").click()
    has_sent(page)
    page.goto(f"{link}&score=1")  # another face of the same mail
    page.get_by_role("button", name="Send").click()
    has_sent(page)
    page.goto(address(stack, smiles, interaction="ticket-6"))
    radio(page, "Great").click()
    has_sent(page)
    sent = posts.settle()
    assert [post["score"] for post in sent] == [4, 3, 1, 5]
    ids = [post["response_id"] for post in sent]
    assert len(set(ids[:3])) == 1 and ids[3] != ids[0]


@pytest.mark.only_whole
def test_a_link_about_somebody_else_asks_anew_and_the_same_mails_changes_the_answer(
    page: Page, stack: RunningStack, smiles: str
) -> None:
    posts = Posts(page)
    about_anna = {"agent": "anna", "customer": "c-1"}
    about_bob = {"agent": "bob", "customer": "c-2"}
    for about, score in [(about_anna, 5), (about_bob, 1), (about_anna, 3)]:
        page.goto(address(stack, smiles, score=score, **about))
        page.get_by_role("button", name="Send").click()
        has_sent(page)
    page.goto(address(stack, smiles, **about_bob))  # no other score: it may be changed, or added
    expect(page.get_by_role("heading", name="You have already answered.")).to_be_visible()
    expect(page.get_by_role("button")).to_have_count(2)
    anna, bob, changed = posts.settle()
    assert (bob["agent_id"], bob["customer_id"], bob["score"]) == ("bob", "c-2", 1)
    assert bob["response_id"] != anna["response_id"]
    assert changed == {**anna, "score": 3}


# -- robots


def press_everything(page: Page) -> None:
    """What a script can do without a hand on the machine."""
    page.evaluate("""() => {
        for (const element of document.querySelectorAll("*")) {
            for (const type of ["pointerdown", "pointerup", "mousedown", "mouseup", "click"]) {
                element.dispatchEvent(new PointerEvent(type, {bubbles: true, detail: 1}));
            }
            for (const key of ["Enter", " ", "ArrowRight"]) {
                element.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true}));
                element.dispatchEvent(new KeyboardEvent("keyup", {key, bubbles: true}));
            }
            if (element.click) element.click();
            if (element.focus) element.focus();
            if (element.type === "radio") element.checked = true;
            element.dispatchEvent(new Event("change", {bubbles: true}));
            element.dispatchEvent(new SubmitEvent("submit", {bubbles: true}));
        }
        for (const form of document.forms) form.requestSubmit();
        window.dispatchEvent(new PageTransitionEvent("pagehide"));
    }""")


def fetch_all(link: str) -> None:
    """What a mail scanner without scripts does: it gets the page and whatever the page names."""
    with urlopen(link, timeout=30) as reply:
        page = reply.read().decode()
    named = re.findall(r'(?:href|src|action)="(/[^"]+)"', page)
    assert named
    for path in named:
        urlopen(urljoin(link, path), timeout=30).close()


@pytest.mark.only_whole
def test_robots_do_not_vote(new_page: NewPage, stack: RunningStack, watch: Watch) -> None:
    survey = new_survey(stack, "csat", "1-5", *FACES)
    mail = pulse(stack, "survey", "email", stack.tenant, survey, "--interaction", "T1")
    page = new_page()
    posts = Posts(page)
    page.set_content(mail)
    links = page.locator("a").evaluate_all("links => links.map(link => link.href)")
    assert len(links) == 5

    for link in links:  # one that only gets
        fetch_all(link)
    query = urlencode({"survey_id": survey, "score": 5, "key": stack.keys["publishable"]})
    with pytest.raises(HTTPError, match="404"):
        urlopen(f"{stack.url}/v1/responses?{query}", timeout=30)

    unscripted = new_page(java_script_enabled=False)  # one that opens every link
    for link in links:
        unscripted.goto(link)

    for link in links:  # one that runs scripts and presses everything, without a hand
        page.goto(link)
        expect(page.get_by_role("group")).to_be_visible()
        press_everything(page)
        press_everything(page)
    assert posts.settle() == []

    radio(page, "Awful").click()  # the page itself is well
    has_sent(page)
    assert counted(stack, survey, "csat") == [1]


# -- what goes wrong


def test_an_answer_waits_for_a_connection_and_says_so(
    page: Page, stack: RunningStack, smiles: str, watch: Watch
) -> None:
    watch.allow("ERR_INTERNET_DISCONNECTED")
    posts = Posts(page)
    page.goto(address(stack, smiles))
    expect(radio(page, "Good")).to_be_visible()
    page.context.set_offline(True)
    radio(page, "Good").click()
    expect(page.get_by_role("status")).to_contain_text("as soon as there is a connection")
    page.context.set_offline(False)
    has_sent(page)
    sent = posts.settle()
    assert len(sent) >= 2
    assert all(post == sent[0] for post in sent)


@pytest.mark.only_whole
@pytest.mark.parametrize("thanks", ["", "Merci !"], ids=["no thanks", "thanks"])
def test_one_state_is_told_at_a_time_in_every_language(
    page: Page, stack: RunningStack, smiles: str, watch: Watch, thanks: str
) -> None:
    watch.allow("503")

    def speak(route: Route) -> None:
        served = route.fetch()
        texts = {"words": translation(language), "thanks": thanks}
        route.fulfill(response=served, json=served.json() | texts)

    page.route("**/v1/surveys/*", speak)
    for language in LANGUAGES:
        words = translation(language)
        page.route("**/v1/responses*", lambda route: route.fulfill(status=503))
        page.goto(address(stack, smiles, interaction=f"{thanks} {language}"))
        radio(page, "Good").click()
        told = page.get_by_role("status")
        expect(told).to_have_text(words["waiting"])
        on_the_page = page.locator("main").inner_text()
        assert words["sent"] not in on_the_page and words["sending"] not in on_the_page
        assert not thanks or thanks not in on_the_page
        page.unroute("**/v1/responses*")
        page.get_by_role("button", name=words["retry"]).click()
        expect(told).to_have_text(thanks or words["sent"])
        on_the_page = page.locator("main").inner_text()
        assert on_the_page.count(thanks or words["sent"]) == 1
        assert words["waiting"] not in on_the_page


def test_an_answer_is_sent_again_by_hand(
    page: Page, stack: RunningStack, smiles: str, watch: Watch
) -> None:
    watch.allow("503")
    page.route(
        "**/v1/responses*", lambda route: route.fulfill(status=503, headers={"Retry-After": "900"})
    )
    page.goto(address(stack, smiles))
    radio(page, "Good").click()
    expect(page.get_by_role("button", name="Try again")).to_be_visible()
    page.unroute("**/v1/responses*")
    page.get_by_role("button", name="Try again").click()
    has_sent(page)


@pytest.mark.only_whole
def test_the_next_visit_sends_what_this_one_could_not(
    page: Page, stack: RunningStack, smiles: str, watch: Watch
) -> None:
    watch.allow("503")
    page.route("**/v1/responses*", lambda route: route.fulfill(status=503))
    page.goto(address(stack, smiles))
    radio(page, "Bad").click()
    expect(page.get_by_role("button", name="Try again")).to_be_visible()
    page.unroute("**/v1/responses*")
    with page.expect_response(re.compile("/v1/responses")) as answered:
        page.goto(address(stack, smiles, interaction="another"))
    assert answered.value.status == 202
    assert page.evaluate("Object.keys(localStorage).filter(k => k.includes('outbox'))") == []


@pytest.mark.only_whole
def test_what_is_refused_says_why(
    page: Page, stack: RunningStack, smiles: str, watch: Watch
) -> None:
    watch.allow("403")
    make = ("key", "create", stack.tenant, "--kind", "publishable", "--origin", "https://a.example")
    key = pulse(stack, *make).strip()
    page.goto(f"{stack.url}/s/{key}?{urlencode({'survey': smiles})}")
    radio(page, "Bad").click()
    expect(page.get_by_role("status")).to_contain_text("could not be taken. (origin_not_allowed)")


def test_it_works_where_storage_is_refused(page: Page, stack: RunningStack, smiles: str) -> None:
    page.add_init_script(
        "Object.defineProperty(window, 'localStorage',"
        " {get() { throw new DOMException('no', 'SecurityError'); }})"
    )
    posts = Posts(page)
    page.goto(address(stack, smiles))
    radio(page, "Fair").click()
    has_sent(page)
    assert len(posts.settle()) == 1


@pytest.mark.only_whole
def test_a_wrong_clock_costs_no_answer(page: Page, stack: RunningStack, smiles: str) -> None:
    page.clock.install(time="2031-01-01T00:00:00Z")
    page.goto(address(stack, smiles))
    radio(page, "Fair").click()
    has_sent(page)


@pytest.mark.parametrize(
    "change", [lambda link: link.replace("survey=", "survey=no"), lambda link: link[:-20]]
)
def test_an_unknown_survey_gets_a_kind_page(
    page: Page, stack: RunningStack, watch: Watch, change: Callable[[str], str]
) -> None:
    watch.allow("status of 40[134]")
    page.goto(change(address(stack, "s" * 20)))
    expect(page.get_by_role("heading", name="This survey is not here")).to_be_visible()


@pytest.mark.only_whole
def test_an_api_that_is_down_can_be_tried_again(
    page: Page, stack: RunningStack, smiles: str, watch: Watch
) -> None:
    watch.allow("ERR_FAILED")
    page.route("**/v1/surveys/*", lambda route: route.abort())
    page.goto(address(stack, smiles))
    expect(page.get_by_role("alert")).to_contain_text("cannot be loaded")
    page.unroute("**/v1/surveys/*")
    page.get_by_role("button", name="Try again").click()
    expect(radio(page, "Good")).to_be_visible()


# -- the command's links


@pytest.mark.only_whole
def test_the_commands_link_leads_to_the_survey(
    page: Page, stack: RunningStack, smiles: str
) -> None:
    named = (
        "--channel",
        "chat",
        "--agent",
        "a b",
        "--interaction",
        "{{ticket.id}}",
        "--lang",
        "en",
    )
    posts = Posts(page)
    page.goto(pulse(stack, "survey", "link", stack.tenant, smiles, *named).strip())
    radio(page, "Great").click()
    has_sent(page)
    (post,) = posts.settle()
    assert (post["channel"], post["agent_id"]) == ("chat", "a b")
    assert "interaction_id" not in post  # no help desk has filled it in


@pytest.mark.only_whole
def test_a_signed_links_agent_counts_and_a_tampered_ones_is_dropped(
    new_page: NewPage, stack: RunningStack
) -> None:
    survey = new_survey(stack, "csat", "1-5", *FACES)
    pulse(stack, "survey", "set", stack.tenant, survey, "agents=signed")
    link = pulse(stack, "survey", "link", stack.tenant, survey, "--agent", "a-7").strip()
    assert "agent=a-7&sig=1a." in link
    for opened, face, named in (
        (link, "Great", "a-7"),
        (link.replace("agent=a-7", "agent=a-8"), "Awful", "a-8"),
    ):
        page = new_page()
        posts = Posts(page)
        page.goto(opened)
        radio(page, face).click()
        has_sent(page)  # the visitor is not told: the answer counts
        (post,) = posts.settle()
        assert post["agent_id"] == named
    assert sorted(counted(stack, survey, "csat", least=2)) == [1, 5]
    asked = ("daily", "--tenant", stack.tenant, "--preset", "all_time", "--json")
    by_agent = ("--group-by", "agent", "--filter", f"survey={survey}")
    rows = json.loads(pulse(stack, "report", *asked, *by_agent))["rows"]
    assert {row["agent"]: row["responses"] for row in rows} == {"a-7": 1, None: 1}


@pytest.mark.only_whole
@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["demo", "none"], "no survey 'none'"),
        (["demo", "support", "--key", "pk_unknown"], "unknown, revoked or expired"),
        (["demo", "support", "--key", "{secret}"], "a secret key, and everybody will read it"),
        (["demo", "support", "--channel", "x" * 41], "--channel takes a text of 1 to 40"),
    ],
)
def test_a_link_that_could_not_work_is_not_made(
    stack: RunningStack, arguments: list[str], complaint: str
) -> None:
    typed = [text.format(**stack.keys) for text in arguments]
    with pytest.raises(AssertionError, match=complaint):
        pulse(stack, "survey", "link", *typed)
