"""Every capability names tables that there are, and no table is made by two."""

from collections import Counter

from pipeline.capabilities import CAPABILITIES
from pipeline.settings import REPOSITORY
from pipeline.tables.catalog import TABLES


def test_tables_of_capabilities_exist_and_have_one_writer() -> None:
    for name, capability in CAPABILITIES.items():
        assert set(capability.reads) | set(capability.writes) <= set(TABLES), name
        assert not set(capability.reads) & set(capability.writes), name
    written = Counter(table for capability in CAPABILITIES.values() for table in capability.writes)
    assert max(written.values()) == 1


def test_every_capability_has_a_dag() -> None:
    intakes = {each.intake for each in CAPABILITIES.values() if each.intake}
    dags = {path.stem for path in (REPOSITORY / "dags").glob("[a-z]*.py")}
    assert dags - {"nightly"} == {*CAPABILITIES, *intakes}
