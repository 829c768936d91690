"""What a forecast is held to before anyone reads it: its products' own past and their store's last weeks."""

# A product may expect so many times its own best week, and a store so many times its trailing weeks either way.
PRODUCT_LIMIT = 1.5
STORE_LIMIT = 2.0
# Expected units of a week below which a product's best week says nothing.
LEAST_UNITS = 3.0
