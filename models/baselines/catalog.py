"""Next-basket baselines by name.

Plain names learn from histories, as published comparisons do; names that end in `-whole` also see the training
customers' last baskets, which tell what is bought lately. Trees, frequencies and neighbours gain by that.
"""

from collections.abc import Callable

from models.baselines.frequency import GlobalTop, PersonalThenGlobal, PersonalTop
from models.baselines.gradient_boosting import BoostingConfig, LambdaMartRanker, XgboostClassifier
from models.baselines.next_basket import FromHistories, NextBasketModel
from models.baselines.tifu_knn import PUBLISHED, TUNED, SearchedTifuKnn, TifuKnn
from models.baselines.up_cf import UpCf

# A seed changes nothing but the trees.
BASELINES: dict[str, Callable[[int], NextBasketModel]] = {
    "global-top": lambda _: FromHistories(GlobalTop()),
    "personal-top": lambda _: FromHistories(PersonalTop()),
    "personal-then-global": lambda _: FromHistories(PersonalThenGlobal()),
    "up-cf": lambda _: FromHistories(UpCf()),
    "tifu-knn-published": lambda _: FromHistories(TifuKnn(PUBLISHED)),
    "tifu-knn": lambda _: FromHistories(TifuKnn(TUNED)),
    "tifu-knn-searched": lambda _: SearchedTifuKnn(),
    "xgboost": lambda seed: XgboostClassifier(BoostingConfig(seed=seed)),
    "lambdamart": lambda seed: LambdaMartRanker(BoostingConfig(seed=seed)),
    "global-top-whole": lambda _: GlobalTop(),
    "personal-then-global-whole": lambda _: PersonalThenGlobal(),
    "up-cf-whole": lambda _: UpCf(),
    "tifu-knn-whole": lambda _: TifuKnn(TUNED),
    "lambdamart-whole": lambda seed: LambdaMartRanker(BoostingConfig(n_parts=4, seed=seed)),
}
