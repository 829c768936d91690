"""A browser, and the page of a small shop served to it."""

import logging
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect, sync_playwright
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
DESKTOP = {"width": 1440, "height": 900}
TEN_INCHES = {"width": 1024, "height": 768}


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
def browser() -> Iterator[Browser]:
    """One browser for all tests."""
    with sync_playwright() as playwright:
        started = chromium(playwright)
        yield started
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


@contextmanager
def serving(settings: Settings, now: datetime = MORNING) -> Iterator[str]:
    """The address of a page, served from a thread; `now` is what its clock shows."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    context = Context(settings, lambda: now)
    server = make_server("127.0.0.1", 0, make_app(context).server, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        context.engine.dispose()


@pytest.fixture
def served(shop: Shop) -> Iterator[Served]:
    """The page of the shop."""
    with serving(shop.settings) as url:
        yield Served(url, shop)


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Open an address in a browser of its own (cookies included); an error on the page's console fails the test."""
    with ExitStack() as stack:
        complaints: list[str] = []

        def open_page(url: str, size: dict[str, int] = DESKTOP) -> Page:
            context = browser.new_context(viewport=size, accept_downloads=True, locale="en-GB", reduced_motion="reduce")  # type: ignore[arg-type]
            stack.callback(context.close)
            page = context.new_page()
            page.set_default_timeout(PATIENCE)
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.goto(url)
            return page

        yield open_page
        assert complaints == []
