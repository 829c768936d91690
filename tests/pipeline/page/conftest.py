"""A browser, and the page of a small shop served to it."""

import logging
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Locator,
    Page,
    Playwright,
    ViewportSize,
    expect,
    sync_playwright,
)
from werkzeug.serving import make_server

from pipeline.page.app import make_app
from pipeline.page.context import Context
from pipeline.settings import Settings
from pipeline.workspace import Workspace
from tests.pipeline.page.shop import NIGHT, Shop, open_shop

# Nine in the morning of the latest night, in the shop's time zone.
MORNING = datetime(NIGHT.year, NIGHT.month, NIGHT.day, 8, tzinfo=UTC)
# A busy machine is no reason to fail.
PATIENCE = 60_000
expect.set_options(timeout=PATIENCE)
DESKTOP: ViewportSize = {"width": 1440, "height": 900}
TEN_INCHES: ViewportSize = {"width": 1024, "height": 768}


def open_row(cell: Locator, shown: Locator) -> None:
    """Click a cell until what it opens is there: a click while the grid draws its rows anew is lost, and repeated."""
    for _ in range(5):
        cell.click()
        with suppress(AssertionError):
            expect(shown).to_be_visible(timeout=PATIENCE / 5)
            return
    expect(shown).to_be_visible()


@dataclass(frozen=True)
class Served:
    """A page that answers at `url` about `shop`."""

    url: str
    shop: Shop


def chromium(playwright: Playwright) -> Browser:
    """Debian's Chromium, without a window."""
    program = shutil.which("chromium")
    if program is None:
        raise FileNotFoundError("chromium is not installed: install Debian's package chromium")
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
    return playwright.chromium.launch(executable_path=program, args=arguments)


@pytest.fixture(scope="session")
def browser() -> Iterator[BrowserContext]:
    """One browser for all tests; what it has fetched stays, cookies and storage do not."""
    with sync_playwright() as playwright:
        started = chromium(playwright)
        yield started.new_context(accept_downloads=True, locale="en-GB", reduced_motion="reduce")
        started.close()


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """A published shop that no test changes."""
    return open_shop(Settings(data_dir=tmp_path_factory.mktemp("shop")))


@pytest.fixture
def shop(template: Shop, settings: Settings) -> Shop:
    """A copy of the published shop, of the test's own."""
    shutil.copytree(template.settings.data_dir, settings.data_dir, dirs_exist_ok=True)
    return replace(template, settings=settings, workspace=Workspace.of(settings, "shop"))


class Stage:
    """One address for all pages, one after the other: what the browser has fetched and compiled once stays with it."""

    def __init__(self) -> None:
        self.app: WSGIApplication | None = None
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._server = make_server("127.0.0.1", 0, self._answer, threaded=True)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def _answer(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        assert self.app is not None, "a page that is no longer shown asks for something"
        return self.app(environ, start_response)


@cache
def stage() -> Stage:
    """The one of this process."""
    return Stage()


@contextmanager
def serving(settings: Settings, now: datetime = MORNING) -> Iterator[str]:
    """The address of a page, served from a thread; `now` is what its clock shows. One page at a time."""
    context = Context(settings, lambda: now)
    assert stage().app is None, "one page at a time"
    stage().app = make_app(context).server
    try:
        yield stage().url
    finally:
        stage().app = None
        context.engine.dispose()


@pytest.fixture
def served(shop: Shop) -> Iterator[Served]:
    """The page of the shop."""
    with serving(shop.settings) as url:
        yield Served(url, shop)


@pytest.fixture
def visit(browser: BrowserContext) -> Iterator[Callable[..., Page]]:
    """Open an address in a tab of its own; an error on a page's console fails the test."""
    with ExitStack() as stack:
        complaints: list[str] = []
        browser.clear_cookies()

        def open_page(url: str, size: ViewportSize = DESKTOP) -> Page:
            page = browser.new_page()
            stack.callback(page.close)
            page.set_viewport_size(size)
            page.set_default_timeout(PATIENCE)
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.goto(url)
            return page

        yield open_page
        assert complaints == []
