"""How much of a prediction rests on each attribute of a case: set against what the attribute usually is.

An attribute is replaced by each of its usual values in turn, by their shares among all cases; the effect is the
probability as it is, less the mean of those. Leaving the attribute out instead would show the model a case such as it
never saw.

Source: Strumbelj and Kononenko, "An Efficient Explanation of Individual Classifications using Game Theory", JMLR 2010;
here one attribute at a time.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from models.actions.action_log import ActionLog
from pipeline.dataset.action_examples import attribute_hashes

_MOST_VALUES = 8
_QUANTILES = (0.1, 0.3, 0.5, 0.7, 0.9)


@dataclass(frozen=True)
class UsualValues:
    """What attributes and numbers of cases usually are.

    Args:
        shares: by attribute, its most frequent values as `name=value`, each with its share of them.
        quantiles: by number, values that stand for equal parts of the cases.
    """

    shares: dict[str, list[tuple[str, float]]]
    quantiles: dict[str, list[float]]


def usual_values(
    attributes: Sequence[Sequence[str] | None], numbers: Sequence[Sequence[dict[str, Any]] | None]
) -> UsualValues:
    """Of all cases; the order of cases changes nothing."""
    counts: dict[str, Counter[str]] = {}
    values: dict[str, list[float]] = {}
    for each in attributes:
        for said in each or ():
            counts.setdefault(_name(said), Counter())[said] += 1
    for row in numbers:
        for number in row or ():
            if number["value"] is not None:
                values.setdefault(number["name"], []).append(number["value"])
    shares = {}
    for name, counted in counts.items():
        most = sorted(counted.items(), key=lambda item: (-item[1], item[0]))[:_MOST_VALUES]
        shares[name] = [(said, count / sum(n for _, n in most)) for said, count in most]
    return UsualValues(shares, {name: np.quantile(each, _QUANTILES).tolist() for name, each in values.items()})


def attribute_effects(
    probability: Callable[[ActionLog], np.ndarray],
    log: ActionLog,
    attributes: Sequence[Sequence[str] | None],
    numbers: Sequence[Sequence[dict[str, Any]] | None],
    usual: UsualValues,
) -> list[list[dict[str, Any]]]:
    """Per case each attribute and number that it has, with its effect on a probability.

    Args: probability: of cases as they stand in a log, float [B]; log: B cases, of which attributes and numbers are
          those that are given.
    """
    known = probability(log)
    found: list[list[dict[str, Any]]] = [[] for _ in range(len(log))]
    for name, shares in sorted(usual.shares.items()):
        places = {
            row: place for row, each in enumerate(attributes) for place, s in enumerate(each or ()) if _name(s) == name
        }
        if not places:
            continue
        rows, columns = np.array(list(places)), np.array(list(places.values()))
        usually = np.zeros(len(log))
        for said, share in shares:
            changed = log.attributes.copy()
            changed[rows, columns] = attribute_hashes([[said]])[0, 0]
            usually += share * probability(replace(log, attributes=changed))
        for row, place in places.items():
            found[row].append(_effect((attributes[row] or ())[place], known[row] - usually[row]))
    for name, quantiles in sorted(usual.quantiles.items()):
        _add_number(found, probability, log, numbers, name=name, quantiles=quantiles, known=known)
    return found


def _add_number(
    found: list[list[dict[str, Any]]],
    probability: Callable[[ActionLog], np.ndarray],
    log: ActionLog,
    numbers: Sequence[Sequence[dict[str, Any]] | None],
    *,
    name: str,
    quantiles: list[float],
    known: np.ndarray,
) -> None:
    has = {
        row: place
        for row, each in enumerate(numbers)
        for place, number in enumerate(each or ())
        if number["name"] == name and number["value"] is not None and place < log.numbers.shape[1]
    }
    if not has:
        return
    rows, columns = np.array(list(has)), np.array(list(has.values()))
    usually = np.zeros(len(log))
    for value in quantiles:
        changed = log.numbers.copy()
        changed[rows, columns] = value
        usually += probability(replace(log, numbers=changed)) / len(quantiles)
    for row, place in has.items():
        value = (numbers[row] or ())[place]["value"]
        found[row].append(_effect(f"{name}={value:g}", known[row] - usually[row]))


def _effect(what: str, effect: float) -> dict[str, Any]:
    return {"attribute": what, "effect": float(effect)}


def _name(said: str) -> str:
    return said.partition("=")[0]
