"""On a phone nothing is clipped, an alert can be closed, and the browser runs no script but ours."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.pipeline.page.conftest import Served

OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
CLIPPED = (
    "[...document.querySelectorAll('.tile, .figure, .part, .download, #as-of')]"
    ".filter(one => one.getBoundingClientRect().right > window.innerWidth).map(one => one.textContent)"
)


@pytest.mark.parametrize("width", [390, 360, 600])
def test_nothing_is_clipped_and_an_alert_can_be_closed(served: Served, visit: Callable[..., Page], width: int) -> None:
    page = visit(served.url, ViewportSize(width=width, height=844))
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    row = page.locator(".ag-row .ag-cell[col-id=product]").first
    row.click()
    close = page.locator(".mantine-Drawer-close")
    expect(close).to_be_in_viewport()
    assert page.evaluate(OVERFLOW) == 0
    close.click()
    expect(close).to_be_hidden()
    assert page.evaluate(OVERFLOW) == 0
    assert page.evaluate(CLIPPED) == []
    assert complaints == []
