"""Every table of the lake by name, in the order the night makes them."""

from models.names import look_up
from pipeline.tables.action_plans import ACTION_PLANS
from pipeline.tables.actions import ACTIONS, CASES, REJECTED_ACTIONS
from pipeline.tables.alert_backtests import ALERT_BACKTESTS
from pipeline.tables.anomalies import ANOMALIES
from pipeline.tables.article_images import ARTICLE_IMAGES
from pipeline.tables.articles import ARTICLES
from pipeline.tables.basket_backtests import BASKET_BACKTESTS
from pipeline.tables.baskets import BASKETS
from pipeline.tables.behaviour_backtests import BEHAVIOUR_BACKTESTS
from pipeline.tables.contract import Table
from pipeline.tables.customer_days import CUSTOMER_DAYS
from pipeline.tables.customer_demand import CUSTOMER_DEMAND
from pipeline.tables.customer_values import CUSTOMER_VALUES
from pipeline.tables.demand_backtests import DEMAND_BACKTESTS
from pipeline.tables.expected_demand import EXPECTED_DEMAND
from pipeline.tables.item_vectors import ITEM_VECTORS
from pipeline.tables.next_offers import NEXT_OFFERS
from pipeline.tables.order_lines import ORDER_LINES
from pipeline.tables.predictions import PREDICTIONS
from pipeline.tables.products import PRODUCTS
from pipeline.tables.rejected_transactions import REJECTED_TRANSACTIONS
from pipeline.tables.return_forecasts import EXPECTED_RETURNS, RETURN_FORECASTS
from pipeline.tables.segments import CUSTOMER_SEGMENTS, PRODUCT_SEGMENTS
from pipeline.tables.sequences import SEQUENCES
from pipeline.tables.stock import RESUPPLIES, STOCK_LEVELS
from pipeline.tables.stockouts import STOCKOUTS
from pipeline.tables.store_days import STORE_DAYS
from pipeline.tables.styles import STYLE_ARTICLES, STYLE_RANKINGS, STYLES
from pipeline.tables.transactions import TRANSACTIONS
from pipeline.tables.vectors import CUSTOMER_VECTORS, PRODUCT_VECTORS
from pipeline.tables.views import VIEWS
from pipeline.tables.vocabulary import VOCABULARY

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        TRANSACTIONS,
        REJECTED_TRANSACTIONS,
        STORE_DAYS,
        BASKETS,
        VOCABULARY,
        SEQUENCES,
        PREDICTIONS,
        CUSTOMER_DEMAND,
        BASKET_BACKTESTS,
        PRODUCTS,
        STOCK_LEVELS,
        RESUPPLIES,
        EXPECTED_DEMAND,
        DEMAND_BACKTESTS,
        ALERT_BACKTESTS,
        STOCKOUTS,
        BEHAVIOUR_BACKTESTS,
        ANOMALIES,
        CUSTOMER_VECTORS,
        PRODUCT_VECTORS,
        CUSTOMER_SEGMENTS,
        PRODUCT_SEGMENTS,
        NEXT_OFFERS,
        ACTIONS,
        CASES,
        REJECTED_ACTIONS,
        ACTION_PLANS,
        CUSTOMER_DAYS,
        CUSTOMER_VALUES,
        ORDER_LINES,
        RETURN_FORECASTS,
        EXPECTED_RETURNS,
        ARTICLES,
        ARTICLE_IMAGES,
        VIEWS,
        ITEM_VECTORS,
        STYLES,
        STYLE_ARTICLES,
        STYLE_RANKINGS,
    )
}


def table(name: str) -> Table:
    """The contract called `name`; ValueError with the known names otherwise."""
    return look_up("table", name, TABLES)
