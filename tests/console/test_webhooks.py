"""The page's view of the webhooks, in a real browser, with receivers that fail and recover."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from service.cli.serve import build_app
from service.decisions.access import Role
from service.delivery.post import Poster
from service.delivery.worker import DeliverySettings
from tests.support.dispatch import KEYS, Service, migrated, running_service, wait_for
from tests.support.receiver import Handler, Hook, receiver

pytestmark = pytest.mark.needs_debian

SUBSCRIPTIONS = "/api/v1/subscriptions"


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    settings = DeliverySettings(poll_s=0.05, retry_scale=0)
    make = partial(build_app, poster=Poster(allow_private=True, timeout_s=3), settings=settings)
    now = partial(datetime.now, UTC)
    with (
        migrated("sqlite", tmp_path) as database,
        running_service(database, tmp_path, make, now) as service,
    ):
        yield service


def open_webhooks(page: Page, service: Service) -> None:
    page.goto(f"{service.url}/#key={KEYS[Role.ADMIN]}")
    page.get_by_role("button", name="Webhooks").click()
    expect(page.get_by_role("dialog", name="Webhooks")).to_be_visible()


def test_what_was_given_up_is_seen_tried_and_sent_again(page: Page, service: Service) -> None:
    broken = threading.Event()
    broken.set()

    def answer(handler: Handler, _hook: Hook) -> None:
        handler.reply(404 if broken.is_set() else 204, body=b"not here" if broken.is_set() else b"")

    with receiver(answer) as hooks:
        body = {"url": hooks.url, "description": "City app"}
        made = service.client.post(SUBSCRIPTIONS, json=body).json()
        path = f"{SUBSCRIPTIONS}/{made['subscription_id']}"
        for _ in range(2):
            service.post_order()
        wait_for(lambda: service.client.get(path).json()["dead"] == 2)

        open_webhooks(page, service)
        card = page.locator(f"[data-hook='{made['subscription_id']}']")
        expect(card).to_contain_text("City app")
        expect(card).to_contain_text("Failing")
        expect(card).to_contain_text("Given up2")
        card.get_by_role("button", name="Show deliveries").click()
        expect(card.locator(".delivery")).to_have_count(2)
        expect(card.locator(".delivery").first).to_contain_text("HTTP 404")
        card.get_by_role("button", name="Attempts: 10").first.click()
        expect(card.locator(".attempts li")).to_have_count(10)
        expect(card.locator(".attempts")).to_contain_text("not here")
        card.get_by_role("button", name="Test").click()
        expect(page.locator("#webhooks .message")).to_contain_text("did not arrive: HTTP 404")

        broken.clear()
        card.get_by_role("button", name="Send again").first.click()
        expect(card.get_by_role("button", name=re.compile("Send all 1 again"))).to_be_visible()
        card.get_by_role("button", name=re.compile("Send all 1 again")).click()
        expect(card).to_contain_text("Given up0")
        expect(card).to_contain_text("Working")
        expect(card.locator(".hook-delivered")).to_have_count(2)
        card.get_by_role("button", name="Test").click()
        expect(page.locator("#webhooks .message")).to_contain_text("answered 204")


def test_a_disabled_webhook_says_why_and_is_switched_on(page: Page, service: Service) -> None:
    gone = threading.Event()
    gone.set()
    with receiver(lambda handler, _hook: handler.reply(410 if gone.is_set() else 204)) as hooks:
        made = service.client.post(SUBSCRIPTIONS, json={"url": hooks.url}).json()
        path = f"{SUBSCRIPTIONS}/{made['subscription_id']}"
        service.post_order()
        wait_for(lambda: not service.client.get(path).json()["active"])
        gone.clear()

        open_webhooks(page, service)
        card = page.locator(f"[data-hook='{made['subscription_id']}']")
        expect(card).to_contain_text("410 Gone")
        page.keyboard.press("Escape")
        page.get_by_role("button", name="中文").click()
        page.get_by_role("button", name="Webhook 推送").click()
        expect(card).to_contain_text("已停用")
        card.get_by_role("button", name="重新启用").click()
        expect(card).to_contain_text("正常")
        expect(card.get_by_role("button", name="重新启用")).to_have_count(0)


def test_without_webhooks_it_says_so(page: Page, service: Service) -> None:
    open_webhooks(page, service)

    expect(page.get_by_text("Nobody has asked for webhooks yet.")).to_be_visible()
    assert page.url.endswith("#/webhooks")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Webhooks")).to_be_hidden()
    expect(page).not_to_have_url(re.compile("#/webhooks$"))
