"""The benchmark of customer value: its windows as the protocol says, scores that the kept rows give again."""

import zipfile
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from models.customer_value.metrics import value_scores
from pipeline.benchmarks.value.compare import CHOSEN, PREDICTED, compare, method_names, table
from pipeline.benchmarks.value.data import open_problem

HEADER = "TRANSACTION_DT,CUSTOMER_ID,AGE_GROUP,PIN_CODE,PRODUCT_SUBCLASS,PRODUCT_ID,AMOUNT,ASSET,SALES_PRICE"
RETAIL = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"
START = date(2000, 11, 1)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Three hundred customers with a rhythm and a spend of their own, over 120 days."""
    random = np.random.default_rng(0)
    lines = [HEADER]
    for customer in range(300):
        for day in range(customer % 40, 120, 4 + customer % 37):
            if random.random() < 0.7:
                sold_on = (START + timedelta(days=day)).strftime("%m/%d/%Y")
                lines.append(f"{sold_on},c{customer},K,1,s1,p1,1,1,{10 + customer % 50}")
    path = tmp_path / "ta_feng.csv.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("ta_feng.csv", "\n".join(lines))
    return path


def test_validation_lies_one_horizon_before_the_test(file: Path) -> None:
    test, validation = (open_problem("tafeng", file, part, None) for part in ("test", "validation"))
    first = int(test.purchases.days.min())
    assert (test.cutoff - first, test.horizon) == (92, 28)
    assert validation.cutoff == test.cutoff - 28


def test_cancelled_invoices_and_lines_without_a_customer_are_left_out(tmp_path: Path) -> None:
    rows = [
        "1,A,x,2,2010-12-01 08:26:00,2.5,17850,United Kingdom",
        "2,A,x,1,2010-12-01 18:26:00,1.0,17850,United Kingdom",
        "C3,A,x,-2,2010-12-02 08:26:00,2.5,17850,United Kingdom",
        "4,A,x,9,2010-12-02 08:26:00,2.5,,United Kingdom",
    ]
    path = tmp_path / "retail.csv"
    path.write_text("\n".join([RETAIL, *rows]))
    problem = open_problem("online_retail", path, "test", None)
    assert problem.customers.tolist() == ["17850"]
    assert problem.purchases.spend.tolist() == [6.0], "two invoices of one day are one basket"
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match=r"other.csv is no CSV of UCI Online Retail"):
        open_problem("online_retail", tmp_path / "other.csv", "test", None)
    with pytest.raises(ValueError, match="wants PATH"):
        open_problem("online_retail", None, "test", None)


def test_methods_are_compared_and_scores_follow_from_the_kept_rows(file: Path, tmp_path: Path) -> None:
    said: list[str] = []
    out, models = tmp_path / "out", ["own_rate", f"{CHOSEN}:bg_nbd"]
    scores = compare("tafeng", file, models, [0], out, part="test", horizon=None, say=said.append)
    rows = pq.read_table(out / PREDICTED).to_pandas()
    assert set(rows["model"]) == set(models)
    for model, of_model in rows.groupby("model", observed=True):
        columns = {name: of_model[name].to_numpy() for name in of_model}
        band = None if model == "own_rate" else (columns["spend_low"], columns["spend_high"])
        found = value_scores(
            (columns["expected_baskets"], columns["expected_spend"]), (columns["baskets"], columns["spend"]), band
        )
        assert found == pytest.approx({name: each["mean"] for name, each in scores[model]["scores"].items()}, abs=1e-4)
    assert table({"models": scores}).count("\n") == 4
    again: list[str] = []
    assert compare("tafeng", file, models, [0], out, part="test", horizon=None, say=again.append) == scores
    assert again == said
    with pytest.raises(ValueError, match="did you mean 'own_rate'"):
        compare("tafeng", file, ["own_rates"], [0], out, part="test", horizon=None, say=said.append)
    assert CHOSEN in method_names()
