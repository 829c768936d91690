"""Small tables, whole on the page at once."""

from collections.abc import Sequence
from typing import Any

import dash_mantine_components as dmc


def facts(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> Any:
    """A small table; figures stand at the right."""
    cells = [[str(cell) for cell in row] for row in rows]
    columns = [[row[place] for row in cells if row[place]] for place in range(len(headings))]
    is_figure = [
        bool(known) and all(cell.rstrip("%").replace(",", "").replace(".", "", 1).isdigit() for cell in known)
        for known in columns
    ]
    aligned = ["right" if figure else "left" for figure in is_figure]
    return dmc.Table(
        [
            dmc.TableThead(dmc.TableTr([dmc.TableTh(text, ta=to) for text, to in zip(headings, aligned, strict=True)])),
            dmc.TableTbody(
                [
                    dmc.TableTr([dmc.TableTd(cell, ta=to) for cell, to in zip(row, aligned, strict=True)])
                    for row in cells
                ]
            ),
        ],
        className="facts",
        verticalSpacing=3,
        fz="sm",
    )
