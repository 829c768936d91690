"""What a version made of delivered lines must satisfy besides its rows: they were readable, and no past day shrank.

Both are found while the lines are taken in and stated in the manifest; here they become expectations like any other,
so that the gate stops the night, Data Docs show it, and `larder accept` publishes what an operator knows to be right.
"""

from pipeline.lake.lake import Manifest

UNUSABLE = "unusable"
SHRUNK = "shrunk"
# Where the manifest states what was found -> the expectation that it breaks.
_RULES = {
    "transactions": {
        UNUSABLE: "enough lines of every delivered file and day can be used",
        SHRUNK: "no past day of a store loses more lines than the source allows",
    },
    "actions": {UNUSABLE: "enough lines of every delivered file and day can be used"},
}


def delivery_failures(manifest: Manifest) -> dict[str, list[str]]:
    """Per expectation what breaks it, in words; empty lists where all is well."""
    rules = _RULES.get(manifest.table, {})
    return {rule: list(manifest.details.get(stated, [])) for stated, rule in rules.items()}
