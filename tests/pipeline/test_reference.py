"""The reference pages are those that the code would make now, and name everything."""

from pipeline.reference import settings_page, sources_page, tables_page
from pipeline.settings import REPOSITORY, Settings
from pipeline.tables.catalog import TABLES


def test_the_pages_in_docs_are_up_to_date():
    assert (REPOSITORY / "docs" / "tables.md").read_text() == tables_page(), "run `make docs`"
    assert (REPOSITORY / "docs" / "settings.md").read_text() == settings_page(), "run `make docs`"
    assert (REPOSITORY / "docs" / "sources.md").read_text() == sources_page(), "run `make docs`"


def test_every_column_has_a_meaning():
    for table in TABLES.values():
        assert all(column.meaning for column in table.columns), table.name


def test_every_setting_has_a_description():
    page = settings_page()
    for name in Settings.model_fields:
        assert f"`LARDER_{name.upper()}" in page
    assert "|  |\n" not in page.split("|---|---|---|")[1]


def test_every_key_of_a_description_has_meaning_values_default_and_example():
    rows = [line for line in sources_page().splitlines() if line.startswith("| `")]
    assert len(rows) > 60
    for row in rows:
        cells = [cell.strip() for cell in row.replace("\\|", "").strip("|").split("|")]
        assert len(cells) == 5
        assert all(cells), row
