"""On a phone nothing is clipped, an alert can be closed, and the browser runs no script but ours."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from pipeline.page.pictures import address
from pipeline.settings import Settings
from pipeline.workspace import Workspace
from tests.pipeline.page.conftest import Served, open_row, serving
from tests.pipeline.style_tables import HASHES, publish_styles

OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
CLIPPED = (
    "[...document.querySelectorAll('.tile, .figure, .part, .download, #as-of, .picture, .tools input, section')]"
    ".filter(one => one.getBoundingClientRect().right > window.innerWidth).map(one => one.textContent)"
)


@pytest.mark.parametrize("width", [390, 360, 600])
def test_nothing_is_clipped_and_an_alert_can_be_closed(served: Served, visit: Callable[..., Page], width: int) -> None:
    page = visit(served.url, ViewportSize(width=width, height=844))
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    row = page.locator(".ag-row .ag-cell[col-id=product]").first
    close = page.locator(".mantine-Drawer-close")
    open_row(row, close)
    expect(close).to_be_in_viewport()
    assert page.evaluate(OVERFLOW) == 0
    close.click()
    expect(close).to_be_hidden()
    assert page.evaluate(OVERFLOW) == 0
    assert page.evaluate(CLIPPED) == []
    assert complaints == []


@pytest.mark.parametrize("width", [390, 1440])
def test_style_fits_its_screen(settings: Settings, visit: Callable[..., Page], width: int) -> None:
    """On a phone both sides stand one below the other; on a desk they stand side by side."""
    workspace = Workspace.of(settings, "shop")
    publish_styles(workspace)
    with serving(settings) as url:
        page = visit(url + "/style", ViewportSize(width=width, height=844))
        customer = page.locator("#style-customer")
        customer.fill("bert")
        customer.press("Tab")  # closes the list of names
        shown = page.locator("#style-customer-shown")
        bought, ranked = shown.locator("section").first, shown.locator("section").last
        expect(bought.locator(f'img[src$="{address("shop", HASHES["blue"])}"]')).to_be_visible()
        ranked.get_by_text("violet").click()
        alike = page.locator("#style-alike")
        expect(alike).to_contain_text("Like violet")
        left, right = bought.bounding_box(), ranked.bounding_box()
        assert left is not None
        assert right is not None
        if width < 700:
            assert right["y"] >= left["y"] + left["height"]
            assert left["width"] > 0.85 * width
        else:
            assert right["x"] >= left["x"] + left["width"]
        assert page.evaluate(OVERFLOW) == 0
        assert page.evaluate(CLIPPED) == []
        alike.scroll_into_view_if_needed()
        expect(alike).to_be_in_viewport()
        page.locator("#style-new").scroll_into_view_if_needed()
        expect(page.locator("#style-new")).to_contain_text("whom to show it to")
