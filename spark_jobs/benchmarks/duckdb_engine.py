"""Baskets, vocabulary and sequences in DuckDB: the same rules as the Spark jobs, for the session rule `basket_id`.

Written from the tables' contracts, not from the Spark code, so that equal hashes say something about both.
"""

from datetime import date
from pathlib import Path

import duckdb

from pipeline.settings import SequenceSettings

MERGED = """
CREATE OR REPLACE TEMP TABLE merged AS
SELECT customer_id, store_id, sold_on, basket_id, product_id,
    min(sold_at_utc) AS sold_at_utc,
    coalesce(sum(quantity) FILTER (NOT is_return), 0)::BIGINT AS bought,
    coalesce(sum(amount_cents) FILTER (NOT is_return), 0)::BIGINT AS paid_cents,
    coalesce(sum(quantity) FILTER (is_return), 0)::BIGINT AS returned,
    coalesce(sum(amount_cents) FILTER (is_return), 0)::BIGINT AS refunded_cents
FROM (
    SELECT * REPLACE (floor(quantity * 1000000 + 0.5)::BIGINT AS quantity)
    FROM read_parquet('{lines}/*/*.parquet', hive_partitioning = true, hive_types = {{'sold_on': DATE}})
    WHERE sold_on < DATE '{business_date}'
)
GROUP BY ALL
"""

TAKEN_BACK = """
CREATE OR REPLACE TEMP TABLE taken_back AS
WITH running AS (
    SELECT customer_id, store_id, sold_on, basket_id, product_id, bought, returned,
        sum(bought) OVER in_time AS bought_so_far,
        sum(returned) OVER in_time AS returned_so_far
    FROM merged SEMI JOIN (SELECT DISTINCT customer_id, product_id FROM merged WHERE returned > 0)
        USING (customer_id, product_id)
    WINDOW in_time AS (
        PARTITION BY customer_id, product_id ORDER BY sold_at_utc, store_id, sold_on, basket_id
        ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    )
), matched AS (
    SELECT customer_id, product_id,
        sum(returned) - greatest(0, max(returned_so_far - bought_so_far)) AS units
    FROM running GROUP BY ALL
)
SELECT customer_id, store_id, sold_on, basket_id, product_id,
    least(bought, units - (bought_so_far - bought))::BIGINT AS taken
FROM running JOIN matched USING (customer_id, product_id)
WHERE least(bought, units - (bought_so_far - bought)) > 0
"""

BASKETS = """
CREATE OR REPLACE TEMP TABLE baskets AS
WITH kept AS (
    SELECT * EXCLUDE (bought, taken), bought - coalesce(taken, 0) AS quantity,
        CASE WHEN taken IS NULL THEN paid_cents
             ELSE (paid_cents::HUGEINT * (bought - taken) // bought)::BIGINT END AS amount_cents
    FROM merged LEFT JOIN taken_back USING (customer_id, store_id, sold_on, basket_id, product_id)
)
SELECT md5(concat_ws(chr(31), customer_id, store_id, sold_on::VARCHAR, basket_id)) AS basket_key,
    customer_id, store_id, min(sold_at_utc) AS started_at_utc, sold_on,
    coalesce(list({{'product_id': product_id, 'quantity': quantity / 1000000, 'amount_cents': amount_cents}}
        ORDER BY product_id) FILTER (quantity > 0), []) AS products,
    coalesce(list({{'product_id': product_id, 'quantity': returned / 1000000, 'amount_cents': refunded_cents}}
        ORDER BY product_id) FILTER (returned > 0), []) AS returned,
    (count(*) FILTER (quantity > 0))::INTEGER AS n_products,
    sum(quantity) / 1000000 AS quantity,
    coalesce(sum(amount_cents) FILTER (quantity > 0), 0)::BIGINT AS amount_cents
FROM kept
GROUP BY customer_id, store_id, sold_on, basket_id
"""

SOLD = """
CREATE OR REPLACE TEMP TABLE sold AS
SELECT store_id, sold_on, line.product_id, floor(line.quantity * 1000000 + 0.5)::BIGINT AS millionths,
    line.amount_cents
FROM (SELECT store_id, sold_on, unnest(products) AS line FROM baskets)
"""

VOCABULARY = """
CREATE OR REPLACE TEMP TABLE vocabulary AS
WITH counted AS (
    SELECT product_id, count(*) AS n_baskets, sum(amount_cents) * 1e6 / sum(millionths) AS unit_price_cents
    FROM sold GROUP BY product_id HAVING count(*) >= {min_product_count}
), categories AS (
    SELECT product_id, arg_min(category, (-n, category)) AS category
    FROM (
        SELECT product_id, category, count(*) AS n
        FROM read_parquet('{lines}/*/*.parquet', hive_partitioning = true, hive_types = {{'sold_on': DATE}})
        WHERE sold_on < DATE '{business_date}' AND category IS NOT NULL GROUP BY ALL
    ) GROUP BY product_id
), numbered AS (
    SELECT (row_number() OVER (ORDER BY n_baskets DESC, product_id) + 2)::INTEGER AS product_index, *
    FROM counted LEFT JOIN categories USING (product_id)
)
SELECT product_index, product_id, category, n_baskets, unit_price_cents,
    (SELECT sha256(string_agg(product_id, chr(10) ORDER BY product_index)) FROM numbered) AS vocabulary_hash
FROM numbered
"""

FUNNEL_BASKETS = """
CREATE OR REPLACE TEMP TABLE funnel_baskets AS
WITH largest AS (
    SELECT customer_id, store_id, sold_on, started_at_utc, basket_key, line.product_id,
        line.quantity::FLOAT AS quantity, line.amount_cents
    FROM (
        SELECT *, unnest(CASE WHEN n_products <= {max_products} THEN products ELSE list_transform(
            list_sort(list_transform(products, lambda p: {{'q': -p.quantity, 'a': -p.amount_cents, 'id': p.product_id}})
                )[:{max_products}],
            lambda p: {{'product_id': p.id, 'quantity': -p.q, 'amount_cents': -p.a}}) END) AS line
        FROM baskets WHERE n_products > 0
    )
), store_sums AS (
    SELECT store_id, sold_on, product_id, sum(millionths)::BIGINT AS millionths, sum(amount_cents)::BIGINT AS cents
    FROM sold GROUP BY ALL
), store_largest AS (
    SELECT store_id, sold_on, unnest(max({{'q': millionths, 'a': cents,
        'neg': -numbered.rank, 'id': product_id}}, {max_products})) AS line
    FROM store_sums
    JOIN (SELECT product_id, row_number() OVER (ORDER BY product_id) AS rank FROM (SELECT DISTINCT product_id FROM sold)
        ) AS numbered USING (product_id)
    GROUP BY store_id, sold_on
), lines AS (
    SELECT 'customer' AS funnel_kind, customer_id AS funnel_id, * EXCLUDE (customer_id) FROM largest
    UNION ALL
    SELECT 'store', store_id, store_id, sold_on, NULL, '', line.id, (line.q / 1000000)::FLOAT, line.a
    FROM store_largest
)
SELECT funnel_kind, funnel_id, store_id, sold_on, started_at_utc, basket_key,
    list(coalesce(product_index, 1) ORDER BY product_id) AS indices,
    list(quantity ORDER BY product_id) AS quantities,
    list(amount_cents ORDER BY product_id) AS amounts_cents
FROM lines LEFT JOIN vocabulary USING (product_id)
GROUP BY ALL
"""

SEQUENCES = """
CREATE OR REPLACE TEMP TABLE sequences AS
WITH in_order AS (
    SELECT *, coalesce(sold_on - lag(sold_on) OVER in_time, -1)::INTEGER AS gap_days,
        row_number() OVER latest AS recency,
        count(*) OVER (PARTITION BY funnel_kind, funnel_id) AS n_baskets,
        count(*) OVER (PARTITION BY funnel_kind, funnel_id, store_id) AS visits
    FROM funnel_baskets
    WINDOW in_time AS (PARTITION BY funnel_kind, funnel_id ORDER BY sold_on, started_at_utc, basket_key),
        latest AS (PARTITION BY funnel_kind, funnel_id
            ORDER BY sold_on DESC, started_at_utc DESC, basket_key DESC)
), homes AS (
    SELECT funnel_kind, funnel_id, arg_max(store_id, (visits, -recency)) AS store_id FROM in_order GROUP BY ALL
), collected AS (
    SELECT funnel_kind, funnel_id, any_value(n_baskets)::INTEGER AS n_baskets, max(sold_on) AS last_sold_on,
        list(sold_on ORDER BY recency DESC) AS sold_on,
        list(gap_days ORDER BY recency DESC) AS gap_days,
        list(isodow(sold_on)::INTEGER ORDER BY recency DESC) AS day_of_week,
        list(day(sold_on)::INTEGER ORDER BY recency DESC) AS day_of_month,
        list(month(sold_on)::INTEGER ORDER BY recency DESC) AS month,
        list(indices ORDER BY recency DESC) AS products,
        list(quantities ORDER BY recency DESC) AS quantities,
        list(amounts_cents ORDER BY recency DESC) AS amounts_cents
    FROM in_order WHERE recency <= {max_baskets} AND n_baskets >= {min_baskets} GROUP BY funnel_kind, funnel_id
)
SELECT *, NULL::VARCHAR[] AS attributes, (SELECT any_value(vocabulary_hash) FROM vocabulary) AS vocabulary_hash
FROM collected JOIN homes USING (funnel_kind, funnel_id)
"""


class DuckdbEngine:
    """One connection, kept between runs, two threads like the other engines."""

    def __init__(self) -> None:
        self.connection = duckdb.connect(config={"threads": 2})

    def run(self, lines: Path, out: Path, business_date: date, settings: SequenceSettings) -> None:
        """Read the lines, write `baskets`, `vocabulary` and `sequences` as Parquet under `out`."""
        names = settings.model_dump() | {"lines": lines, "business_date": business_date}
        for statement in (MERGED, TAKEN_BACK, BASKETS, SOLD, VOCABULARY, FUNNEL_BASKETS, SEQUENCES):
            self.connection.execute(statement.format(**names))
        for table in ("baskets", "vocabulary", "sequences"):
            (out / table).mkdir(parents=True)
            self.connection.execute(f"COPY {table} TO '{out / table / 'part.parquet'}' (FORMAT parquet)")
