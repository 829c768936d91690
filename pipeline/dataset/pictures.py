"""Pictures of articles as arrays. Whatever a file holds, it gives an array or a reason, and never ends the reader."""

import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from pipeline.tables.articles import MISSING, NO_IMAGE, TOO_LARGE, TRUNCATED, UNKNOWN_MODE

MOST_PIXELS = 50_000_000
_MODES = frozenset({"1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBa", "La", "CMYK", "YCbCr", "HSV", "LAB"})


def read_picture(path: Path, side: int) -> np.ndarray | str:
    """A picture on white, fitted into a square, or one of PROBLEMS of the table `articles`; uint8 [side, side, 3]."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            opened = Image.open(path)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        return TOO_LARGE
    except (OSError, ValueError, SyntaxError):
        # Pillow raises SyntaxError for some broken headers.
        return NO_IMAGE if path.is_file() else MISSING
    with opened:
        if opened.width * opened.height > MOST_PIXELS:
            return TOO_LARGE
        if opened.mode not in _MODES:
            return UNKNOWN_MODE
        try:
            return _on_white(opened, side)
        except (OSError, ValueError, SyntaxError, EOFError, MemoryError):
            return TRUNCATED


def read_pictures(paths: list[Path | None], side: int) -> tuple[np.ndarray, np.ndarray, dict[int, str]]:
    """Pictures of V articles, zeros where there is none; uint8 [V, side, side, 3], bool [V].

    The third value has the reason of each article whose picture cannot be used; None is no picture, and no fault.
    """
    pictures, has = np.zeros((len(paths), side, side, 3), np.uint8), np.zeros(len(paths), bool)
    reasons: dict[int, str] = {}
    for row, path in enumerate(paths):
        if path is None:
            continue
        found = read_picture(path, side)
        if isinstance(found, str):
            reasons[row] = found
        else:
            pictures[row], has[row] = found, True
    return pictures, has, reasons


def _on_white(opened: Image.Image, side: int) -> np.ndarray:
    opened.draft("RGB", (2 * side, 2 * side))  # a large JPEG is decoded small
    picture = ImageOps.exif_transpose(opened).convert("RGBA")
    white = Image.new("RGBA", picture.size, (255, 255, 255, 255))
    white.alpha_composite(picture)
    fitted = ImageOps.pad(white.convert("RGB"), (side, side), color=(255, 255, 255))
    return np.asarray(fitted, np.uint8)
