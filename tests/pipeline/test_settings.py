"""Settings: precedence, unknown names, secrets."""

import pytest
from pydantic import ValidationError

from pipeline.settings import Settings


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LARDER_CONFIG", raising=False)


def test_environment_beats_toml(tmp_path, monkeypatch):
    (tmp_path / "larder.toml").write_text("[training]\nepochs = 3\nseed = 5\n")
    monkeypatch.setenv("LARDER_TRAINING__EPOCHS", "7")
    training = Settings().training
    assert (training.epochs, training.seed) == (7, 5)


def test_an_unknown_name_in_a_section_is_an_error(tmp_path):
    (tmp_path / "larder.toml").write_text("[training]\nepoch = 3\n")
    with pytest.raises(ValidationError, match="epoch"):
        Settings()


def test_an_unknown_top_level_name_names_file_and_key(tmp_path):
    (tmp_path / "larder.toml").write_text("[trainig]\nepochs = 3\n")
    with pytest.raises(ValueError, match=r"larder\.toml: unknown setting 'trainig'"):
        Settings()


def test_a_secret_in_the_toml_file_is_refused(tmp_path):
    (tmp_path / "larder.toml").write_text('database_url = "postgresql://user:hidden@host/db"\n')
    with pytest.raises(ValueError, match="LARDER_DATABASE_URL") as refusal:
        Settings()
    assert "hidden" not in str(refusal.value)


def test_a_secret_may_come_from_a_file_and_is_masked(tmp_path, monkeypatch):
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "larder_database_url").write_text("postgresql://user:hidden@host/db\n")
    monkeypatch.setenv("LARDER_SECRETS_DIR", str(tmp_path / "secrets"))
    settings = Settings()
    assert settings.alert_database_url == "postgresql://user:hidden@host/db"
    assert "hidden" not in repr(settings)
    assert "hidden" not in settings.model_dump_json()


def test_a_named_config_that_is_missing_is_an_error(monkeypatch):
    monkeypatch.setenv("LARDER_CONFIG", "nowhere.toml")
    with pytest.raises(FileNotFoundError, match=r"nowhere\.toml"):
        Settings()
