"""Which way a customer's or store's behaviour changed, in words."""

LOSS, GAIN = "loss", "gain"
DIRECTIONS = (LOSS, GAIN)
"""Less than usual is spent, or at least as much: what is spent in a usual month is at risk with a loss alone."""
