"""What a table's columns owe to each other: the checks that a contract's columns cannot say one by one.

In a predicate `{business_date}` is the night and `{rows}` the row count that the version's manifest states.
"""

from pipeline.expectations.checks import Check
from pipeline.lake.lake import Manifest
from pipeline.tables.vocabulary import FIRST_PRODUCT_INDEX, UNKNOWN_INDEX

# Unique besides the key, and the same in every row.
ALSO_UNIQUE: dict[str, tuple[str, ...]] = {"vocabulary": ("product_index",)}
CONSTANT: dict[str, tuple[str, ...]] = {"vocabulary": ("vocabulary_hash",), "sequences": ("vocabulary_hash",)}

RULES: dict[str, tuple[Check, ...]] = {
    "baskets": (
        Check("n_products", "is the length of products", "n_products <> size(products)"),
        Check(
            "quantity",
            "is the sum over products",
            "abs(quantity - aggregate(products.quantity, 0D, (total, units) -> total + units)) > 1e-6 * (1 + quantity)",
        ),
        Check(
            "amount_cents",
            "is the sum over products",
            "amount_cents <> aggregate(products.amount_cents, 0L, (total, cents) -> total + cents)",
        ),
        Check(
            "products",
            "have quantities above 0",
            "exists(products, line -> line.quantity IS NULL OR isnan(line.quantity) OR line.quantity <= 0)",
        ),
        Check(
            "products",
            "name no product twice",
            "size(array_distinct(products.product_id)) <> size(products.product_id)",
        ),
        Check("sold_on", "is before the business date", "sold_on >= date'{business_date}'"),
    ),
    "sequences": (
        Check(
            "sold_on",
            "and every other column by basket are equally long",
            "size(array_distinct(array(size(sold_on), size(gap_days), size(day_of_week), size(day_of_month), "
            "size(month), size(products), size(quantities), size(amounts_cents)))) <> 1",
        ),
        Check(
            "products",
            "and quantities and amounts_cents are equally long in every basket",
            "transform(products, basket -> size(basket)) <> transform(quantities, basket -> size(basket)) OR "
            "transform(products, basket -> size(basket)) <> transform(amounts_cents, basket -> size(basket))",
        ),
        Check("products", "are never an empty basket", "exists(products, basket -> size(basket) = 0)"),
        Check(
            "products",
            "are vocabulary indices, no padding",
            f"exists(flatten(products), index -> index IS NULL OR index < {UNKNOWN_INDEX})",
        ),
        Check(
            "quantities",
            "are finite and above 0",
            "exists(flatten(quantities), units -> units IS NULL OR units <= 0 OR "
            "isnan(units) OR units = float('infinity'))",
        ),
        Check("gap_days", "are -1 or more", "exists(gap_days, days -> days < -1)"),
        Check("n_baskets", "is at least the length of the history", "n_baskets < size(sold_on)"),
        Check("last_sold_on", "is the last day of the history", "last_sold_on <> element_at(sold_on, -1)"),
        Check("last_sold_on", "is before the business date", "last_sold_on >= date'{business_date}'"),
    ),
    "predictions": (
        Check("n_products", "is the length of products", "n_products <> size(products)"),
        Check(
            "products",
            "have probabilities from 0 to 1",
            "exists(products, line -> line.probability IS NULL OR isnan(line.probability) OR "
            "line.probability < 0 OR line.probability > 1)",
        ),
        Check(
            "products",
            "have finite quantities of 0 or more",
            "exists(products, line -> line.quantity IS NULL OR isnan(line.quantity) OR line.quantity < 0 OR "
            "line.quantity = double('infinity'))",
        ),
        Check(
            "products",
            "name no product twice",
            "size(array_distinct(products.product_id)) <> size(products.product_id)",
        ),
        Check("next_sold_on", "is the business date or later", "next_sold_on < date'{business_date}'"),
        Check("last_sold_on", "is before the business date", "last_sold_on >= date'{business_date}'"),
        Check("business_date", "is the night of this run", "business_date <> date'{business_date}'"),
    ),
    "vocabulary": (
        Check(
            "product_index",
            "is without gaps from the first",
            f"product_index >= {FIRST_PRODUCT_INDEX} + {{rows}}",
        ),
    ),
    "stock_levels": (Check("as_of", "is the business date", "as_of <> date'{business_date}'"),),
    "resupplies": (Check("arrives_on", "is the business date or later", "arrives_on < date'{business_date}'"),),
    "expected_demand": (
        Check("p50", "lies between p10 and p90", "p50 < p10 OR p90 < p50"),
        Check("demand_on", "is the business date or later", "demand_on < date'{business_date}'"),
    ),
    "customer_demand": (Check("demand_on", "is the business date or later", "demand_on < date'{business_date}'"),),
    "demand_backtests": (
        Check("as_of", "is before the business date", "as_of >= date'{business_date}'"),
        Check("demand_on", "is `as_of` or later", "demand_on < as_of"),
    ),
    "alert_backtests": (
        Check("as_of", "is before the business date", "as_of >= date'{business_date}'"),
        Check("right_alerts", "are alerts that happened", "right_alerts > alerts OR right_alerts > happened"),
    ),
    "basket_backtests": (
        Check("as_of", "is before the business date", "as_of >= date'{business_date}'"),
        Check("came", "are some of those predicted", "came > predicted OR due > predicted OR came_by_due > due"),
        Check("hits", "were named and bought", "hits > named OR hits > bought OR list_hits > list_named"),
        Check("hit_customers", "came", "hit_customers > came OR list_hit_customers > came"),
        Check("recall_10", "is a share of each who came", "greatest(recall_10, list_recall_10) > came * (1 + 1e-6)"),
        Check(
            "named_by_tenth",
            "and hits_by_tenth have ten parts, which add up",
            "size(named_by_tenth) <> 10 OR size(hits_by_tenth) <> 10 OR size(stated_by_tenth) <> 10 OR "
            "aggregate(named_by_tenth, 0L, (total, each) -> total + each) <> named OR "
            "aggregate(hits_by_tenth, 0L, (total, each) -> total + each) <> hits",
        ),
    ),
    "behaviour_backtests": (
        Check("as_of", "is before the business date", "as_of >= date'{business_date}'"),
        Check("right_alerts", "are alerts and stayed away", "right_alerts > alerts OR right_alerts > stayed_away"),
    ),
    "stockouts": (
        Check("short_on", "is the business date or later", "short_on < date'{business_date}'"),
        Check("residual", "is finite", "exists(residual, units -> isnan(units) OR abs(units) = double('infinity'))"),
    ),
    "actions": (Check("acted_on", "is before the business date", "acted_on >= date'{business_date}'"),),
    "cases": (
        Check("last_acted_on", "is before the business date", "last_acted_on >= date'{business_date}'"),
        Check("ended_on", "is the last action's day or later", "ended_on < last_acted_on"),
        Check("outcome", "belongs to a case that has ended", "outcome IS NOT NULL AND ended_on IS NULL"),
    ),
    "action_plans": (
        Check(
            "steps",
            "name an action each, at least one",
            "size(steps) = 0 OR exists(steps, step -> step.action IS NULL)",
        ),
        Check("steps", "begin with the next action", "steps[0].action <> next_action"),
        Check(
            "attention",
            "is a share from 0 to 1",
            "exists(attention, weight -> weight IS NULL OR isnan(weight) OR weight < 0 OR weight > 1.000001)",
        ),
        Check("last_acted_on", "is before the business date", "last_acted_on >= date'{business_date}'"),
        Check("business_date", "is the night of this run", "business_date <> date'{business_date}'"),
    ),
    "order_lines": (
        Check("sold_on", "is before the business date", "sold_on >= date'{business_date}'"),
        Check(
            "returned",
            "is at most what was bought",
            "aggregate(returned.quantity, 0D, (total, units) -> total + units) > quantity * (1 + 1e-6)",
        ),
        Check(
            "returned",
            "came back on or after the day of the sale and before the business date",
            "exists(returned, back -> back.returned_on < sold_on OR back.returned_on >= date'{business_date}')",
        ),
    ),
    "return_forecasts": (
        Check("business_date", "is the night of this run", "business_date <> date'{business_date}'"),
        Check("last_return_on", "is the business date or later", "last_return_on < date'{business_date}'"),
        Check("expected_units", "is at most the line's units", "expected_units > quantity * (1 + 1e-6)"),
        Check(
            "expected_units_by_day",
            "has a day for each until the last, which add up to expected_units",
            "size(expected_units_by_day) <> datediff(last_return_on, business_date) + 1 OR abs(expected_units - "
            "aggregate(expected_units_by_day, 0D, (total, units) -> total + units)) > 1e-6 * (1 + expected_units)",
        ),
    ),
    "expected_returns": (
        Check("returns_on", "is the business date or later", "returns_on < date'{business_date}'"),
        Check("business_date", "is the night of this run", "business_date <> date'{business_date}'"),
    ),
    "anomalies": (Check("observed_on", "is the business date or earlier", "observed_on > date'{business_date}'"),),
}


def table_rules(manifest: Manifest) -> list[Check]:
    """The extra checks of the version that `manifest` describes."""
    day, rows = manifest.business_date.isoformat(), str(manifest.rows)
    return [
        Check(rule.column, rule.rule, rule.violation.replace("{business_date}", day).replace("{rows}", rows))
        for rule in RULES.get(manifest.table, ())
    ]
