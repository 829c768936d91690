"""The benchmark of returns: lines, labels and days as the protocol says, and scores that follow from the kept rows."""

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from sklearn.metrics import roc_auc_score

from models.days import epoch_day
from pipeline.benchmarks.data.online_retail import read_invoices
from pipeline.benchmarks.returns.compare import PREDICTED, compare, table
from pipeline.benchmarks.returns.metrics import return_scores
from pipeline.benchmarks.returns.problems import open_problem

HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"
START = datetime(2010, 12, 1, 9)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty customers who order two products every few days; one in four sends much of the first one back."""
    random = np.random.default_rng(0)
    lines = [HEADER]
    for customer in range(20):
        for day in range(customer % 6, 340, 6):
            at = START + timedelta(days=day, minutes=customer)
            invoice = f"{50_000 + 1000 * customer + day}"
            lines.append(f"{invoice},10001,GLASS JAR,2,{at},1.50,{customer},United Kingdom")
            lines.append(f"{invoice},10002A,WOODEN BOX,1,{at},{2 + customer % 3},{customer},United Kingdom")
            if random.random() < (0.5 if customer % 4 == 0 else 0.03):
                back = at + timedelta(days=int(random.integers(1, 20)))
                lines.append(f"C{invoice},10001,GLASS JAR,-1,{back},1.50,{customer},United Kingdom")
    lines += [f"99999,POST,POSTAGE,1,{START},9,1,France", f"99998,10001,GLASS JAR,1,{START},1,,France"]
    path = tmp_path_factory.mktemp("retail") / "lines.csv"
    path.write_text("\n".join(lines))
    return path


def test_lines_without_a_product_or_a_customer_are_left_out_and_labels_are_known_in_time(file: Path) -> None:
    problem = open_problem("online_retail", file)
    lines = problem.lines
    assert lines.products.tolist() == ["10001", "10002A"]
    assert len(lines.customers) == 20
    day = lines.days[lines.orders]
    measured, train = problem.measured_rows("test"), problem.train_rows("test")
    assert day[measured].min() >= epoch_day(datetime(2011, 10, 10).date())
    assert day[train].max() + 30 < day[measured].min()
    assert problem.returned[measured].any()
    assert not problem.returned[lines.items == 1].any()
    assert len(problem.train_rows("test-as-published")) < len(train)


def test_methods_are_compared_and_scores_follow_from_the_kept_rows(file: Path, tmp_path: Path) -> None:
    said: list[str] = []
    names = ["customer-item-rate", "line-value"]
    scores = compare("online_retail", file, names, [0], tmp_path, part="validation", say=said.append)
    rows = pq.read_table(tmp_path / PREDICTED).to_pandas()
    for model, of_model in rows.groupby("model", observed=True):
        found = scores[str(model)]["scores"]["auc"]["mean"]
        assert found == pytest.approx(roc_auc_score(of_model["returned"], of_model["probability"]), abs=1e-5)
    assert scores["customer-item-rate"]["scores"]["auc"]["mean"] > 0.8
    assert len(said) == 2
    assert table({"models": scores}).count("\n") == 4
    with pytest.raises(ValueError, match="customer-item-rate"):
        compare("online_retail", file, ["customer-item-rat"], [0], tmp_path, part="test", say=said.append)
    with pytest.raises(ValueError, match="known: validation"):
        compare("online_retail", file, names, [0], tmp_path, part="tset", say=said.append)


def test_one_customer_who_sends_a_whole_order_back_is_seen_in_the_scores() -> None:
    random = np.random.default_rng(0)
    customers, returned = np.arange(2000) % 50, random.random(2000) < 0.02
    probabilities = np.where(returned, 0.5, 0.1) + random.random(2000) / 4
    whole = np.where(customers == 7)[0]
    returned[whole], probabilities[whole] = True, 0.01
    found = return_scores(probabilities, returned, np.ones(2000), customers)
    assert found["auc"] < 0.6
    assert found["auc_without"] > 0.95
    assert found["auc_low"] < found["auc"] < found["auc_high"]


def test_a_file_in_other_columns_and_a_missing_one_are_named(tmp_path: Path) -> None:
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match="has no column 'InvoiceNo'"):
        read_invoices(tmp_path / "other.csv")
    with pytest.raises(FileNotFoundError, match=r"none\.csv is missing"):
        open_problem("online_retail", tmp_path / "none.csv")
    with pytest.raises(ValueError, match="give the path"):
        open_problem("online_retail", None)
