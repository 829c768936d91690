import numpy as np
import pytest

from models.demand.forecast import Spread, with_spread
from pipeline.benchmarks.stockouts.week_errors import week_errors


def test_errors_worked_by_hand() -> None:
    forecast = with_spread(np.array([[1.0, 1.0], [0.0, 0.0]]), Spread(1.0, 0.0), Spread(1.0, 0.0))
    found = week_errors(forecast, np.array([[3.0, 2.0], [1.0, 0.0]]))
    assert found.sold.tolist() == [5.0, 1.0]
    assert found.losses["week WAPE"].tolist() == [3.0, 1.0]
    # Poisson of 2: the 90 % quantile is 4.
    assert found.losses["p90"] == pytest.approx([0.9, 0.9])
