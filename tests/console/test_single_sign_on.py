from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page, expect

from tests.console.site import Site
from tests.oidc.town import running_town


def test_the_button_leads_to_the_provider_and_back_into_the_page(
    page: Page, tmp_path: Path
) -> None:
    with running_town(tmp_path) as town:
        page.goto(town.service.url)
        page.get_by_role("link", name="City login").click()
        expect(page.locator("#main")).to_be_visible()
        expect(page.locator("#who")).to_contain_text("Li Wei")


def test_without_a_provider_there_is_no_button(page: Page, site: Site) -> None:
    page.goto(site.url)
    expect(page.locator("#sign-in-form")).to_be_visible()
    expect(page.locator("#sign-in-elsewhere")).to_be_hidden()
