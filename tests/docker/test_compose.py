"""The containers' description, checked as far as that goes without a container engine."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.settings import REPOSITORY

DOCKER = REPOSITORY / "docker"
DOCKERFILES = sorted(DOCKER.glob("*/Dockerfile"))
DISCOVERY = DOCKER / "jobs" / "discover_gpus.sh"
OWN_SOURCES = "${LARDER_SOURCES:-./sources}:/sources:ro"
SECRET = re.compile(r"password|secret|key", re.IGNORECASE)


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return yaml.safe_load((DOCKER / "compose.yaml").read_text())


def test_every_role_has_a_service(compose: dict[str, Any]) -> None:
    roles = {"postgres", "mlflow", "spark-master", "spark-worker", "spark-worker-gpu"}
    roles |= {"airflow-scheduler", "airflow-dag-processor", "airflow-api-server"}
    assert roles <= set(compose["services"])


def test_gpus_and_the_page_start_in_their_profiles_only(compose: dict[str, Any]) -> None:
    profiles = {name: service["profiles"] for name, service in compose["services"].items() if "profiles" in service}
    assert profiles == {"spark-worker-gpu": ["gpu"], "page": ["page"]}


def test_the_gpu_worker_offers_as_many_gpus_as_it_is_given(compose: dict[str, Any]) -> None:
    service = compose["services"]["spark-worker-gpu"]
    options = dict(
        re.findall(r"-Dspark\.worker\.resource\.gpu\.(\w+)=(\S+)", service["environment"]["SPARK_WORKER_OPTS"])
    )
    (device,) = service["deploy"]["resources"]["reservations"]["devices"]
    assert options["amount"] == str(device["count"])
    assert options["discoveryScript"] == f"/opt/larder/{DISCOVERY.relative_to(REPOSITORY)}"
    assert os.access(DISCOVERY, os.X_OK)


def discovered(tmp_path: Path, nvidia_smi: str) -> "subprocess.CompletedProcess[str]":
    """The discovery script beside an `nvidia-smi` of that text."""
    stand_in = tmp_path / "nvidia-smi"
    stand_in.write_text(f"#!/bin/sh\n{nvidia_smi}\n")
    stand_in.chmod(0o755)
    environment = {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    return subprocess.run([DISCOVERY], env=environment, capture_output=True, text=True, check=False)


def test_gpus_are_found_by_their_indices(tmp_path: Path) -> None:
    found = discovered(tmp_path, r"printf '0\n1\n'")
    assert json.loads(found.stdout) == {"name": "gpu", "addresses": ["0", "1"]}


def test_a_driver_that_fails_is_no_gpu(tmp_path: Path) -> None:
    found = discovered(tmp_path, "echo 'NVIDIA-SMI has failed'; exit 9")
    assert found.returncode != 0
    assert found.stdout == ""


def test_ports_are_open_to_this_machine_only(compose: dict[str, Any]) -> None:
    ports = [port for service in compose["services"].values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_secrets_come_from_files(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        for variable, value in service.get("environment", {}).items():
            if SECRET.search(variable):
                assert "/run/secrets/" in value, f"{name}: {variable}"
        for secret in service.get("secrets", []):
            assert secret in compose["secrets"], name


def test_volumes_secrets_and_dependencies_are_declared(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        for volume in service.get("volumes", []):
            if volume == OWN_SOURCES:
                continue  # made by the commands in the file's head
            source = volume.split(":")[0]
            assert source in compose["volumes"] or (DOCKER / source).exists(), f"{name}: {source}"
        for dependency in service.get("depends_on", []):
            assert dependency in compose["services"], f"{name}: {dependency}"


def test_built_images_have_their_dockerfile(compose: dict[str, Any]) -> None:
    built = {service["image"]: service["build"] for service in compose["services"].values() if "build" in service}
    assert set(built) == {"larder-jobs", "larder-jobs-gpu", "larder-airflow", "larder-page"}
    for build in built.values():
        dockerfile = (DOCKER / build["context"] / build["dockerfile"]).read_text()
        assert "target" not in build or f" AS {build['target']}\n" in dockerfile


@pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=lambda path: path.parent.name)
def test_images_install_from_locks_with_hashes(dockerfile: Path) -> None:
    text = dockerfile.read_text().replace("\\\n", " ")
    installs = [line for line in text.splitlines() if re.search(r"pip (install|sync)", line)]
    assert installs
    for line in installs:
        assert "--require-hashes" in line or "--no-deps" in line, line


@pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=lambda path: path.parent.name)
def test_everything_that_is_copied_exists(dockerfile: Path) -> None:
    for line in dockerfile.read_text().splitlines():
        if line.startswith("COPY"):
            for source in line.split()[1:-1]:
                assert source.startswith("--") or (REPOSITORY / source).exists(), line


@pytest.mark.parametrize("image", ["jobs", "page"])
def test_images_do_not_run_as_root(image: str) -> None:
    assert "\nUSER larder\n" in (DOCKER / image / "Dockerfile").read_text()


def test_the_first_start_makes_each_database_once(compose: dict[str, Any]) -> None:
    made = re.findall(r"^CREATE DATABASE (\w+);", (DOCKER / "postgres" / "databases.sql").read_text(), re.MULTILINE)
    environment = compose["services"]["postgres"]["environment"]
    # The image makes POSTGRES_DB, by default called as the user; making it again ends the first start.
    made.append(environment.get("POSTGRES_DB", environment["POSTGRES_USER"]))
    wanted = set(re.findall(r'"\$server/(\w+)"', (DOCKER / "entrypoint.sh").read_text())) | {"airflow"}
    assert sorted(made) == sorted(wanted)


def test_secrets_are_readable_to_the_containers_user_and_their_folder_to_nobody_else(tmp_path: Path) -> None:
    described = (DOCKER / "compose.yaml").read_text().splitlines()
    commands = [line.removeprefix("#   ") for line in described if line.startswith("#   ")]
    script = "\n".join(commands).partition("docker compose")[0].replace("cd docker\n", "")
    subprocess.run(["sh", "-euc", script], cwd=tmp_path, check=True)
    folder = tmp_path / "secrets"
    assert folder.stat().st_mode & 0o777 == 0o700
    modes = {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}
    assert set(modes.values()) == {0o644}
    assert len({path.read_text() for path in folder.iterdir()}) == len(modes) == 5


def test_every_job_sees_the_folder_of_sources(compose: dict[str, Any]) -> None:
    uses_source = [service for service in compose["services"].values() if "LARDER_SOURCE" in str(service)]
    assert len(uses_source) > 5
    for service in uses_source:
        assert OWN_SOURCES in service["volumes"]
