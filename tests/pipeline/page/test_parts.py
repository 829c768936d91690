"""Segments, model quality, and a page whose database user may only read: without a browser, from what is rendered."""

from datetime import date, timedelta

import psycopg
import pytest
from sqlalchemy import make_url

from pipeline.evaluation.gate import Rule, Verdict
from pipeline.evaluation.scorecard import CANDIDATE, CHAMPION, Scorecard, Window
from pipeline.page.acts import act
from pipeline.page.app import GRID_CODE, make_app
from pipeline.page.context import Context
from pipeline.page.morning import Morning
from pipeline.page.quality import QualityPage, quality_figure, read_nights
from pipeline.page.segments import SegmentsPage
from pipeline.page.table_page import answer
from pipeline.settings import PromotionSettings, Settings
from pipeline.tables.segments import CUSTOMER_SEGMENTS
from pipeline.tasks.catalog import NEXT_BASKET
from pipeline.workspace import Workspace
from tests.factories import BUSINESS_DATE, customer_segment
from tests.pipeline.alerts.conftest import postgres, postgres_settings  # noqa: F401
from tests.pipeline.page.conftest import MORNING
from tests.pipeline.page.shop import open_shop
from tests.published_tables import publish_rows


def morning() -> Morning:
    return Morning("shop", BUSINESS_DATE, "run1", BUSINESS_DATE, None)


def judge(
    workspace: Workspace,
    run: str,
    business_date: date,
    candidate: float,
    champion: float | None,
    *,
    task: str = NEXT_BASKET.name,
    metric: str = "recall@10",
) -> None:
    """Leave a night's scorecard and verdict where the nightly run leaves them."""
    models = {CANDIDATE: {metric: candidate}, "global_top": {metric: 0.1}}
    models |= {CHAMPION: {metric: champion}} if champion is not None else {}
    folder = workspace.task_folder(run, task)
    Scorecard(
        source="shop",
        task=task,
        business_date=business_date,
        run_id=run,
        window=Window.before(business_date, 14),
        customers=1234,
        vocabulary_hash="v",
        data_versions={},
        models=models,
    ).write(folder)
    reasons = [] if champion is None or candidate >= champion else ["falls behind the champion"]
    Verdict(candidate_version=f"larder-shop/{run}", champion_before=None, promoted=not reasons, reasons=reasons).write(
        folder
    )


def test_quality_shows_every_night_once_and_gaps_where_nothing_was_measured(
    settings: Settings, workspace: Workspace
) -> None:
    first, second = BUSINESS_DATE - timedelta(days=1), BUSINESS_DATE
    judge(workspace, "a", second, 0.3, 0.4)
    judge(workspace, "b", first, 0.2, None)
    judge(workspace, "c", second, 0.35, 0.4)
    nights = read_nights(workspace)
    assert [(night.card.business_date, night.card.run_id) for night in nights] == [(first, "b"), (second, "c")]
    lines = {trace.name: list(trace.y) for trace in quality_figure(nights, Rule("recall@10", PromotionSettings())).data}
    assert list(lines.values()) == [[0.2, 0.35], [None, 0.4], [0.1, 0.1]]
    text = str(QualityPage().layout(Context(settings), morning()))
    assert "larder-shop/c was refused: falls behind the champion" in text
    assert "larder-shop/b became champion" in text


def test_segments_come_with_size_name_and_stability(settings: Settings, workspace: Workspace) -> None:
    context = Context(settings)
    assert "There are no segments yet" in str(SegmentsPage().layout(context, morning()))
    dairy = {"segment_name": "Dairy and bread", "n_members": 6}
    wine = {"segment_id": 2, "segment_name": "Wine", "n_members": 2, "is_new_segment": True}
    each = [
        customer_segment(customer_id=f"c{row}", rand_index=0.91, **(wine if row > 5 else dairy)) for row in range(8)
    ]
    assert list(each[0]) == CUSTOMER_SEGMENTS.column_names
    publish_rows(workspace, "customer_segments", *each)
    text = str(SegmentsPage().layout(context, morning()))
    assert "8 in 2 segments; 0.91 like the night before" in text
    assert text.index("Dairy and bread") < text.index("Wine (new)")
    assert "75%" in text


def test_a_night_with_too_few_baskets_to_group_says_so(settings: Settings, workspace: Workspace) -> None:
    publish_rows(workspace, "customer_segments")
    assert "too few baskets to group" in str(SegmentsPage().layout(Context(settings), morning()))


@pytest.mark.postgres
def test_a_database_user_that_may_only_read_suffices_for_readers(
    postgres_settings: Settings,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shop = open_shop(postgres_settings)
    url = make_url(postgres_settings.alert_database_url)
    with psycopg.connect(postgres_settings.alert_database_url, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS reader")
        connection.execute("CREATE ROLE reader LOGIN PASSWORD 'only-looking'")
        connection.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
        monkeypatch.setenv(
            "LARDER_DATABASE_URL",
            url.set(username="reader", password="only-looking").render_as_string(hide_password=False),
        )
        context = Context(Settings(), lambda: MORNING)
        shown, words, *_ = answer(context, "stockouts", {"startRow": 0, "endRow": 50}, "shop", "open")
        assert words == f"{len(shop.stockouts)} alerts"
        with make_app(context).server.test_request_context():
            notice = act(context, "acknowledge", {shown["rowData"][0]["id"]: shown["rowData"][0]["version"]}, None)
        assert "permission denied" in notice["message"]
        context.engine.dispose()
        connection.execute("DROP OWNED BY reader")


def test_what_the_page_fetches_early_is_there(settings: Settings) -> None:
    client = make_app(Context(settings)).server.test_client()
    assert f'rel="preload" as="script" href="{GRID_CODE}"' in client.get("/").text
    assert client.get(GRID_CODE).status_code == 200
