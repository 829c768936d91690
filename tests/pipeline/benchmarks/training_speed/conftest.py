"""Torch is no dependency of Larder: what compares with it is collected only where a Python with torch is known."""

import os
import sys
from importlib.util import find_spec

TORCH_PYTHON = os.environ.get("LARDER_TORCH_PYTHON") or (sys.executable if find_spec("torch") else None)

collect_ignore = [] if TORCH_PYTHON else ["test_torch_lens.py"]
