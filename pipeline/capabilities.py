"""What may follow a night, by name: the registry of capabilities, one DAG each.

A capability answers a further question from the tables of a night. It starts when those tables and the night's alerts
are published, so that it never delays an alert, and its failure is no failure of the night. A source switches
capabilities on by name (`capabilities = ["segments"]` in its description).

To add one: a line here, `dags/<name>.py`, and the jobs that it submits.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Capability:
    """One capability.

    Args:
        description: one line for Airflow's list of DAGs and for `larder run --help`.
        reads: tables that the night must have published before the capability starts.
        writes: tables that it publishes under the night's name; a source that does not switch it on has none of them.
        intake: the DAG that takes in what it reads, where no night does. Such a capability waits for no alerts.
    """

    description: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    intake: str | None = None


CAPABILITIES = {
    "segments": Capability(
        "Customers who shop alike, products that meet the same need, and the champion's vectors of both",
        reads=("products", "predictions"),
        writes=("customer_vectors", "product_vectors", "customer_segments", "product_segments"),
    ),
    "next_offers": Capability(
        "What each customer takes next, and in how many days",
        reads=("baskets", "products"),
        writes=("next_offers",),
    ),
    "sale_actions": Capability(
        "What is still to be done in each open case of a sales team, to its end",
        reads=("actions", "cases"),
        writes=("action_plans",),
        intake="case_intake",
    ),
    "customer_value": Capability(
        "What each customer is worth: recency, frequency, monetary value, and spend to come",
        reads=("baskets",),
        writes=("customer_days", "customer_values"),
    ),
    "returns": Capability(
        "Which order lines come back, and how many units of each product on which day",
        reads=("baskets", "products"),
        writes=("order_lines", "return_forecasts", "expected_returns"),
    ),
    "styles": Capability(
        "Whom to show what: each customer's style over time, and everything in store ranked for it",
        reads=("baskets",),
        writes=("articles", "article_images", "views", "item_vectors", "styles", "style_articles", "style_rankings"),
    ),
}
