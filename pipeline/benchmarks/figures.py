"""Figures with their spread, as files that people compare."""

import json
import re
from pathlib import Path
from typing import Any


def write_figures(file: Path, scores: dict[str, Any]) -> None:
    """Write scores as JSON in which every figure, a dictionary that begins with its mean, is one line."""
    text = json.dumps(scores, indent=1)
    file.write_text(re.sub(r'\{\s+"mean":[^{}]*\}', lambda figure: json.dumps(json.loads(figure[0])), text) + "\n")
