"""A capability's run is about the night whose assets started it: proved with Airflow's own scheduler code."""

import json
import os
import subprocess
from pathlib import Path

from pipeline.nightly.environment import ONCE, airflow_environment, airflow_program
from pipeline.settings import REPOSITORY, Settings

SUBMIT = """#!/bin/sh
echo "$@" >> "$SUBMITTED"
"""


def test_two_nights_start_two_runs_each_about_its_own_date(tmp_path: Path) -> None:
    """The later night comes first, as in a backfill; one source leaves the capability off."""
    (tmp_path / "bin").mkdir()
    for name in ("spark-submit", "python"):
        program = tmp_path / "bin" / name
        program.write_text(SUBMIT)
        program.chmod(0o755)
    shop = (REPOSITORY / "pipeline" / "sources" / "shop.toml").read_text()
    off = tmp_path / "off.toml"
    off.write_text("capabilities = []\n" + shop.replace('name = "shop"', 'name = "off"'))
    environment = airflow_environment(Settings(data_dir=tmp_path / "var"), ONCE) | {
        "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
        "LARDER_JOBS_PYTHON": str(tmp_path / "bin" / "python"),
        "SUBMITTED": str(tmp_path / "submitted"),
        "LARDER_DEADLINE_HOURS": "0",  # `dag.test` cannot end a run that has a deadline
        "LARDER_TASK_RETRIES": "0",
    }
    nights = [
        {"source": "shop", "business_date": "2026-03-02", "run_name": "night-2"},
        {"source": "shop", "business_date": "2024-02-29", "run_name": "night-1"},
        {"source": str(off), "business_date": "2026-03-03", "run_name": "night-off"},
    ]
    subprocess.run([airflow_program(), "db", "migrate"], env=environment, check=True, capture_output=True)
    program = [Path(airflow_program()).with_name("python"), Path(__file__).with_name("run_capability.py")]
    done = subprocess.run(
        [*program, json.dumps(nights)], env=environment, cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    runs = json.loads(done.stdout.splitlines()[-1])
    assert [(run["partition"], run["logical_date"], run["state"]) for run in runs] == [
        ("2024-02-29", None, "success"),
        ("2026-03-02", None, "success"),
        ("2026-03-03", None, "success"),
    ]
    assert [run["tasks"]["segment_funnels"] for run in runs] == ["success", "success", "skipped"]
    submitted = (tmp_path / "submitted").read_text().splitlines()
    segments = [line.split("segment_funnels.py ")[1] for line in submitted if "segment_funnels.py" in line]
    assert sorted(segments) == [
        f"--source shop --business-date {night['business_date']} --run-id {night['run_name']}"
        for night in sorted(nights[:2], key=lambda night: night["business_date"])
    ]
