"""Keys, users, statistics and citizens' reports in a real browser, against the real service."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.console.site import ADMIN_KEY, Site

pytestmark = pytest.mark.needs_debian

BIN = {"label": "overflowing_bin", "confidence": 0.71, "box_xyxy": [40, 40, 160, 170]}


def open_at(page: Page, site: Site, address: str) -> Locator:
    """The page of an address, as an administrator."""
    page.goto(f"{site.url}/#key={ADMIN_KEY}")
    expect(page.get_by_role("heading", name="Newest work orders")).to_be_visible()
    page.goto(f"{site.url}/{address}")
    dialog = page.locator("dialog[open]")
    expect(dialog).to_be_visible()
    return dialog


def signs_in(site: Site, **body: Any) -> bool:
    headers = {"Sec-Fetch-Site": "same-origin"}
    return httpx.post(f"{site.url}/api/v1/session", json=body, headers=headers).status_code == 201


def test_a_key_is_made_replaced_and_revoked_and_shown_once(page: Page, site: Site) -> None:
    dialog = open_at(page, site, "#/keys")
    dialog.get_by_label("Name: which program").fill("city app")
    dialog.get_by_label("Role").select_option("viewer")
    dialog.get_by_role("checkbox", name="Traffic police").check()
    dialog.get_by_role("button", name="Make key").click()
    first = dialog.locator(".secret").inner_text()
    expect(dialog.locator(".message")).to_have_text("Key city app was made.")
    expect(dialog.get_by_role("button", name="Copy")).to_be_focused()
    assert signs_in(site, api_key=first)
    card = dialog.locator("[data-key='city app']")
    expect(card).to_contain_text("Viewer")
    expect(card).to_contain_text("Traffic police")

    card.get_by_role("button", name="Replace").click()
    expect(dialog.locator(".message")).to_contain_text("The old one is valid until")
    expect(dialog.locator(".secret")).not_to_have_text(first)
    second = dialog.locator(".secret").inner_text()
    dialog.get_by_role("button", name="I have kept it").click()
    expect(dialog.locator(".secret")).to_have_count(0)

    card.get_by_role("button", name="Revoke").click()
    expect(card.get_by_role("button", name="Cancel")).to_be_focused()
    card.get_by_role("button", name="Revoke now").click()
    expect(card.locator(".pill")).to_have_text("Revoked")
    assert not signs_in(site, api_key=second)


def test_a_secret_is_gone_when_the_page_is_opened_again(page: Page, site: Site) -> None:
    dialog = open_at(page, site, "#/keys")
    dialog.get_by_label("Name: which program").fill("app")
    page.keyboard.press("Enter")
    expect(dialog.locator(".secret")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Keys")).to_be_focused()
    page.keyboard.press("Enter")
    expect(dialog.locator("[data-key=app]")).to_be_visible()
    expect(dialog.locator(".secret")).to_have_count(0)


def test_a_user_is_made_changed_given_a_password_and_disabled(page: Page, site: Site) -> None:
    dialog = open_at(page, site, "#/users")
    dialog.get_by_label("Name", exact=True).fill("Li Wei")
    dialog.get_by_label("Role").select_option("crew")
    dialog.get_by_role("button", name="Add user").click()
    expect(dialog.locator(".message.bad")).to_contain_text("needs at least one department")
    dialog.get_by_role("checkbox", name="Sanitation").check()
    dialog.get_by_role("button", name="Add user").click()
    first = dialog.locator(".secret").inner_text()
    assert signs_in(site, name="li wei", password=first)
    card = dialog.locator("[data-user='Li Wei']")

    card.get_by_role("button", name="Change role").click()
    expect(card.get_by_label("Role")).to_be_focused()
    card.get_by_label("Role").select_option("dispatcher")
    card.get_by_role("checkbox", name="Sanitation").uncheck()
    card.get_by_role("button", name="Save").click()
    expect(card).to_contain_text("Dispatcher")
    expect(card).to_contain_text("Whole city")

    card.get_by_role("button", name="New password").click()
    card.get_by_role("button", name="Make a new password now").click()
    expect(dialog.locator(".message")).to_contain_text("was signed out")
    expect(dialog.locator(".secret")).not_to_have_text(first)
    second = dialog.locator(".secret").inner_text()
    card.get_by_role("button", name="Disable").click()
    card.get_by_role("button", name="Disable now").click()
    expect(card.locator(".pill")).to_have_text("Disabled")
    assert not signs_in(site, name="Li Wei", password=second)


def test_only_administrators_are_offered_keys_and_users(page: Page, site: Site) -> None:
    site.user("Wang Fang", "viewer", "traffic", "correct horse battery")
    page.goto(site.url)
    page.get_by_label("Name").fill("Wang Fang")
    page.get_by_label("Password").fill("correct horse battery")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Statistics")).to_be_visible()
    for name in ("Webhooks", "Keys", "Users"):
        expect(page.get_by_role("button", name=name, exact=True)).to_be_hidden()
    page.goto(f"{site.url}/#/keys")
    expect(page.locator("#keys .message")).to_have_text("Only administrators may see this.")


def test_statistics_count_what_is_asked_for(page: Page, site: Site) -> None:
    site.camera("gate", name="North Gate")
    for _ in range(2):
        order = site.order()
        site.patch(order["order_id"], status="resolved")
    wrong = site.order()
    site.patch(wrong["order_id"], status="rejected", reason_code="false_alarm")
    site.order(category="litter", rule_kind="litter", rule_id="litter")
    dialog = open_at(page, site, "#/statistics")

    expect(dialog.locator("[data-figure=totalOrders] dd")).to_have_text("4")
    expect(dialog.locator("[data-chart=byCategory] [data-row=illegal_parking]")).to_contain_text(
        re.compile(r"Illegal parking\s*3")
    )
    expect(dialog.locator("[data-chart=byStatus] [data-row=resolved]")).to_contain_text("2")
    expect(dialog.locator("[data-chart=load] [data-row=sanitation]")).to_contain_text("Sanitation")
    expect(dialog.locator("[data-chart=precision] tbody tr")).to_contain_text("67%")
    expect(dialog.locator("[data-chart=perDay] rect")).to_have_count(30)
    strip = dialog.get_by_role("img", name=re.compile("North Gate – kerb: 4, "))
    expect(strip.locator("rect")).to_have_count(24)
    expect(strip.locator(".heat-5")).to_have_count(1)

    dialog.get_by_role("button", name="Litter").click()
    expect(dialog.locator("[data-figure=totalOrders] dd")).to_have_text("1")
    expect(dialog.get_by_label("Category")).to_have_value("litter")
    dialog.get_by_label("Time").select_option("7")
    expect(dialog.locator("[data-chart=perDay] rect")).to_have_count(7)


def test_a_suggestion_is_accepted_with_one_click(page: Page, site: Site) -> None:
    near = site.order(
        category="overflowing_bin",
        rule_kind="overflowing_bin",
        latitude=31.2305,
        longitude=121.4737,
    )
    order_id = site.report([BIN])
    dialog = open_at(page, site, f"#/orders/{order_id}")

    report = dialog.locator(".report")
    expect(report).to_contain_text("Suggested category: Overflowing bin (71%)")
    expect(report).to_contain_text("11 m away")
    link = report.get_by_role("link", name=re.compile(f"Work order {near['number']} "))
    expect(link).to_be_visible()
    expect(dialog.locator(".facts.wide")).to_contain_text("please come")
    expect(dialog.locator(".facts.wide")).not_to_contain_text("Threshold")
    expect(dialog.locator("figcaption")).to_contain_text("Citizen's photo")
    report.get_by_role("button", name="Change to Overflowing bin").click()

    expect(dialog.get_by_role("heading", level=2)).to_contain_text("Overflowing bin")
    expect(report).to_contain_text("That fits what was reported")
    assert site.read(order_id)["category"] == "overflowing_bin"


def test_a_photo_that_waits_is_said_to_wait(page: Page, site: Site) -> None:
    dialog = open_at(page, site, f"#/orders/{site.report()}")
    expect(dialog.locator(".report")).to_contain_text("The photo waits for the detector")
    expect(dialog.locator("figure")).to_have_count(0)


def test_an_order_is_marked_as_a_duplicate_of_a_chosen_one(page: Page, site: Site) -> None:
    first = site.order(zone_name="First kerb")
    site.order(category="litter", rule_kind="litter")
    second = site.order(camera_id="hall", zone_id="square")
    dialog = open_at(page, site, f"#/orders/{second['order_id']}")
    dialog.get_by_role("button", name="Duplicate of…").click()
    choice = dialog.get_by_label("Which order does it repeat?")
    expect(choice).to_be_focused()
    expect(choice.locator("option")).to_have_count(2)
    expect(choice.locator("option").nth(1)).to_contain_text("First kerb")
    choice.select_option(first["order_id"])
    dialog.get_by_role("button", name="Mark as duplicate").click()
    expect(dialog.locator("header")).to_contain_text("Duplicate")
    assert site.read(second["order_id"])["duplicate_of"] == first["order_id"]


def test_pages_fit_a_telephone_and_speak_chinese(browser: Browser, site: Site) -> None:
    order_id = site.report([BIN])
    context = browser.new_context(locale="zh-CN", viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto(f"{site.url}/#key={ADMIN_KEY}")
    expect(page.get_by_role("button", name="统计")).to_be_visible()
    wanted = {"#/statistics": "每日工单", "#/keys": "新建密钥", "#/users": "新建用户"}
    for address, heading in {**wanted, f"#/orders/{order_id}": "市民照片"}.items():
        page.goto(f"{site.url}/{address}")
        dialog = page.locator("dialog[open]")
        expect(dialog.get_by_role("heading", name=heading)).to_be_visible()
        width = "d => Math.max(d.scrollWidth - d.clientWidth, document.body.scrollWidth - 390)"
        assert dialog.evaluate(width) <= 0, address
    context.close()
