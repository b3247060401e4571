"""The widget on a page of another origin, with the strictest policy under which it works."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.e2e.asking import FACES, Posts, new_survey, pulse, serious_faults, shop
from tests.e2e.conftest import RunningStack, Watch

OpenShop = Callable[..., str]


@pytest.fixture(scope="module")
def survey(stack: RunningStack) -> str:
    return new_survey(stack, "csat", "1-5", *FACES)


@pytest.fixture(scope="module")
def tag(stack: RunningStack, survey: str) -> str:
    """The tag as the command prints it."""
    return pulse(stack, "survey", "embed", stack.tenant, survey).strip()


@pytest.fixture
def open_shop(tag: str, watch: Watch) -> Iterator[OpenShop]:
    """open_shop(page, trigger="api"): the shop with data-trigger in its tag; its origin."""
    with ExitStack() as shops:

        def visit(page: Page, this: str = tag, **data: str) -> str:
            more = "".join(f' data-{name}="{value}"' for name, value in data.items())
            origin = shops.enter_context(shop(this.replace("></", f"{more}></")))
            watch.origins.add(origin)
            page.goto(origin)
            return origin

        yield visit


def opener(page: Page) -> Locator:
    return page.get_by_role("button", name="Feedback")


def dialog(page: Page) -> Locator:
    return page.get_by_role("dialog", name="How satisfied are you?")


def vote(page: Page, label: str) -> None:
    page.get_by_role("radio", name=label, exact=True).click()
    expect(dialog(page).get_by_role("status")).to_have_attribute("data-state", "sent")


def made_up(page: Page, address: str, html: str) -> None:
    """From now on this HTML is at the address, without any policy."""
    page.context.grant_permissions(["local-network-access"])  # a made-up page has no address
    kind = "text/html; charset=utf-8"
    page.route(address, lambda route: route.fulfill(body=html, content_type=kind))


def settle(page: Page) -> None:
    """The survey has arrived, and whatever follows from it has happened."""
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(200)


# -- the way of an answer


def test_a_click_on_a_foreign_page_sends_the_score_and_the_comment_follows(
    page: Page, survey: str, open_shop: OpenShop
) -> None:
    posts = Posts(page)
    open_shop(page, channel="chat")
    opener(page).click()
    vote(page, "Great")
    page.get_by_role("textbox").fill("From the shop")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("textbox")).to_be_hidden()
    score, comment = posts.settle()
    assert comment == {**score, "comment": "From the shop"}
    assert {name: score[name] for name in score if name not in ("response_id", "answered_at")} == {
        "survey_id": survey,
        "score": 5,
        "channel": "chat",
        "interaction_id": "order-77",
        "customer_id": "c-1024",
        "tags": {"page": "thanks"},
    }
    assert page.context.cookies() == []


def test_it_asks_for_nothing_but_the_survey(
    page: Page, stack: RunningStack, open_shop: OpenShop
) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    origin = open_shop(page)
    opener(page).click()
    vote(page, "Good")
    ours = [url.removeprefix(stack.url) for url in asked if not url.startswith(origin)]
    assert [re.sub(r"[?].*|/asked.*", "", path) for path in ours] == [
        "/widget.v1.js",
        "/v1/surveys",
        "/v1/responses",
    ]


@pytest.mark.only_whole
def test_it_needs_no_style_of_the_host_page(page: Page, open_shop: OpenShop) -> None:
    page.goto(open_shop(page) + "/plain")
    opener(page).click()
    assert opener(page).evaluate("it => getComputedStyle(it).backgroundColor") == "rgb(0, 95, 184)"
    assert opener(page).evaluate("it => getComputedStyle(it.parentNode).position") == "fixed"
    vote(page, "Good")


@pytest.mark.only_whole
def test_the_host_pages_styles_stay_out(page: Page, open_shop: OpenShop) -> None:
    open_shop(page)
    opener(page).click()
    name = dialog(page).get_by_text("Good", exact=True)
    style = "it => (s => [s.textTransform, s.letterSpacing, s.fontSize])(getComputedStyle(it))"
    assert name.evaluate(style) == ["none", "normal", "12px"]


@pytest.mark.only_whole
def test_the_host_pages_variables_set_its_colours(page: Page, open_shop: OpenShop) -> None:
    open_shop(page)
    page.evaluate("document.documentElement.style.setProperty('--pulse-accent', 'rgb(1, 2, 3)')")
    assert opener(page).evaluate("it => getComputedStyle(it).backgroundColor") == "rgb(1, 2, 3)"


@pytest.mark.only_whole
def test_another_script_than_the_tags_own_does_not_run(
    page: Page, tag: str, open_shop: OpenShop, watch: Watch
) -> None:
    watch.allow("integrity")
    open_shop(page, re.sub("sha384-....", "sha384-AAAA", tag))
    settle(page)
    expect(opener(page)).to_have_count(0)


@pytest.mark.only_whole
def test_it_answers_once_about_an_order_until_it_is_about_somebody_else(
    page: Page, open_shop: OpenShop
) -> None:
    posts = Posts(page)
    open_shop(page, trigger="api")
    for label in ("Good", "Bad"):
        page.evaluate("Pulse.show()")
        vote(page, label)
        page.get_by_role("button", name="Close").click()
    page.evaluate("Pulse.identify({customer: 'c-2'}); Pulse.show()")
    expect(page.locator("input:checked")).to_have_count(0)
    vote(page, "Great")
    first, changed, other = posts.settle()
    assert changed == {**first, "score": 2}
    assert (other["interaction_id"], other["customer_id"]) == ("order-77", "c-2")
    assert other["response_id"] != first["response_id"]


@pytest.mark.only_whole
def test_who_answers_on_an_old_page_answers_now(page: Page, open_shop: OpenShop) -> None:
    opened = datetime.now(UTC) - timedelta(hours=9)

    def serve_then(route: Route) -> None:
        reply = route.fetch()
        route.fulfill(response=reply, json={**reply.json(), "served_at": opened.isoformat()})

    page.route("**/v1/surveys/*", serve_then)
    page.clock.install(time=opened)
    posts = Posts(page)
    open_shop(page)
    expect(opener(page)).to_be_visible()
    page.clock.fast_forward("09:00:00")
    opener(page).click()
    vote(page, "Good")
    (post,) = posts.settle()
    answered_at = datetime.fromisoformat(post["answered_at"])
    assert abs(answered_at - datetime.now(UTC)) < timedelta(minutes=2)


# -- when it is shown


def test_the_page_shows_it_by_a_call(page: Page, open_shop: OpenShop) -> None:
    open_shop(page, trigger="api")
    settle(page)
    expect(opener(page)).to_have_count(0)
    page.get_by_role("button", name="Pulse.show()").click()
    expect(dialog(page).get_by_role("radio").first).to_be_focused()


@pytest.mark.only_whole
def test_an_event_shows_it_once_and_leaves_the_focus(page: Page, open_shop: OpenShop) -> None:
    open_shop(page, event="order-done", again="30")
    page.evaluate("Pulse.track('something else')")
    settle(page)
    expect(dialog(page)).to_have_count(0)
    page.get_by_role("button", name="Pulse.track").click()
    expect(dialog(page)).to_be_visible()
    expect(page.get_by_role("button", name="Pulse.track")).to_be_focused()
    expect(page.locator(".aside[role=status]")).to_have_text("How satisfied are you?")
    page.get_by_role("button", name="Close").click()
    page.reload()
    settle(page)
    page.get_by_role("button", name="Pulse.track").click()
    expect(dialog(page)).to_have_count(0)  # shown once in thirty days


@pytest.mark.only_whole
def test_calls_from_before_it_came_are_heard(page: Page, open_shop: OpenShop) -> None:
    page.add_init_script("window.Pulse = {q: [['track', 'early']]}")
    open_shop(page, event="early")
    expect(dialog(page)).to_be_visible()


@pytest.mark.only_whole
def test_seconds_show_it(page: Page, open_shop: OpenShop) -> None:
    page.clock.install()
    open_shop(page, delay="3600")
    settle(page)
    page.clock.fast_forward("45:00")
    settle(page)
    expect(dialog(page)).to_have_count(0)
    page.clock.fast_forward("15:00")
    expect(dialog(page)).to_be_visible()


@pytest.mark.only_whole
@pytest.mark.parametrize(("sample", "shown"), [("0", 0), ("100", 1)])
def test_a_share_of_visitors_is_asked(
    page: Page, open_shop: OpenShop, sample: str, shown: int
) -> None:
    open_shop(page, event="order-done", sample=sample)
    settle(page)
    page.get_by_role("button", name="Pulse.track").click()
    expect(dialog(page)).to_have_count(shown)


@pytest.mark.only_whole
def test_the_surveys_own_rules_hold_where_the_tag_says_nothing(
    page: Page, stack: RunningStack, open_shop: OpenShop
) -> None:
    survey = new_survey(stack, "csat", "1-5", *FACES, "--event", "order-done")
    open_shop(page, pulse(stack, "survey", "embed", stack.tenant, survey).strip())
    settle(page)
    expect(opener(page)).to_have_count(0)
    page.get_by_role("button", name="Pulse.track").click()
    expect(dialog(page)).to_be_visible()


def test_who_has_answered_is_not_asked_again(page: Page, open_shop: OpenShop) -> None:
    open_shop(page)
    opener(page).click()
    vote(page, "Good")
    expect(opener(page)).to_have_count(0)
    page.reload()
    settle(page)
    expect(opener(page)).to_have_count(0)


# -- people with keyboards


def test_the_keyboard_alone_does(page: Page, open_shop: OpenShop) -> None:
    posts = Posts(page)
    open_shop(page)
    opener(page).press("Enter")
    expect(page.get_by_role("radio", name="Awful")).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog(page)).to_have_count(0)
    expect(opener(page)).to_be_focused()
    page.keyboard.press("Space")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Thanks a lot")).to_be_visible()
    expect(dialog(page).get_by_role("status")).to_be_focused()
    assert [post["score"] for post in posts.settle()] == [3]


@pytest.mark.only_whole
def test_what_is_typed_sets_off_no_shortcut_of_the_host_page(
    page: Page, open_shop: OpenShop
) -> None:
    open_shop(page)
    page.evaluate("document.addEventListener('keydown', (event) => (window.heard = event.key))")
    opener(page).click()
    vote(page, "Good")
    page.get_by_role("textbox").press_sequentially("dg")
    assert page.evaluate("window.heard") is None


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious(page: Page, open_shop: OpenShop, theme: str) -> None:
    open_shop(page, theme=theme)
    opener(page).click()
    assert serious_faults(page) == []
    vote(page, "Good")
    assert serious_faults(page) == []


@pytest.mark.only_whole
def test_on_a_phone_it_fits(page: Page, open_shop: OpenShop) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    open_shop(page)
    opener(page).click()
    box = dialog(page).bounding_box()
    assert box and box["x"] >= 0 and box["x"] + box["width"] <= 390
    for radio in page.get_by_role("radio").all():
        target = radio.bounding_box()
        assert target and target["height"] >= 44 and target["width"] >= 44


@pytest.mark.only_whole
def test_it_waits_for_a_page_that_is_slow_to_have_a_body(
    page: Page, open_shop: OpenShop, tag: str
) -> None:
    late = open_shop(page) + "/late"
    html = f"<!doctype html><title>Shop</title>{tag}<script src='/slow.js'></script><p>Shop</p>"
    made_up(page, late, html)
    held: list[Route] = []
    page.route("**/slow.js", lambda route: held.append(route))
    with page.expect_response("**/v1/surveys/*"):
        page.goto(late, wait_until="commit")
    page.wait_for_timeout(200)
    assert page.evaluate("document.body") is None
    held[0].fulfill(body="", content_type="text/javascript")
    expect(opener(page)).to_be_visible()


@pytest.mark.only_whole
def test_it_outlives_the_body_that_a_site_replaces_instead_of_loading_pages(
    page: Page, open_shop: OpenShop
) -> None:
    open_shop(page)
    opener(page).click()
    page.evaluate("document.body = document.createElement('body')")
    expect(page.locator("body")).to_be_empty()
    expect(dialog(page)).to_be_visible()
    page.get_by_role("button", name="Close").click()
    expect(opener(page)).to_be_visible()


@pytest.mark.only_whole
def test_a_tag_in_the_new_body_takes_the_place_of_the_one_that_has_gone(
    page: Page, open_shop: OpenShop, tag: str
) -> None:
    posts = Posts(page)
    shop = open_shop(page) + "/turbo"
    made_up(page, shop, f"<!doctype html><title>Shop</title><body>{tag}")
    page.goto(shop)
    opener(page).click()
    page.evaluate("""() => {  // as Turbo does: scripts of a new body run if they are made anew
        const { src, dataset } = document.querySelector("script");
        const tag = Object.assign(document.createElement("script"), { src });
        Object.assign(tag.dataset, dataset, { agent: "a-2" });
        document.body = document.createElement("body");
        document.body.append(tag);
    }""")
    expect(dialog(page)).to_have_count(0)
    opener(page).click()  # there is but one
    vote(page, "Good")
    assert [post["agent_id"] for post in posts.settle()] == ["a-2"]
    expect(opener(page)).to_have_count(0)


# -- what may not happen to the host page


@pytest.mark.only_whole
@pytest.mark.parametrize(
    "call",
    [
        "Pulse.show('no such survey')",
        "Pulse.track()",
        "Pulse.identify(null)",
        "Pulse.identify({customer: {}, agent: Symbol('x'), tags: 'x'}); Pulse.show()",
        "Pulse.q.push(['nonsense'])",
        "Pulse.q.push()",
        "Pulse.add({})",
        "document.body.replaceChildren(); Pulse.show()",
    ],
)
def test_no_call_throws_into_the_host_page(page: Page, open_shop: OpenShop, call: str) -> None:
    open_shop(page)
    expect(opener(page)).to_be_visible()
    assert page.evaluate(f"() => {{ {call}; return 'gone on'; }}") == "gone on"


def test_a_survey_that_cannot_be_had_leaves_the_page_alone(
    page: Page, open_shop: OpenShop, watch: Watch
) -> None:
    watch.allow("ERR_FAILED")
    page.route("**/v1/surveys/*", lambda route: route.abort())
    open_shop(page)
    page.evaluate("Pulse.show()")
    settle(page)
    expect(opener(page)).to_have_count(0)


@pytest.mark.only_whole
def test_a_script_on_the_host_page_cannot_vote(page: Page, open_shop: OpenShop) -> None:
    posts = Posts(page)
    open_shop(page)
    expect(opener(page)).to_be_visible()
    page.evaluate("Pulse.show()")
    page.evaluate("""() => {
        const tree = document.querySelector("pulse-widget").shadowRoot;
        for (const element of tree.querySelectorAll("*")) {
            element.dispatchEvent(new PointerEvent("pointerup", {bubbles: true}));
            element.dispatchEvent(new PointerEvent("click", {bubbles: true, detail: 1}));
            element.click?.();
            element.dispatchEvent(new KeyboardEvent("keydown", {key: "Enter", bubbles: true}));
        }
    }""")
    assert posts.settle() == []
