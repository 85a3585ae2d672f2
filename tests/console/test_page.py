"""The page at ``/`` in a real browser, against the real service."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, Route, expect

from service.daemon.signing import Signer
from tests.console.site import ADMIN_KEY, DETECTOR_KEY, Site, picture
from tests.support.films import manifest_of, small_film

pytestmark = pytest.mark.needs_debian

PAINTED = "s => { const i = document.querySelector(s); return i?.complete && i.naturalWidth > 0; }"
EVIDENCE = {"opened-wide": picture(1), "opened-close": picture(2)}


def open_page(page: Page, site: Site, key: str = ADMIN_KEY) -> None:
    page.goto(f"{site.url}/#key={key}")
    expect(page.get_by_role("heading", name="Newest work orders")).to_be_visible()


def row(page: Page, number: int) -> Locator:
    return page.get_by_role("link", name=re.compile(rf"Open work order {number}, "))


def is_painted(page: Page, selector: str) -> bool:
    """Whether the first such image was loaded and has a size."""
    return becomes_true(page, PAINTED, selector)


def becomes_true(page: Page, function: str, argument: str) -> bool:
    """Whether a function in the page soon says so.

    Asked from outside: Playwright's own waiting evaluates text, which the page's policy forbids.
    """
    for _ in range(200):
        if page.evaluate(function, argument):
            return True
        page.wait_for_timeout(50)
    return False


def test_without_a_key_it_shows_nothing_but_a_form(page: Page, site: Site) -> None:
    site.order()
    page.goto(site.url)
    expect(page.get_by_label("API key")).to_be_focused()
    expect(page.get_by_role("main")).to_be_hidden()
    expect(page.get_by_role("listitem")).to_have_count(0)


def test_a_wrong_key_is_refused_and_a_right_one_lets_in(page: Page, site: Site) -> None:
    page.goto(site.url)
    page.get_by_label("API key").fill("sw_wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("#sign-in-error")).to_have_text(
        "This key is not known. Check it and try again."
    )
    page.get_by_label("API key").fill(ADMIN_KEY)
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_visible()
    expect(page.get_by_label("API key")).to_have_value("")


def test_a_crew_signs_in_by_name_and_password_and_sees_only_its_steps(
    page: Page, site: Site
) -> None:
    site.user("Li Wei", "crew", "traffic", "correct horse battery")
    site.order()
    site.order(category="litter", rule_kind="litter")
    page.goto(site.url)
    page.get_by_label("Name").fill("li wei")
    page.get_by_label("Password").fill("wrong horse battery")
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("#sign-in-error")).to_have_text("Name or password is wrong.")
    page.get_by_label("Password").fill("correct horse battery")
    page.keyboard.press("Enter")
    expect(page.locator("#who")).to_have_text("Li Wei · Crew")
    expect(page.locator(".order")).to_have_count(1)
    row(page, 1).click()
    dialog = page.get_by_role("dialog")
    expect(dialog.locator("[data-status]").first).to_be_visible()
    offered = dialog.locator("[data-status]").evaluate_all("all => all.map(b => b.dataset.status)")
    assert offered == ["accepted", "in_progress", "resolved"]
    dialog.get_by_role("button", name="Accept", exact=True).click()
    expect(dialog.locator("header")).to_contain_text("Accepted")


def test_a_key_that_may_not_read_is_told_so(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/#key={DETECTOR_KEY}")
    expect(page.locator("#sign-in-error")).to_contain_text("may not read work orders")
    expect(page.get_by_role("main")).to_be_hidden()


def test_the_key_leaves_the_address_and_no_script_can_read_the_session(
    page: Page, site: Site, context: BrowserContext
) -> None:
    open_page(page, site)
    assert page.url == f"{site.url}/"
    (cookie,) = context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Lax")
    assert ADMIN_KEY not in str(cookie["value"])
    seen = page.evaluate("document.cookie + JSON.stringify([localStorage, sessionStorage])")
    assert cookie["value"] not in seen
    assert ADMIN_KEY not in seen


def test_a_key_in_the_address_of_an_open_page_signs_in_too(page: Page, site: Site) -> None:
    page.goto(site.url)
    expect(page.get_by_label("API key")).to_be_visible()
    open_page(page, site)


def test_signing_out_ends_the_session(page: Page, site: Site) -> None:
    site.order()
    open_page(page, site)
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("API key")).to_be_visible()
    page.reload()
    expect(page.get_by_label("API key")).to_be_visible()
    expect(page.get_by_role("main")).to_be_hidden()


def test_an_empty_service_says_what_to_do(page: Page, site: Site) -> None:
    open_page(page, site)
    expect(page.get_by_text("No camera has reported yet.")).to_be_visible()
    expect(page.get_by_text("No work orders yet.")).to_be_visible()


def test_cameras_show_their_picture_and_state(page: Page, site: Site) -> None:
    site.camera("gate", name="North Gate", image=picture(3), drops=1234, reconnects=2)
    site.camera("hall", name="Town Hall", state="offline", last_error="connection refused")
    open_page(page, site)
    gate = page.locator("[data-camera=gate]")
    expect(gate.get_by_role("heading")).to_have_text("North Gate")
    expect(gate).to_contain_text("Online")
    expect(gate).to_contain_text("Dropped1,234")
    expect(gate).to_contain_text("Reconnects2")
    expect(gate).to_contain_text(re.compile(r"Last frame\d+ sec ago"))
    assert is_painted(page, "[data-camera=gate] img")
    hall = page.locator("[data-camera=hall]")
    expect(hall).to_contain_text("Offline")
    expect(hall).to_contain_text("connection refused")
    expect(hall).to_contain_text("No picture yet")
    expect(page.locator("[data-figure=camerasOnline] dd")).to_have_text("1 of 2")


def test_a_new_picture_and_a_new_state_appear_by_themselves(page: Page, site: Site) -> None:
    site.camera("gate", name="North Gate", image=picture(3))
    open_page(page, site)
    assert is_painted(page, "[data-camera=gate] img")
    image = page.locator("[data-camera=gate] img")
    before = image.get_attribute("src")
    site.camera("gate", name="North Gate", state="connecting", image=picture(4))
    expect(page.locator("[data-camera=gate]")).to_contain_text("Connecting")
    expect(image).not_to_have_attribute("src", before or "")


def test_a_camera_can_be_enlarged(page: Page, site: Site) -> None:
    site.camera("gate", name="North Gate", image=picture(3), model="street-n")
    open_page(page, site)
    page.get_by_role("button", name="Enlarge the picture of North Gate").click()
    dialog = page.get_by_role("dialog", name="North Gate")
    expect(dialog).to_contain_text("street-n")
    assert is_painted(page, "#camera img")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


def test_orders_show_what_where_who_and_how_it_looked(page: Page, site: Site) -> None:
    site.order(pictures=EVIDENCE)
    site.order(category="litter", rule_kind="litter", camera_name="Park", zone_name="Path")
    open_page(page, site)
    first = row(page, 1)
    expect(first).to_contain_text("Illegal parking")
    expect(first).to_contain_text("North Gate – North kerb")
    expect(first).to_contain_text("Traffic police")
    expect(first).to_contain_text("Dispatched")
    expect(first).to_contain_text(re.compile(r"\d+ sec ago"))
    assert is_painted(page, ".order img[src*='opened-close']")
    expect(row(page, 2)).to_contain_text("Sanitation")
    numbers = [each.split("#")[1] for each in page.locator(".order-title").all_inner_texts()]
    assert numbers == ["2", "1"]


def test_a_new_order_appears_by_itself(page: Page, site: Site) -> None:
    open_page(page, site)
    expect(page.get_by_text("No work orders yet.")).to_be_visible()
    site.order()
    expect(row(page, 1)).to_be_visible()
    expect(page.get_by_text("No work orders yet.")).to_be_hidden()


def test_an_order_opens_with_evidence_facts_and_history(page: Page, site: Site) -> None:
    site.order(pictures=EVIDENCE, address="1 Market Road")
    open_page(page, site)
    row(page, 1).click()
    dialog = page.get_by_role("dialog", name="Work order 1 · Illegal parking")
    expect(dialog).to_contain_text("1 Market Road")
    expect(dialog).to_contain_text("car, 91% sure")
    expect(dialog.get_by_role("img", name=re.compile("When confirmed"))).to_be_visible()
    assert is_painted(page, "#order figure img")
    dialog.get_by_role("button", name="Confirmed, close-up").click()
    expect(dialog.get_by_role("img", name=re.compile("close-up"))).to_be_visible()
    steps = dialog.locator(".history-what").all_inner_texts()
    assert steps == ["Evidence added", "Evidence added", "Dispatched", "Received"]


def test_an_order_names_the_other_cameras_that_see_its_thing(page: Page, site: Site) -> None:
    site.order(place_id="bay", width_m=1.84)
    site.order(place_id="bay", camera_id="corner", camera_name="Corner")
    open_page(page, site)
    row(page, 1).click()
    dialog = page.get_by_role("dialog", name="Work order 1 · Illegal parking")
    expect(dialog).to_contain_text("Corner · North kerb (Still there)")
    expect(dialog).to_contain_text("1.8 m")
    assert dialog.locator(".history-what").first.inner_text() == "Seen by several cameras"


def test_an_order_tells_its_story_in_pictures_a_film_and_a_signed_list(
    page: Page, site: Site
) -> None:
    shots = {
        name: picture(number)
        for number, name in enumerate(
            ["opened-wide", "latest-wide", "latest-wide-2", "cleared-wide", "first-wide"], start=10
        )
    }
    order = site.order(pictures=shots)
    site.evidence(order["incident_id"], "clip", small_film())
    listed = manifest_of(order["incident_id"], shots, Signer.new())
    site.evidence(order["incident_id"], "manifest", listed)
    open_page(page, site)
    row(page, 1).click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("img", name=re.compile("When confirmed"))).to_be_visible()
    names = [name.strip() for name in dialog.locator(".choice").all_inner_texts()]
    assert names == ["First sight", "When confirmed", "Film", "Latest sight", "When cleared"]
    dialog.get_by_role("button", name="Latest sight").click()
    expect(dialog.locator("figure img")).to_have_attribute("src", re.compile("latest-wide-2$"))
    dialog.get_by_role("button", name="Film").click()
    film = dialog.locator("figure video")
    expect(film).to_have_attribute("src", re.compile("/evidence/clip$"))
    assert becomes_true(page, "s => document.querySelector(s).readyState >= 2", "figure video")
    assert film.evaluate("v => [v.videoWidth, v.videoHeight, v.error]") == [128, 96, None]
    assert float(film.evaluate("v => v.duration")) > 1.5
    with page.expect_download() as download:
        dialog.get_by_role("link", name="Signed list of all files").click()
    assert download.value.path().read_bytes() == listed


def test_the_status_goes_on_through_the_buttons(page: Page, site: Site) -> None:
    order = site.order(pictures=EVIDENCE)
    open_page(page, site)
    row(page, 1).click()
    dialog = page.get_by_role("dialog")
    for button in ("Accept", "Start work", "Mark as resolved", "Verify", "Close the case"):
        dialog.get_by_role("button", name=button, exact=True).click()
        expect(dialog.get_by_role("button", name=button, exact=True)).to_be_hidden()
    expect(dialog).to_contain_text("This work order is finished.")
    expect(dialog.locator(".history-what").first).to_have_text("Closed")
    assert site.read(order["order_id"])["status"] == "closed"
    page.keyboard.press("Escape")
    expect(row(page, 1)).to_contain_text("Closed")
    expect(row(page, 1)).to_be_focused()


def test_a_rejection_needs_a_reason(page: Page, site: Site) -> None:
    order = site.order()
    open_page(page, site)
    row(page, 1).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Reject…").click()
    expect(dialog.get_by_label("Reason for the rejection")).to_be_focused()
    dialog.get_by_role("button", name="Reject with this reason").click()
    expect(dialog).to_contain_text("Please give a reason.")
    assert site.read(order["order_id"])["status"] == "dispatched"
    choice = dialog.get_by_label("Reason for the rejection")
    choice.select_option("other")
    dialog.get_by_role("button", name="Reject with this reason").click()
    expect(dialog).to_contain_text("Please say the reason in words.")
    choice.select_option("false_alarm")
    dialog.get_by_label("In words").fill("False alarm <b>& permit</b>")
    dialog.get_by_role("button", name="Reject with this reason").click()
    expect(dialog.locator("header")).to_contain_text("Rejected")
    expect(dialog.locator("q")).to_have_text("False alarm <b>& permit</b>")
    expect(dialog.locator(".facts")).to_contain_text("False alarm: no such thing there")
    rejected = site.read(order["order_id"])
    assert (rejected["status"], rejected["reason_code"]) == ("rejected", "false_alarm")


def test_who_is_overtaken_by_somebody_else_is_told(page: Page, site: Site) -> None:
    order = site.order()
    open_page(page, site)
    row(page, 1).click()
    resolved = page.get_by_role("dialog").get_by_role("button", name="Mark as resolved")
    expect(resolved).to_be_visible()
    # The page must not hear of the change before it sends its own.
    changes: list[str] = []

    def no_news_before_a_change(route: Route) -> None:
        if route.request.method == "PATCH":
            changes.append(route.request.method)
        if changes:
            route.continue_()
        else:
            route.abort()

    page.route(f"**/work-orders/{order['order_id']}", no_news_before_a_change)
    site.patch(order["order_id"], status="accepted")
    resolved.click()
    expect(page.get_by_role("dialog")).to_contain_text("Somebody else changed this order")
    expect(page.get_by_role("dialog").locator("header")).to_contain_text("Accepted")
    assert site.read(order["order_id"])["status"] == "accepted"


def test_an_order_has_an_address_and_back_closes_it(page: Page, site: Site) -> None:
    order = site.order()
    open_page(page, site)
    page.goto(f"{site.url}/#/orders/{order['order_id']}")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_an_open_order_that_could_not_be_read_recovers(page: Page, site: Site) -> None:
    order = site.order()
    open_page(page, site)
    row(page, 1).click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Accept", exact=True)).to_be_visible()
    page.route(f"**/work-orders/{order['order_id']}", lambda route: route.abort())
    expect(dialog).to_contain_text("The dispatch service does not answer.")
    page.unroute_all()
    site.patch(order["order_id"], status="accepted")
    expect(dialog.locator("header")).to_contain_text("Accepted")
    expect(dialog).not_to_contain_text("The dispatch service does not answer.")


def test_an_order_that_does_not_exist_is_said_to(page: Page, site: Site) -> None:
    open_page(page, site)
    page.goto(f"{site.url}/#/orders/00000000-0000-0000-0000-000000000000")
    expect(page.get_by_role("dialog")).to_contain_text("There is no such work order.")


def test_older_orders_are_a_button_away(page: Page, site: Site) -> None:
    for _ in range(32):
        site.order()
    open_page(page, site)
    expect(page.locator(".order")).to_have_count(30)
    page.get_by_role("button", name="Show older ones").click()
    expect(page.locator(".order")).to_have_count(32)
    expect(page.get_by_role("button", name="Show older ones")).to_be_hidden()


def test_chinese_can_be_chosen_and_is_remembered(page: Page, site: Site) -> None:
    site.camera("gate", name="North Gate")
    site.order()
    open_page(page, site)
    page.get_by_role("button", name="中文").click()
    expect(page.get_by_role("heading", name="最新工单")).to_be_visible()
    expect(page.locator(".order").first).to_contain_text("机动车乱停放")
    expect(page.locator(".order").first).to_contain_text("交警大队")
    expect(page.locator("[data-camera=gate]")).to_contain_text("在线")
    assert page.get_attribute("html", "lang") == "zh-CN"
    page.reload()
    expect(page.get_by_role("heading", name="最新工单")).to_be_visible()
    expect(page.get_by_role("button", name="中文")).to_have_attribute("aria-pressed", "true")


def test_both_languages_have_all_words(page: Page, site: Site) -> None:
    page.goto(site.url)
    for file in ("words.js", "words_pages.js"):
        words = page.evaluate(f"fetch('{file}').then(answer => answer.text())")
        tables = re.findall(r"^  (en|zh): \{(.*?)^  \},", words, re.MULTILINE | re.DOTALL)
        keys = {name: set(re.findall(r'(?:^|\s)"?([\w-]+)"?: "', table)) for name, table in tables}
        assert len(keys["en"]) > 80
        assert keys["en"] == keys["zh"]


def test_a_silent_service_is_said_to_be_silent_and_is_found_again(page: Page, site: Site) -> None:
    site.order()
    open_page(page, site)
    page.route("**/api/v1/**", lambda route: route.abort())
    expect(page.get_by_role("alert").first).to_contain_text("The dispatch service does not answer")
    expect(page.locator("#live")).to_have_text("Not up to date")
    expect(row(page, 1)).to_be_visible()
    page.unroute_all()
    expect(page.locator("#live")).to_have_text("Live", timeout=20_000)
    expect(page.locator("#alert")).to_be_hidden()


def test_a_session_that_ended_asks_for_the_key_again(
    page: Page, site: Site, context: BrowserContext
) -> None:
    open_page(page, site)
    context.clear_cookies()
    expect(page.locator("#sign-in-error")).to_have_text(
        "Your session has ended. Please sign in again."
    )


def test_names_from_outside_are_text_and_never_markup(page: Page, site: Site) -> None:
    attack = "<img src=x onerror=document.title='owned'>"
    site.camera("gate", name=attack, state="offline", last_error=attack)
    site.order(camera_name=attack, zone_name=attack, address=attack, label=attack[:50])
    open_page(page, site)
    expect(page.locator("[data-camera=gate] h3")).to_have_text(attack)
    row(page, 1).click()
    expect(page.get_by_role("dialog")).to_contain_text(attack)
    assert page.title() == "Streetwarden"
    assert page.locator("img[src=x]").count() == 0


def test_the_policy_of_the_page_forbids_foreign_and_inline_code(page: Page, site: Site) -> None:
    answer = page.goto(site.url)
    assert answer is not None
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert page.locator("script:not([src]), style, [style], [onclick]").count() == 0


def test_everything_can_be_done_with_the_keyboard(page: Page, site: Site) -> None:
    order = site.order()
    open_page(page, site)
    expect(row(page, 1)).to_be_visible()
    for _ in range(12):
        page.keyboard.press("Tab")
        if "order" in (page.evaluate("document.activeElement.className") or ""):
            break
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    expect(page.get_by_role("button", name="Accept", exact=True)).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog").locator("header")).to_contain_text("Accepted")
    assert site.read(order["order_id"])["status"] == "accepted"


@pytest.mark.parametrize("width", [360, 800, 1600])
def test_nothing_is_wider_than_the_screen(page: Page, site: Site, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    site.camera("gate", name="A camera with a rather long name at the corner of two streets")
    site.order(camera_name="x" * 80)
    open_page(page, site)
    expect(row(page, 1)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    row(page, 1).click()
    expect(page.get_by_role("button", name="Accept", exact=True)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
