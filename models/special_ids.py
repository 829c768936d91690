"""Product indices with a meaning of their own; the vocabulary table gives every other index to one product."""

PADDING = 0
UNKNOWN = 1
END = 2
FIRST_PRODUCT = 3
