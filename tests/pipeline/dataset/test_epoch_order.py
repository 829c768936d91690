"""The order of a pass: every example once, the same again, and drawn once however many batches it has."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.dataset.epoch_order import batch_rows, epoch_order


@given(n=st.integers(1, 60), batch_size=st.integers(1, 16), seed=st.integers(0, 3), epoch=st.integers(0, 3))
def test_a_pass_has_every_example_and_its_last_batch_begins_again(
    n: int, batch_size: int, seed: int, epoch: int
) -> None:
    steps = -(-n // batch_size)
    found = np.concatenate([batch_rows(n, seed, epoch * steps + step, batch_size) for step in range(steps)])
    assert sorted(found[:n].tolist()) == list(range(n))
    np.testing.assert_array_equal(found[n:], np.resize(found[:n], len(found) - n))


@given(n=st.integers(1, 60), step=st.integers(0, 20), workers=st.integers(1, 4))
def test_workers_share_a_batch(n: int, step: int, workers: int) -> None:
    whole = batch_rows(n, 0, step, 12)
    for worker in range(workers):
        part = batch_rows(n, 0, step, 12, worker=worker, workers=workers)
        np.testing.assert_array_equal(part, whole[worker::workers])


def test_an_order_depends_on_seed_and_pass_alone() -> None:
    first = batch_rows(100, 1, 0, 100).tolist()
    others = [batch_rows(100, 1, 1, 100).tolist(), batch_rows(100, 2, 0, 100).tolist()]
    assert first not in others
    assert batch_rows(100, 1, 0, 100).tolist() == first


def test_a_pass_draws_once_however_many_batches_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[list[int]] = []
    draw = np.random.default_rng

    def counted(seed: list[int]) -> np.random.Generator:
        drawn.append(seed)
        return draw(seed)

    monkeypatch.setattr(np.random, "default_rng", counted)
    epoch_order.cache_clear()
    for step in range(300):
        batch_rows(1000, 5, step, 10)
    assert drawn == [[5, 0], [5, 1], [5, 2]]
