"""Pseudonyms are keyed, the key is secret and not with the data, and a lake holds one kind of id."""

import hashlib
import hmac
from pathlib import Path

import pytest

from pipeline.settings import Settings
from pipeline.sources.pseudonyms import RAW, customer_key, id_scheme, pseudonym, refuse_other_scheme
from pipeline.sources.source import Source, SourceError, load_source

KEY = "0123456789abcdef" * 2


def source(**rules: bool) -> Source:
    columns = {"sold_at": "a", "product": "b", "customer": "c", "quantity": "d", "amount": "e"}
    return Source.model_validate(
        {"name": "till", "files": "*", "timezone": "UTC", "columns": columns, "customers": rules}
    )


def test_it_is_the_hmac_of_the_id_under_the_key() -> None:
    expected = hmac.digest(KEY.encode(), "Müller 7".encode(), hashlib.sha256).hex()
    assert pseudonym(KEY.encode(), "Müller 7") == expected
    assert pseudonym(KEY.encode() + b"x", "Müller 7") != expected


@pytest.mark.parametrize("name", ["shop", "tafeng", "csv"])
def test_shipped_sources_want_no_key(name: str, settings: Settings) -> None:
    assert customer_key(settings, load_source(name)) is None


def test_a_missing_or_short_key_is_named_with_what_to_do(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LARDER_CUSTOMER_KEY", raising=False)
    with pytest.raises(SourceError, match=r"source till pseudonymises .* there is no key: set LARDER_CUSTOMER_KEY"):
        customer_key(Settings(), source(pseudonymise=True))
    monkeypatch.setenv("LARDER_CUSTOMER_KEY", "hush")
    with pytest.raises(SourceError, match="has only 4 characters") as refused:
        customer_key(Settings(), source(pseudonymise=True))
    assert "hush" not in str(refused.value)


def test_the_key_comes_from_the_environment_or_a_file_outside_the_data(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LARDER_CUSTOMER_KEY", KEY)
    assert customer_key(Settings(), source(pseudonymise=True)) == KEY.encode()
    assert KEY not in Settings().model_dump_json()
    monkeypatch.delenv("LARDER_CUSTOMER_KEY")
    secrets = tmp_path / "secrets"
    for folder in (secrets, settings.data_dir / "secrets"):
        folder.mkdir(parents=True)
        (folder / "larder_customer_key").write_text(KEY + "\n")
    monkeypatch.setenv("LARDER_SECRETS_DIR", str(secrets))
    assert customer_key(Settings(), source(pseudonymise=True)) == KEY.encode()
    monkeypatch.setenv("LARDER_SECRETS_DIR", str(settings.data_dir / "secrets"))
    with pytest.raises(SourceError, match=r"lies in .* with the data"):
        customer_key(Settings(), source(pseudonymise=True))


def test_ids_written_otherwise_are_refused() -> None:
    for key, before in ((KEY.encode(), RAW), (None, id_scheme(KEY.encode())), (b"another", id_scheme(KEY.encode()))):
        with pytest.raises(SourceError, match="customers taken in so far are written otherwise"):
            refuse_other_scheme(key, before)
    refuse_other_scheme(KEY.encode(), id_scheme(KEY.encode()))
    refuse_other_scheme(None, None)
