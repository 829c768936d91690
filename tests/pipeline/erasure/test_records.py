"""An erased customer stands in no byte of records, logs and the alert database, and other words stay as they are."""

import json
import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.alerts import incidents
from pipeline.alerts.erase import erase_customer
from pipeline.erasure.records import BLANK, blank_records, quoted
from pipeline.settings import Settings
from pipeline.workspace import Workspace
from tests.factories import anomaly, stockout
from tests.pipeline.alerts.conftest import nights, run  # noqa: F401
from tests.pipeline.alerts.shop_nights import MORNING, Nights

SAID = "table predictions is refused: 3 rows break 'gap' (e.g. funnel_kind=customer, funnel_id=c17; funnel_id=c170)"


@pytest.fixture
def records(workspace: Workspace) -> list[Path]:
    """A stage record, a gate's report and two logs that quote customers c17 and c170."""
    folder = workspace.run_folder("run1")
    logs = workspace.root.parent / "airflow" / "service" / "logs" / "nightly"
    texts = {
        folder / "stages.jsonl": json.dumps({"error": SAID, "rows_in": 17}) + "\n",
        workspace.root / "data_docs" / "report.html": f"<p>{SAID}</p>",
        folder / "airflow.log": f"{SAID}\ncustomer c17, 17 rows; customer c17-2\n",
        logs / "attempt=1.log": f"{SAID}\n",
    }
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return list(texts)


def test_quotations_are_blanked_and_nothing_else(workspace: Workspace, records: list[Path]) -> None:
    before = [path.read_text() for path in records]
    assert blank_records(workspace, ["c17"]) == len(records)
    assert json.loads(records[0].read_text())["rows_in"] == 17
    for path, text in zip(records, before, strict=True):
        expected = text.replace("funnel_id=c17;", f"funnel_id={BLANK};").replace("customer c17,", f"customer {BLANK},")
        assert path.read_text() == expected
    assert "customer c17-2" in records[2].read_text()
    assert blank_records(workspace, ["c17"]) == 0


@given(customer=st.text(min_size=1, max_size=12).filter(lambda text: text.strip() == text))
def test_an_id_of_any_letters_is_found_in_text_and_in_json(customer: str) -> None:
    said = f"funnel_id={customer}; 3 rows"
    for text in (said, json.dumps({"error": said}), json.dumps({"error": said}, ensure_ascii=False)):
        assert quoted([customer]).search(text), text


def test_a_log_of_another_encoding_is_no_obstacle(workspace: Workspace) -> None:
    path = workspace.run_folder("run1") / "airflow.log"
    path.write_bytes(b"caf\xe9 customer_id=c17, 3\n")
    assert blank_records(workspace, ["c17"]) == 1
    assert path.read_bytes() == b"caf\xe9 customer_id=(erased), 3\n"


def test_no_byte_of_the_alert_database_names_the_customer(nights: Nights, settings: Settings) -> None:  # noqa: F811
    customer = "customer-whom-nobody-else-is-called-like"
    for number in (1, 2, 3):
        nights.publish(number, stockout(), anomalies=[anomaly(funnel_id=each) for each in (customer, "c2")])
    nights.act(incidents.comment, nights.one(subject_id=customer), words="called", now=MORNING + timedelta(days=1))
    path = Path(settings.data_dir) / "alerts.db"
    reader = sqlite3.connect(path)  # as the page's: it keeps the log of changes from going with the last connection
    assert reader.execute("SELECT count(*) FROM incidents").fetchone() == (3,)
    files = [path, path.with_name("alerts.db-wal")]
    assert any(customer.encode() in file.read_bytes() for file in files if file.exists())
    erase_customer(settings, "shop", [customer])
    assert not [file for file in files if file.exists() and customer.encode() in file.read_bytes()]
    assert reader.execute("SELECT count(*) FROM incidents").fetchone() == (2,)
    reader.close()
