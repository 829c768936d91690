"""The files of a till and their description, for tests of what becomes of their lines."""

from collections.abc import Sequence
from pathlib import Path

HEADER = "day,store,card,receipt,sku,group,qty,total"
COLUMNS = ("sold_at", "store", "customer", "basket", "product", "category", "quantity", "amount")
GOOD = "2026-02-01 10:00:00,s1,c1,b1,p1,g1,2,3.50"


def deliver(folder: Path, name: str, *lines: str, header: str = HEADER) -> Path:
    """A file in sales/ under the folder."""
    path = folder / "sales" / name
    path.write_text("\n".join((header, *lines)) + "\n")
    return path


def describe(folder: Path, columns: Sequence[str] = COLUMNS, **keys: object) -> str:
    """The path of a description of sales/*; keywords replace or add keys, `columns` are our names of HEADER's."""
    given = {"name": "till", "files": "sales/*", "timezone": "Europe/Berlin", "session": "basket_id"} | keys
    lines = [
        f"{key} = {str(value).lower() if isinstance(value, bool) else repr(value)}" for key, value in given.items()
    ]
    named = zip(columns, HEADER.split(","), strict=True)
    lines += ["[columns]", *(f'{ours} = "{theirs}"' for ours, theirs in named)]
    path = folder / "till.toml"
    path.write_text("\n".join(lines))
    return str(path)
