"""What is no delivery, model file or request of ours: each is refused with its reason, and nothing of it runs."""

from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import chdir

from tests.campaign import malformed_deliveries, malformed_models, malformed_requests
from tests.campaign.bench import Bench, add
from tests.campaign.parts import UNREASONED


def deliveries(bench: Bench) -> Counter[str]:
    """Files and descriptions."""
    folder = bench.fresh("deliveries")
    numbered = {case: folder / str(number) for number, case in enumerate(malformed_deliveries.CASES)}
    return _all("deliveries", numbered, lambda case: malformed_deliveries.refused(case, numbered[case]))


def models(bench: Bench) -> Counter[str]:
    """Model files."""
    folder = bench.fresh("models")
    numbered = {case: folder / str(number) for number, case in enumerate(malformed_models.CASES)}
    with chdir(folder):
        return _all("model files", numbered, lambda case: malformed_models.refused(case, numbered[case]))


def requests(bench: Bench) -> Counter[str]:
    """Requests to the page."""
    client, shop = malformed_requests.opened(bench.fresh("page"))
    return _all(
        "requests", malformed_requests.CASES, lambda case: malformed_requests.refused(case, client=client, shop=shop)
    )


def refusals(bench: Bench) -> Counter[str]:
    """All of them."""
    return add(add(deliveries(bench), models(bench)), requests(bench))


def _all(what: str, cases: Iterable[str], refused: Callable[[str], str]) -> Counter[str]:
    """How many were tried; one that was used, or refused without a reason, is a fault and is printed."""
    counted = Counter({what: 0, UNREASONED: 0})
    for case in cases:
        counted[what] += 1
        try:
            refused(case)
        except Exception as error:
            print(f"{what}: {type(error).__name__}: {error}")
            counted[UNREASONED] += 1
    return counted
