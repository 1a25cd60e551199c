"""A real Chromium on the running product. ``visite`` is a page of it, logged out, that fails on any script error."""

import os

import pytest
from django.db import connection
from playwright.sync_api import Page, expect, sync_playwright

from tests.chromium import executable
from tests.installation import DEADLINE

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
]


# Playwright drives the browser from an event loop in this thread; Django sees it and refuses queries without this.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

PATIENCE = 1_000 * DEADLINE
"""Milliseconds, instead of the five seconds of Playwright, which a busy machine may need for one page."""
expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="session")
def chromium():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=ARGUMENTS)
        yield browser
        browser.close()
        # While its event loop lives, this thread has another connection than before and after.
        connection.close()


@pytest.fixture
def ouvrir(chromium, site, base_reelle):
    """Open a page: ``ouvrir(width=320, dark=True, javascript=False)``. Errors of the console fail the test.

    ``status`` is the one of a refused page that the test visits on purpose: browsers write it on the console.
    The pages are closed before the rows that they may ask for again are gone.
    """
    contexts, errors = [], []

    def keep(message, expected):
        if message.type == "error" and expected not in message.text:
            errors.append(message.text)

    def open_page(*, width: int = 1280, dark: bool = False, javascript: bool = True, status: int = 0) -> Page:
        context = chromium.new_context(
            base_url=site.url,
            viewport={"width": width, "height": 900},
            color_scheme="dark" if dark else "light",
            locale="fr-FR",
            java_script_enabled=javascript,
        )
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: keep(message, f"status of {status} ("))
        page.on("pageerror", lambda error: errors.append(str(error)))
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert errors == []


@pytest.fixture
def visite(ouvrir):
    return ouvrir()


def connect(page: Page, courriel: str, password: str) -> None:
    page.goto("/connexion/")
    page.get_by_label("Adresse courriel").fill(courriel)
    page.get_by_label("Mot de passe").fill(password)
    press(page, "Se connecter")


def follow(page: Page, link: str) -> None:
    """Click a link and wait until the page that it opens is there: what comes next is not about the one it leaves."""
    with page.expect_navigation():
        page.get_by_role("link", name=link, exact=True).first.click()


def press(page: Page, button: str) -> None:
    """The same with the button of a form."""
    with page.expect_navigation():
        page.get_by_role("button", name=button, exact=True).first.click()
