"""axe-core on a page, and what it cannot see: the right page, its landmarks, no sideways scrolling."""

from functools import cache
from importlib.resources import files

from playwright.sync_api import Page

IGNORED = {
    # Gradients that axe cannot measure are reported as incomplete, never as violations; nothing is silenced here.
}


_TOO_WIDE = """() => document.documentElement.scrollWidth <= window.innerWidth ? [] :
    ["trop large", ...[...document.querySelectorAll("body *")]
        .filter(e => !e.closest(".fr-table__container") && e.getBoundingClientRect().right > window.innerWidth)
        .map(e => e.outerHTML.slice(0, 150))]"""


@cache
def _axe() -> str:
    return files("axe_playwright_python").joinpath("axe.min.js").read_text()


def check(page: Page) -> None:
    """Fail on any violation of axe-core, a missing title or heading, or a page wider than its window.

    The page has been waited for: after a click, an ``expect`` of what only the new page says comes before.
    """
    page.wait_for_load_state()
    page.evaluate(_axe())
    violations = page.evaluate("axe.run().then(results => results.violations)")
    found = [
        f"{violation['id']} ({violation['impact']}): {violation['help']}\n    "
        + "\n    ".join(node["html"][:200] for node in violation["nodes"][:3])
        for violation in violations
        if violation["id"] not in IGNORED
    ]
    assert found == [], page.url + "\n" + "\n".join(found)
    assert page.locator("h1").count() == 1, page.url
    assert page.title().count(" – ") >= 1, page.title()
    assert page.evaluate(_TOO_WIDE) == [], page.url
    for landmark in ("banner", "main", "contentinfo"):
        assert page.get_by_role(landmark).count() == 1, (page.url, landmark)
