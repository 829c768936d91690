"""Words by which products resemble each other: of their names, categories and brands."""

import re

_WORD = re.compile(r"[^\W\d_]{3,}")


def words_of(name: str | None, category: str | None = None, brand: str | None = None) -> list[str]:
    """Words of a product, each once; category and brand whole.

    >>> words_of("SET OF 3 CAKE TINS", "kitchen")
    ['set', 'cake', 'tins', 'category=kitchen']
    """
    words = _WORD.findall((name or "").lower())
    more = [f"{what}={value}" for what, value in (("category", category), ("brand", brand)) if value]
    return list(dict.fromkeys([*words, *more]))
