"""The next-offer benchmark: its cases as the protocol says, scores that can be computed again from the kept rows."""

import zipfile
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from pipeline.benchmarks.next_offer.compare import PREDICTED, compare, table
from pipeline.benchmarks.next_offer.metrics import offer_scores
from pipeline.benchmarks.next_offer.problems import MIN_EVENTS, open_problem

HEADER = "TRANSACTION_DT,CUSTOMER_ID,AGE_GROUP,PIN_CODE,PRODUCT_SUBCLASS,PRODUCT_ID,AMOUNT,ASSET,SALES_PRICE"
START = date(2000, 11, 1)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Forty customers who take one category of theirs every few days, and now and then another one."""
    random = np.random.default_rng(0)
    lines = [HEADER]
    for customer in range(40):
        for day in range(customer % 7, 120, 3 + customer % 5):
            category = customer % 8 if random.random() < 0.8 else random.integers(8)
            lines.append(f"{_written(day)},c{customer},K,1,s{category},p{category},1,1,{10 + category}")
            lines.append(f"{_written(day)},c{customer},K,1,s{random.integers(8)},p1,1,1,1")
    path = tmp_path / "ta_feng.csv.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("ta_feng.csv", "\n".join(lines))
    return path


def _written(day: int) -> str:
    return (START + timedelta(days=int(day))).strftime("%m/%d/%Y")


def test_cases_are_split_by_the_day_of_the_next_event_and_have_two_before(file: Path) -> None:
    problem = open_problem(file, "repeat")
    cases = problem.cases(98, 120)
    following = problem.events.days[cases.rows + 1] - problem.first_day
    assert following.min() >= 98
    assert (problem.events.positions[cases.rows] + 1 >= MIN_EVENTS).all()
    np.testing.assert_array_equal(cases.offers, problem.events.tops[cases.rows + 1])
    np.testing.assert_array_equal(cases.days, np.diff(problem.events.days)[cases.rows])


def test_an_adoption_is_a_first_purchase_after_the_burn_in(file: Path) -> None:
    problem = open_problem(file, "adoption")
    events = problem.events
    taken = list(zip(np.repeat(events.customers, np.diff(events.set_offsets)), events.offers, strict=True))
    assert len(taken) == len(set(taken))
    cases = problem.cases(0, 120)
    assert (events.days[cases.rows] + cases.days - problem.first_day >= 56).all()


def test_methods_are_compared_and_scores_follow_from_the_kept_rows(file: Path, tmp_path: Path) -> None:
    said: list[str] = []
    scores = compare(
        file, ["global-top", "own-then-global"], [0], tmp_path, reading="repeat", part="test", say=said.append
    )
    rows = pq.read_table(tmp_path / PREDICTED).to_pandas()
    for model, of_model in rows.groupby("model", observed=True):
        best = of_model["predicted_offers"].str[0]
        found = scores[str(model)]["scores"]["acc@1"]["mean"]
        assert found == pytest.approx((best == of_model["offer"]).mean(), abs=1e-5)
    assert scores["own-then-global"]["scores"]["acc@1"]["mean"] > scores["global-top"]["scores"]["acc@1"]["mean"]
    assert len(said) == 2
    assert table({"models": scores}).count("\n") == 4
    with pytest.raises(ValueError, match="own-then-global"):
        compare(file, ["own-then-globa"], [0], tmp_path, reading="repeat", part="test", say=said.append)
    with pytest.raises(ValueError, match="known: repeat, adoption"):
        compare(file, ["global-top"], [0], tmp_path, reading="again", part="test", say=said.append)


def test_a_tie_is_no_hit_and_a_bucket_never_chosen_has_no_f1() -> None:
    joint = np.zeros((2, 4, 2))
    joint[0, 3] = (0.6, 0.4)
    joint[1, 2:] = (0.25, 0.25)
    scores = offer_scores(joint, np.array([3, 3]), np.array([0, 1]))
    assert (scores["acc@1"], scores["acc@3"]) == (0.5, 1.0)
    assert (scores["gap_acc"], scores["joint"]) == (0.5, 0.5)
    assert scores["gap_f1"] == pytest.approx(1 / 3)
