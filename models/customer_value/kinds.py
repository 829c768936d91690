"""Names that customer values are told apart by; nothing is imported for them."""

SEGMENTS = (
    "champions",
    "loyal",
    "potential loyalists",
    "new",
    "promising",
    "need attention",
    "about to sleep",
    "at risk",
    "cannot lose",
    "hibernating",
)
TRENDS = ("new", "up", "steady", "down", "none")
"""new: no spend before the latest days; none: no spend in these nor in as many before."""

COMBINATIONS: dict[str, tuple[str, ...]] = {
    "bg_nbd": ("bg_nbd",),
    "boosted": ("boosted",),
    "corrected": ("corrected",),
    "blend": ("boosted", "corrected", "past_spend"),
}
"""What may become the model, and of which methods it is the geometric mean."""
