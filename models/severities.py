"""How bad an alert is, in words."""

SEVERITIES = ("critical", "high", "medium", "low")
"""Worst first, as alerts are listed."""


def severity_of(points: int) -> str:
    """The severity of 0 (low) to 3 (critical) points."""
    return SEVERITIES[-1 - points]
