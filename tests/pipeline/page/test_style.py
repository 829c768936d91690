"""The part Style, without a browser, and the route of pictures: only pictures of articles leave, and small ones."""

import io
from datetime import date

import pytest
from flask.testing import FlaskClient
from PIL import Image

from pipeline.erasure.erase import of_customer, without
from pipeline.lake.rewrite import rewrite
from pipeline.page.app import make_app
from pipeline.page.context import Context
from pipeline.page.frame import STYLE, header
from pipeline.page.morning import Morning
from pipeline.page.pictures import SIDE, address
from pipeline.page.style import StylePage, alike_shown, customer_shown, has_styles, new_shown
from pipeline.settings import Settings
from pipeline.tables.styles import STYLE_RANKINGS, STYLES
from pipeline.workspace import Workspace
from tests.pipeline.style_tables import HASHES, publish_styles

MORNING = Morning("fashion", date(2026, 3, 1), "run1", date(2026, 3, 1), None)


@pytest.fixture
def shop(settings: Settings) -> Workspace:
    workspace = Workspace.of(settings, "fashion")
    publish_styles(workspace)
    return workspace


@pytest.fixture
def client(shop: Workspace, settings: Settings) -> FlaskClient:
    return make_app(Context(settings)).server.test_client()


def test_the_link_stands_only_where_something_was_ranked(settings: Settings) -> None:
    context = Context(settings)
    assert not has_styles(context, "fashion")
    assert "larder run styles" in str(StylePage().layout(context, MORNING))
    assert "Style" not in str(header("/", MORNING, ["fashion"]))
    assert "Style" in str(header("/", MORNING, ["fashion"], optional=frozenset({STYLE})))


def test_a_customer_sees_purchases_before_the_night_beside_the_ranking(shop: Workspace) -> None:
    shown = str(customer_shown(shop.lake, "fashion", "bert", None))
    bought, ranked = shown.split("To show next")
    assert address("fashion", HASHES["blue"]) in bought
    assert "grey" not in bought, "it was bought on the business date"
    assert ranked.index("'blue'") < ranked.index("'violet'") < ranked.index("'red'")
    assert "nothing in store" in str(customer_shown(shop.lake, "fashion", "bert", "no such category"))
    assert "no customer" in str(customer_shown(shop.lake, "fashion", "<b>", None))


def test_a_list_is_diverse_where_the_setting_says_so(shop: Workspace) -> None:
    """Violet is liked more than red, and is more like blue, which stands first."""
    shown = str(customer_shown(shop.lake, "fashion", "bert", None, 0.9)).split("To show next")[1]
    assert shown.index("'blue'") < shown.index("'red'") < shown.index("'violet'")


def test_new_articles_name_who_would_want_them(shop: Workspace) -> None:
    shown = str(new_shown(shop.lake, "fashion", None))
    assert "'violet'" in shown
    assert "'red'" not in shown
    assert "anna, bert, cold" in shown
    assert "no picture" in shown
    assert "No article" in str(new_shown(shop.lake, "fashion", "no such category"))


def test_articles_that_are_alike(shop: Workspace) -> None:
    assert "gone" in str(alike_shown(shop.lake, "fashion", "red"))
    assert "has no article" in str(alike_shown(shop.lake, "fashion", "nothing"))


def test_an_erased_customer_is_gone_with_the_next_request(shop: Workspace) -> None:
    assert "anna, bert" in str(new_shown(shop.lake, "fashion", None))
    for table in (STYLES, STYLE_RANKINGS):
        mine = of_customer(table, ["anna"])
        assert mine is not None
        assert rewrite(shop.lake, table.name, mine, without(mine)) == {"run1": 1 if table is STYLES else 2}
    assert "anna" not in str(new_shown(shop.lake, "fashion", None))
    assert "no customer 'anna'" in str(customer_shown(shop.lake, "fashion", "anna", None))


def test_a_picture_is_made_anew_and_small(client: FlaskClient, shop: Workspace) -> None:
    Image.new("RGB", (3000, 2000), "red").save(shop.raw / "images" / "red.png")
    answer = client.get(address("fashion", HASHES["red"]))
    assert answer.status_code == 200
    assert answer.mimetype == "image/jpeg"
    assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
    assert Image.open(io.BytesIO(answer.data)).size == (SIDE, SIDE)


def test_nothing_but_pictures_of_articles_is_served(client: FlaskClient, shop: Workspace) -> None:
    outside = shop.root.parent / "secret.png"
    Image.new("RGB", (40, 40), "red").save(outside)
    (shop.raw / "images" / "blue.png").unlink()
    (shop.raw / "images" / "blue.png").symlink_to(outside)
    (shop.raw / "images" / "red.png").write_text("no picture")
    for path in (
        address("fashion", HASHES["blue"]),
        address("fashion", HASHES["red"]),
        address("fashion", "c" * 64),
        address("fashion", "../articles"),
        address("fashion", "..%2f..%2fsecret"),
        address("..", HASHES["red"]),
        address("%2e%2e", HASHES["red"]),
        address("nothing", HASHES["red"]),
    ):
        answer = client.get(path)
        # What no route knows is the page itself.
        assert answer.status_code == 404 or answer.mimetype == "text/html", path
        assert not answer.data.startswith((b"\xff\xd8", b"\x89PNG")), path
