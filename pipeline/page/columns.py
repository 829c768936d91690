"""What a column of a table on the page is: its heading, its kind, how the grid shows and filters it.

The grid, the SQL behind it and the exported files go by the same list, so that they cannot differ.
"""

from dataclasses import dataclass
from typing import Any, Literal

from models.customer_value.kinds import SEGMENTS, TRENDS
from models.directions import DIRECTIONS
from models.severities import SEVERITIES
from pipeline.alerts.incident_models import STATES, VERDICTS
from pipeline.tables.sequences import FUNNEL_KINDS

Kind = Literal["text", "choice", "number", "units", "money", "share", "date"]

# d3's formats; the grid knows d3 by itself.
_FORMATS: dict[str, str] = {"number": ",.0f", "units": ",.1f", "money": ",.2f", "share": ".0%"}
_FILTERS = {"text": "agTextColumnFilter", "choice": "agTextColumnFilter", "date": "agDateColumnFilter"}


@dataclass(frozen=True)
class Column:
    """One column: `key` names it in requests and in the SQL whitelist, `help` is shown when the pointer rests on it."""

    key: str
    heading: str
    kind: Kind
    width: int
    help: str = ""
    pinned: bool = False
    choices: tuple[str, ...] = ()

    @property
    def definition(self) -> dict[str, Any]:
        """The column as AG Grid wants it."""
        shown: dict[str, Any] = {
            "field": self.key,
            "headerName": self.heading,
            "headerTooltip": self.help or self.heading,
            "width": self.width,
            "filter": _FILTERS.get(self.kind, "agNumberColumnFilter"),
            "filterParams": {"buttons": ["reset"], "maxNumConditions": 4, "debounceMs": 100},
            "sortingOrder": ["desc", "asc", None] if self.is_number else ["asc", "desc", None],
        }
        if self.pinned:
            shown |= {"pinned": "left"}
        if self.is_number:
            shown |= {"type": "rightAligned", "valueFormatter": {"function": self._number_format}}
            shown["filterParams"] |= {"defaultOption": "greaterThanOrEqual"}
        if self.kind == "date":
            # A date field has no room in the row of filters; its button is in the heading instead.
            shown |= {"floatingFilter": False}
        if self.kind == "text":
            shown |= {"tooltipField": self.key}
        if self.kind == "choice":
            shown["filterParams"] |= {"filterOptions": ["empty", *map(_option, self.choices)]}
            shown |= {"cellClass": f"chip {self.key}", "cellClassRules": self._class_rules}
            shown |= {"valueFormatter": {"function": "capitalized(params.value)"}}
        return shown

    @property
    def is_number(self) -> bool:
        """Whether it is a quantity: shown at the right, largest first when sorted."""
        return self.kind in _FORMATS

    @property
    def _number_format(self) -> str:
        shown = f"d3.format('{_FORMATS[self.kind]}')(params.value)"
        if self.kind == "share":
            # Rounding must not make a certainty of it.
            shown = f"params.value > 0.99 ? '> 99%' : {shown}"
        return f"params.value == null ? '' : {shown}"

    @property
    def _class_rules(self) -> dict[str, str]:
        return {f"chip-{choice}": f"params.value === '{choice}'" for choice in self.choices}


def _option(choice: str) -> dict[str, Any]:
    """A filter without input: rows of this choice. The server filters; the grid only needs a predicate to be there."""
    return {
        "displayKey": choice,
        "displayName": choice.capitalize(),
        "numberOfInputs": 0,
        "predicate": {"function": "true"},
    }


_LIFE = (
    Column("status", "Status", "choice", 124, "what became of it; snoozed ones come back by themselves", False, STATES),
    Column("first_seen", "First seen", "date", 118, "night that showed it first"),
    Column("verdict", "Verdict", "choice", 100, "what a merchandiser found", False, VERDICTS),
)

STOCKOUTS = (
    Column("severity", "Severity", "choice", 108, "from the lost sales and how soon", True, SEVERITIES),
    Column("product", "Product", "text", 220, pinned=True),
    Column("store", "Store", "text", 84),
    Column("category", "Category", "text", 150),
    Column("lost_sales", "Lost sales", "money", 112, "units short at the mean price paid"),
    Column("short_on", "Out on", "date", 118, "first day on which the shelf is expected short"),
    Column("units_short", "Units short", "units", 104, "expected units asked for and not there, within the horizon"),
    _LIFE[0],
    Column("probability", "Probability", "share", 104, "of being short within the horizon"),
    Column("on_hand", "On hand", "number", 96, "units on the shelf at opening of the night's date"),
    Column("resupply", "Arriving", "number", 96, "units arriving within the horizon"),
    Column("resupply_on", "Arrives on", "date", 118, "first day on which some arrive"),
    Column("demand", "Demand", "number", 96, "units expected to be asked for within the horizon"),
    Column("demand_low", "Demand low", "number", 104, "9 times in 10 at least so many"),
    Column("demand_high", "Demand high", "number", 108, "9 times in 10 at most so many"),
    Column("days_of_cover", "Days of cover", "units", 116, "days the stock lasts at the expected demand"),
    Column("customers", "Customers", "number", 104, "customers predicted to buy it within the horizon"),
    *_LIFE[1:],
    Column("reason", "Reason", "text", 460),
)

ANOMALIES = (
    Column(
        "severity", "Severity", "choice", 108, "from how strange it is and what the customer spends", True, SEVERITIES
    ),
    Column("subject", "Customer or store", "text", 170, pinned=True),
    Column("reason", "What changed", "text", 560),
    Column("kind", "Kind", "choice", 110, "a customer, or a whole store", False, FUNNEL_KINDS),
    Column("store", "Store", "text", 84),
    _LIFE[0],
    Column("observed_on", "Seen on", "date", 118, "day of the strange basket, or of the night for a missing one"),
    Column("score", "Score", "units", 90, "how rare this is among similar customers: 3 is one in a thousand"),
    Column("direction", "Direction", "choice", 110, "less than usual is spent, or at least as much", False, DIRECTIONS),
    Column("monthly_value", "Spends a month", "money", 130, "what this customer spends in a usual month"),
    Column("expected_back", "Expected back", "units", 124, "units of a customer's open orders expected to come back"),
    *_LIFE[1:],
)

PLANS = (
    Column("case_id", "Case", "text", 110, pinned=True),
    Column("agent", "Agent", "text", 120, "who did the latest action"),
    Column("last_action", "Last done", "text", 150),
    Column("last_acted_on", "On", "date", 110, "day of the latest action"),
    Column("next_action", "Next", "text", 160, "the planned next action"),
    Column("next_probability", "Probability", "share", 106, "that it is the next action"),
    Column("then", "Then", "text", 300, "the planned actions after it"),
    Column("remaining_steps", "Steps to go", "units", 104, "expected actions to the end of the case"),
    Column("remaining_days", "Days to go", "number", 104, "expected days to the end of the case"),
    Column("win_probability", "Won", "share", 90, "probability that the case is won"),
    Column("best_action", "Best next", "text", 150, "after which most such cases were won; no cause is claimed"),
    Column(
        "best_win_probability",
        "Won after it",
        "share",
        110,
        "chance to win with that next action, in similar past cases",
    ),
)

CUSTOMERS = (
    Column("customer", "Customer", "text", 150, pinned=True),
    Column("segment", "Segment", "choice", 150, "from recency and frequency, as quintiles", False, SEGMENTS),
    Column("value", "Lifetime value", "money", 130, "expected spend of the years to come, discounted"),
    Column("trend", "Trend", "choice", 100, "spend of the latest days beside that of as many before", False, TRENDS),
    Column("last_visit", "Last visit", "date", 118, "day of the latest basket"),
    Column("next_visit", "Next visit", "date", 118, "day on which the next basket is expected, if still a customer"),
    Column("lost", "Lost", "share", 90, "chance that the customer left for good"),
    Column("spend_90", "Next 90 days", "money", 124, "expected spend, returns subtracted"),
    Column("spend_90_low", "At least", "money", 110, "lower end: 8 of 10 outcomes lie between both ends"),
    Column("spend_90_high", "At most", "money", 110, "upper end: 8 of 10 outcomes lie between both ends"),
    Column("offer", "Next offer", "text", 150, "what the customer takes next, where next offers are switched on"),
    Column("offer_on", "Offer on", "date", 118, "mean day of that offer, given that it comes"),
    Column("returns", "Units back", "units", 104, "units expected back, where returns are switched on"),
    Column("baskets", "Baskets", "number", 96, "days with a basket so far"),
    Column("spend", "Spend so far", "money", 120, "returns subtracted"),
    Column("recency", "R", "number", 60, "recency score, 5 the latest"),
    Column("frequency", "F", "number", 60, "frequency score, 5 the most"),
    Column("monetary", "M", "number", 60, "monetary score, 5 the most"),
)
