"""LightGBM's trees as arrays of one shape, which need no LightGBM to be evaluated."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import lightgbm

_NEVER_EXCEEDED = np.finfo(np.float32).max
"""Threshold of a node that does not split; finite, so that a model's weights are."""


@dataclass(frozen=True)
class CompleteTrees:
    """T trees of D levels, each node of which compares one column: above the threshold the way is to the right.

    Node n has the children 2n + 1 and 2n + 2; the leaves follow the nodes.

    columns: int32 [T, 2^D - 1]; thresholds: float32 [T, 2^D - 1]; values: float32 [T, 2^D], of the leaves.
    """

    columns: np.ndarray
    thresholds: np.ndarray
    values: np.ndarray

    @classmethod
    def constant(cls, n_trees: int, depth: int) -> "CompleteTrees":
        """Trees whose leaves are all 0."""
        n_nodes = 2**depth - 1
        thresholds = np.full((n_trees, n_nodes), _NEVER_EXCEEDED, np.float32)
        return cls(np.zeros((n_trees, n_nodes), np.int32), thresholds, np.zeros((n_trees, n_nodes + 1), np.float32))

    @classmethod
    def of(cls, booster: "lightgbm.Booster", n_trees: int, depth: int) -> "CompleteTrees":
        """The booster's trees, then constant ones; their sum is its raw score of rows without missing values.

        Raises: ValueError: where it has more or deeper trees, or splits that are not of numbers.
        """
        grown = booster.dump_model()["tree_info"]
        if len(grown) > n_trees:
            raise ValueError(f"{len(grown)} trees do not fit into {n_trees}")
        trees = cls.constant(n_trees, depth)
        for number, tree in enumerate(grown):
            trees._fill(number, 0, tree["tree_structure"])
        return trees

    def _fill(self, tree: int, at: int, node: dict[str, Any]) -> None:
        n_nodes = self.columns.shape[1]
        if "split_feature" not in node:
            while at < n_nodes:  # a leaf above the last level: no node below it splits
                at = 2 * at + 1
            self.values[tree, at - n_nodes] = node["leaf_value"]
            return
        if at >= n_nodes:
            raise ValueError(f"tree {tree} has more levels than {int(np.log2(n_nodes + 1))}")
        if node["decision_type"] != "<=":
            raise ValueError(f"tree {tree} splits by {node['decision_type']}, not by <=")
        self.columns[tree, at] = node["split_feature"]
        self.thresholds[tree, at] = _at_most(node["threshold"])
        self._fill(tree, 2 * at + 1, node["left_child"])
        self._fill(tree, 2 * at + 2, node["right_child"])


def _at_most(threshold: float) -> np.float32:
    """The largest float32 that is not above: for every float32 x, x <= threshold is the same by both."""
    nearest = np.float32(threshold)
    return np.nextafter(nearest, np.float32(-np.inf)) if float(nearest) > threshold else nearest
