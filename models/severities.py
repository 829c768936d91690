"""How bad an alert is, in words, least first."""

SEVERITIES = ("low", "medium", "high", "critical")
