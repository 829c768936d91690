"""Settings: precedence, unknown names, secrets."""

import pytest
from typer.testing import CliRunner

from models.refusal import Refusal
from pipeline.cli import app
from pipeline.settings import Settings
from pipeline.tasks.catalog import task_and_settings


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
    with pytest.raises(Refusal, match="epoch"):
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


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("LARDER_TRAINING__EPOCHS", "hidden", "training.epochs: Input should be a valid integer"),
        ("LARDER_TRAINING", "hidden", "the settings cannot be read"),
        ("LARDER_CONFIG", "broken.toml", "the settings cannot be read"),
        ("LARDER_CONFIG", "nowhere.toml", "LARDER_CONFIG names nowhere.toml"),
        ("LARDER_TASKS__NEXT_BASKET__TRAINING__EPOCHS", "0", "[tasks.next_basket]: epochs: "),
    ],
)
def test_a_wrong_setting_ends_every_command_in_one_line_that_shows_no_value(tmp_path, monkeypatch, name, value, said):
    (tmp_path / "broken.toml").write_text("[training\nhidden\n")
    monkeypatch.setenv(name, value)
    for command in (["alerts", "list"], ["model", "list"], ["train"], ["nightly"]):
        result = CliRunner().invoke(app, command)
        assert (result.exit_code, result.stdout) == (1, "")
        assert result.stderr.startswith(f"larder: {said}")
        assert result.stderr.count("\n") == 1
        assert "hidden" not in result.stderr


def test_a_named_config_that_is_missing_is_an_error(monkeypatch):
    monkeypatch.setenv("LARDER_CONFIG", "nowhere.toml")
    with pytest.raises(FileNotFoundError, match=r"nowhere\.toml"):
        Settings()


def test_a_task_has_its_own_settings_over_the_shared_ones(tmp_path, monkeypatch):
    (tmp_path / "larder.toml").write_text(
        "[training]\nepochs = 3\nseed = 5\n[tasks.next_basket.training]\nepochs = 4\n"
        '[tasks.next_basket.promotion]\nbaseline = "global_top"\n'
    )
    monkeypatch.setenv("LARDER_TASKS__NEXT_BASKET__TRAINING__SEED", "9")
    monkeypatch.setenv("LARDER_TRAINING__BATCH_SIZE", "16")
    of_all = Settings()
    of_task = of_all.of_task("next_basket")
    assert (of_all.training.epochs, of_all.training.seed, of_all.training.batch_size) == (3, 5, 16)
    assert (of_task.training.epochs, of_task.training.seed, of_task.training.batch_size) == (4, 9, 16)
    assert (of_all.promotion.baseline, of_task.promotion.baseline) == ("best", "global_top")
    assert of_all.of_task("another").training == of_all.training


@pytest.mark.parametrize(
    ("line", "said"),
    [("epoch = 3", "epoch: Extra inputs"), ("epochs = 0", "greater than or equal to 1"), ('epochs = "x"', "epochs")],
)
def test_a_wrong_setting_of_a_task_is_an_error_that_names_the_task(tmp_path, line, said):
    (tmp_path / "larder.toml").write_text(f"[tasks.next_basket.training]\n{line}\n")
    with pytest.raises(Refusal, match=r"\[tasks\.next_basket\]") as refusal:
        Settings()
    assert said in str(refusal.value)


def test_settings_of_a_task_that_is_not_there_are_an_error(monkeypatch):
    monkeypatch.setenv("LARDER_TASKS__NEXT_BASKT__TRAINING__EPOCHS", "4")
    with pytest.raises(ValueError, match=r"unknown task 'next_baskt'.*did you mean 'next_basket'"):
        task_and_settings("next_basket", Settings())
