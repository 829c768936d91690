"""`larder benchmark anomalies`: what is injected, what detectors may see, what the command writes."""

import json
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from sklearn.metrics import roc_auc_score
from typer.testing import CliRunner

from models.behaviour.funnel_baskets import FunnelBaskets
from pipeline.benchmarks.anomalies.injections import KINDS, LATER, inject, tafeng_histories
from pipeline.benchmarks.anomalies.methods import DETECTORS, detector
from pipeline.benchmarks.data.tafeng_lines import fetched_file
from pipeline.cli import app
from tests.pipeline.benchmarks.folders import write_tafeng

CUSTOMERS, BASKETS = 150, 9


def lines(seed: int = 0) -> list[tuple[str, str, str, int]]:
    """Customers who come about every six days for some of their six products."""
    random = np.random.default_rng(seed)
    found = []
    for customer in range(CUSTOMERS):
        own = random.choice(80, 6, replace=False)
        day = date(2000, 11, 1) + timedelta(days=int(random.integers(0, 10)))
        for _ in range(BASKETS):
            bought = random.choice(own, random.integers(1, 5), replace=False)
            when = f"{day.month}/{day.day}/{day.year}"
            found += [(when, f"{customer:05}", f"{product:03}", int(random.integers(1, 4))) for product in bought]
            day += timedelta(days=int(random.integers(4, 9)))
    return found


@pytest.fixture(scope="module")
def histories(tmp_path_factory: pytest.TempPathFactory) -> FunnelBaskets:
    """The customers' histories, read from a file in Ta-Feng's form."""
    file = tmp_path_factory.mktemp("raw") / "ta_feng.csv.zip"
    write_tafeng(file, lines())
    return tafeng_histories(file)[0]


@pytest.mark.parametrize("kind", KINDS)
def test_only_the_last_baskets_of_the_changed_are_changed(histories: FunnelBaskets, kind: str) -> None:
    injected = inject(histories, kind, 0, int(histories.day.max()))
    assert injected.changed.sum() == round(0.02 * injected.eligible.sum())
    assert not (injected.changed & ~injected.eligible).any()
    same = np.ones(len(histories.funnel), dtype=bool)
    same[histories.last[injected.changed]] = False
    for name in ("lines", "basket_units", "spend", "gap_days", "day", "recent"):
        before, after = getattr(histories, name), getattr(injected.histories, name)
        assert np.array_equal(before[same], after[same], equal_nan=name == "gap_days")
    assert (histories.units[same] != injected.histories.units[same]).nnz == 0
    again = inject(histories, kind, 0, int(histories.day.max()))
    assert np.array_equal(again.changed, injected.changed)
    assert not np.array_equal(inject(histories, kind, 1, int(histories.day.max())).changed, injected.changed)


def test_a_basket_of_as_many_products_is_taken_whole(histories: FunnelBaskets) -> None:
    injected = inject(histories, "content_m", 0, int(histories.day.max()))
    changed = histories.last[injected.changed]
    assert np.array_equal(injected.histories.lines[changed], histories.lines[changed])
    assert np.array_equal(injected.histories.gap_days[changed], histories.gap_days[changed])
    assert (injected.histories.units[changed] != histories.units[changed]).nnz > 0


def test_a_larger_basket_keeps_its_products(histories: FunnelBaskets) -> None:
    injected = inject(histories, "size", 0, int(histories.day.max()))
    changed = histories.last[injected.changed]
    assert (injected.histories.units != histories.units).nnz == 0
    for name in ("lines", "basket_units", "spend"):
        assert np.array_equal(getattr(injected.histories, name)[changed], 4 * getattr(histories, name)[changed])


def test_a_longer_gap_ends_within_the_data(histories: FunnelBaskets) -> None:
    last_day = int(histories.day.max())
    injected = inject(histories, "timing_in", 0, last_day)
    changed = histories.last[injected.changed]
    gaps = histories.gap_days[changed]
    assert np.array_equal(injected.histories.gap_days[changed], LATER * gaps)
    assert (histories.day[changed] - gaps + LATER * gaps <= last_day).all()


def test_an_unknown_kind_or_detector_is_named_with_the_known(histories: FunnelBaskets) -> None:
    with pytest.raises(ValueError, match="'colour'; known: content"):
        inject(histories, "colour", 0, 0)
    with pytest.raises(ValueError, match="'guess'; known: larder"):
        detector("guess")


@pytest.mark.parametrize("name", DETECTORS)
def test_no_detector_sees_a_date_and_each_is_steady(histories: FunnelBaskets, name: str) -> None:
    histories = inject(histories, "mix", 0, int(histories.day.max())).histories
    scores = detector(name)(histories, 0)
    assert scores.shape == (CUSTOMERS,)
    assert np.isfinite(scores).all()
    moved = replace(histories, day=histories.day + 10_000 + 37 * histories.funnel)
    assert detector(name)(moved, 0) == pytest.approx(scores)


def test_a_dropped_basket_is_not_seen(tmp_path: Path) -> None:
    write_tafeng(tmp_path / "ta_feng.csv.zip", lines())
    whole, names = tafeng_histories(tmp_path / "ta_feng.csv.zip")
    earlier, same_names = tafeng_histories(tmp_path / "ta_feng.csv.zip", back=1)
    assert names.tolist() == same_names.tolist()
    assert np.array_equal(earlier.day, whole.day[~whole.recent])
    assert earlier.recent.sum() == CUSTOMERS


def test_the_command_writes_scores_that_anyone_can_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LARDER_DATA_DIR", str(tmp_path / "var"))
    fetched_file().parent.mkdir(parents=True)
    write_tafeng(fetched_file(), lines())
    command = ["benchmark", "anomalies", "--dataset", "tafeng", "--seeds", "0..1", "--detectors", "larder,cosine"]
    done = CliRunner().invoke(app, [*command, "--out", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    scores = json.loads((tmp_path / "out" / "scores.json").read_text())
    assert str(tmp_path) not in json.dumps(scores)
    rows = pq.read_table(tmp_path / "out" / "customers.parquet").to_pandas()
    for (name, kind), part in rows.groupby(["detector", "kind"], observed=True):
        seeds = [roc_auc_score(each["is_changed"], each["score"]) for _, each in part.groupby("seed")]
        assert scores["detectors"][name][kind]["auc"]["seeds"] == pytest.approx(seeds, abs=1e-4)
    assert "| larder |" in (tmp_path / "out" / "table.md").read_text()


def test_some_kinds_alone_may_be_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LARDER_DATA_DIR", str(tmp_path / "var"))
    fetched_file().parent.mkdir(parents=True)
    write_tafeng(fetched_file(), lines())
    command = ["benchmark", "anomalies", "--dataset", "tafeng", "--seeds", "0", "--detectors", "cosine"]
    done = CliRunner().invoke(app, [*command, "--kinds", "size, timing_in", "--out", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    assert (tmp_path / "out" / "table.md").read_text().startswith("| detector | size | timing_in |\n")
    done = CliRunner().invoke(app, [*command, "--kinds", "colour", "--out", str(tmp_path / "out")])
    assert done.exit_code == 1
    assert "unknown kind of change 'colour'" in done.output
