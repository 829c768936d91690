"""Next-basket baselines by name."""

from collections.abc import Callable

from models.baselines import tifu_knn
from models.baselines.frequency import GlobalTop, PersonalThenGlobal, PersonalTop
from models.baselines.gradient_boosting import BoostingConfig, LambdaMartRanker, XgboostClassifier
from models.baselines.next_basket import NextBasketModel
from models.baselines.up_cf import UpCf

# A seed changes nothing but the trees.
BASELINES: dict[str, Callable[[int], NextBasketModel]] = {
    "global-top": lambda _: GlobalTop(),
    "personal-top": lambda _: PersonalTop(),
    "personal-then-global": lambda _: PersonalThenGlobal(),
    "up-cf": lambda _: UpCf(),
    "tifu-knn-published": lambda _: tifu_knn.TifuKnn(tifu_knn.PUBLISHED),
    "tifu-knn": lambda _: tifu_knn.TifuKnn(tifu_knn.TUNED),
    "xgboost": lambda seed: XgboostClassifier(BoostingConfig(n_trees=400, seed=seed)),
    "lambdamart": lambda seed: LambdaMartRanker(BoostingConfig(seed=seed)),
}
