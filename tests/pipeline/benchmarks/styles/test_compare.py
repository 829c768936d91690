"""The styles benchmark: its protocol, scores that follow from the kept ranks, methods that read nothing later."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from pipeline.benchmarks.styles.compare import RANKED, compare, kept_scores, run, table
from pipeline.benchmarks.styles.hybrid import Hybrid
from pipeline.benchmarks.styles.methods import style_method
from pipeline.benchmarks.styles.problems import earlier, open_shop
from pipeline.benchmarks.styles.simple import OwnFrequency
from pipeline.benchmarks.styles.together import Together
from pipeline.dataset.purchases import Purchases
from pipeline.evaluation.style_baselines import Content, Popularity
from pipeline.evaluation.style_metrics import curve, ranks, style_scores
from pipeline.evaluation.style_problem import Problem, Shop, problem_at

WORDS = ["RED LAMP", "BLUE LAMP", "RED CUP", "BLUE CUP", "GREEN CUP", "GREEN LAMP"]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty customers who buy two articles of their two colours every two to three weeks, for a year."""
    random = np.random.default_rng(0)
    lines = []
    for customer in range(60):
        likes = [item for item in range(60) if WORDS[item % 6].split()[0] in ("RED", "BLUE", "GREEN")[customer % 3]]
        for day in range(customer % 20, 365, 14 + customer % 7):
            for item in {*random.choice(likes, 2), random.integers(60)}:
                sold = pd.Timestamp("2010-12-01 10:00") + pd.Timedelta(days=day)
                lines.append((f"{customer}-{day}", f"{10000 + item}", WORDS[item % 6], 1, sold, 1 + item % 5, customer))
    lines.append(("C1", "10001", "RED LAMP", -1, pd.Timestamp("2010-12-02"), 1, 1))
    lines.append(("2", "POST", "POSTAGE", 1, pd.Timestamp("2010-12-02"), 1, 1))
    columns = ["InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID"]
    path = tmp_path_factory.mktemp("uci") / "uci.csv"
    pd.DataFrame(lines, columns=columns).to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def shop(file: Path) -> Shop:
    return open_shop("uci", file)


def test_the_question_is_asked_as_of_the_cutoff(shop: Shop) -> None:
    assert len(shop.articles) == 60, "neither postage nor returns"
    problem = problem_at(shop, 300)
    assert problem.past.times.max() < 300
    window = shop.purchases.between(300, 308)
    bought = set(zip(window.customers.tolist(), window.items.tolist(), strict=True))
    asked = zip(problem.customers[problem.rows].tolist(), problem.store[problem.columns].tolist(), strict=True)
    assert set(asked) == {pair for pair in bought if pair[0] in set(problem.past.customers)}
    np.testing.assert_array_equal(problem.store, np.unique(shop.purchases.between(270, 338).items))


def test_a_blend_trains_on_a_question_whose_truth_and_store_are_before_the_cutoff(shop: Shop) -> None:
    problem = problem_at(shop, 300)
    before = earlier(problem)
    later = Purchases.sort(
        *(np.append(each, new) for each, new in zip(_lines(shop.purchases), (0, 59, 301.0), strict=True)), 60, 60
    )
    same = earlier(problem_at(replace(shop, purchases=later), 300))
    assert before.cutoff == 262
    np.testing.assert_array_equal(before.store, same.store)
    np.testing.assert_array_equal(before.rows, same.rows)


def _lines(purchases: Purchases) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return purchases.customers, purchases.items, purchases.times


@pytest.mark.parametrize("method", [Popularity(), OwnFrequency(), Content()])
def test_methods_read_nothing_of_the_days_they_are_asked_about(shop: Shop, method: Popularity) -> None:
    problem = problem_at(shop, 300)
    moved = replace(problem, rows=problem.rows[:1], columns=problem.columns[:1])
    np.testing.assert_array_equal(method.scores(problem), method.scores(moved))
    assert method.scores(problem).shape == (len(problem.customers), len(problem.store))


@pytest.mark.parametrize("name", ["blend-linear", "blend-boosted", "hybrid", "moments-linear", "moments-boosted"])
def test_what_is_learned_knows_what_customers_like_and_is_learned_alike_again(shop: Shop, name: str) -> None:
    problem = problem_at(shop, 300)
    scores = style_method(name, 0).scores(problem)
    assert style_scores(problem, ranks(problem, scores))["auc"] > 0.6
    moved = replace(problem, rows=problem.rows[:1], columns=problem.columns[:1])
    np.testing.assert_allclose(style_method(name, 0).scores(moved), scores, rtol=1e-5)


def test_a_hybrid_ranks_new_articles_by_their_tags_and_knows_them_by_nothing_else(shop: Shop) -> None:
    problem = problem_at(shop, 300)
    # Article 30 has the words of article 0: RED LAMP; as if nobody had bought 30 and 36.
    past = problem.past.take(~np.isin(problem.past.items, (30, 36)))
    unsold = replace(problem, past=past)
    scores = Hybrid(0, epochs=10).scores(unsold)
    columns = np.searchsorted(problem.store, (30, 36))
    np.testing.assert_allclose(*(scores[:, columns] - scores[:, columns[:1]]).T, atol=1e-5)
    # Customers are in the order of their names.
    names = np.array(sorted(map(str, range(60))), int)
    likes_red = names[problem.customers] % 3 == 0
    assert scores[likes_red, columns[0]].mean() > scores[~likes_red, columns[0]].mean()


def test_methods_together_do_not_depend_on_the_scale_of_a_part(shop: Shop) -> None:
    problem = problem_at(shop, 300)

    class Scaled(Content):
        def scores(self, problem: Problem) -> np.ndarray:
            return 7.0 * super().scores(problem) + 3.0

    parts = {"popularity": (Popularity(), 1.0), "content": (Content(), 0.5)}
    scaled = parts | {"content": (Scaled(), 0.5)}
    np.testing.assert_allclose(Together(parts).scores(problem), Together(scaled).scores(problem), atol=1e-4)
    alone = Together({"content": (Content(), 2.0)}).scores(problem)
    np.testing.assert_array_equal(
        ranks(problem, alone)["rank"] <= 20, ranks(problem, Content().scores(problem))["rank"] <= 20
    )


def test_methods_together_take_what_finished_trials_found(
    file: Path, shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A trial of another seed, of another cutoff or of another configuration gives nothing."""
    run("uci", file, "content", 0, cutoff=305, folder=tmp_path / "content_0_305")
    problem = problem_at(shop, 305)
    settings = Content().settings()
    for wrong in ((["uci", "305"], 1, settings), (["uci", "335"], 0, settings), (["uci", "305"], 0, {"other": 1})):
        assert kept_scores(tmp_path, wrong[0], wrong[1], "content", wrong[2]) is None
    parts = {"popularity": (Popularity(), 1.0), "content": (Content(), 0.5)}
    expected = Together(parts).scores(problem)
    again = Together(parts)
    again.kept = partial(kept_scores, tmp_path, ["uci", "305"], 0)
    monkeypatch.setattr(Content, "scores", lambda *_: pytest.fail("it was there already"))
    np.testing.assert_allclose(again.scores(problem), expected, atol=1e-4)


def test_a_perfect_ranking_has_1_a_constant_one_half_and_owned_articles_leave_explore(shop: Shop) -> None:
    problem = problem_at(shop, 300)
    truth = np.zeros((len(problem.customers), len(problem.store)))
    truth[problem.rows, problem.columns] = 1.0
    perfect = style_scores(problem, ranks(problem, truth))
    # Articles that one customer bought tie among themselves, and share their ranks.
    assert perfect["auc"] > 0.97
    constant = style_scores(problem, ranks(problem, np.zeros_like(truth)))
    assert constant["auc"] == pytest.approx(0.5)
    assert constant["auc_explore"] == pytest.approx(0.5)
    owned = np.zeros_like(truth)
    owned[problem.owned()] = 9.0
    assert style_scores(problem, ranks(problem, truth + owned))["auc_explore"] == pytest.approx(perfect["auc_explore"])


def test_ties_are_halved() -> None:
    past = Purchases.sort(np.array([0]), np.array([3]), np.array([0.0]), 1, 4)
    of_one = Problem(past, None, 1, np.arange(4), np.array([0]), np.array([0]), np.array([1]))  # type: ignore[arg-type]
    found = ranks(of_one, np.array([[1.0, 1.0, 0.0, 2.0]]))
    assert found["rank"].tolist() == [2.5]
    assert found["above"].tolist() == [0.5]
    assert found["above_explore"].tolist() == [0.25]
    assert found["new"].tolist() == [True]
    assert curve(found["above"])[1][-1] == 1.0


def test_methods_are_compared_and_scores_follow_from_the_kept_ranks(file: Path, tmp_path: Path) -> None:
    said: list[str] = []
    names = ["popularity", "own-frequency"]
    scores = compare("uci", file, names, [0], tmp_path, part="test", say=said.append)
    rows = pq.read_table(tmp_path / RANKED).to_pandas()
    for model, of_model in rows.groupby("model", observed=True):
        by_cutoff = 1.0 - of_model.groupby("cutoff")["above"].mean()
        assert scores[str(model)]["scores"]["auc"]["mean"] == pytest.approx(by_cutoff.mean(), abs=1e-5)
    assert (tmp_path / "ranks.png").is_file()
    assert table({"models": scores}).count("\n") == 4
    again = compare("uci", file, names, [0], tmp_path, part="test", say=said.append)
    assert again == scores
    for wrong, message in ((("uci", "als-decaye"), "als-decayed"), (("uc", "als"), "did you mean 'uci'")):
        with pytest.raises(ValueError, match=message):
            compare(wrong[0], file, [wrong[1]], [0], tmp_path, part="test", say=said.append)
