"""The type of what Keras computes with."""

from collections.abc import Mapping
from typing import Any, TypeAlias

# Keras and its backends publish no common type. The alias says which arguments and results are tensors (symbolic,
# eager, or an array that Keras converts); docstrings give dtype and shape.
Tensor: TypeAlias = Any

# Arrays of a batch by the names in `models/fields.py`.
TensorBatch: TypeAlias = Mapping[str, Tensor]
