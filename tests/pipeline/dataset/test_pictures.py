"""Pictures: any mode and size gives an array, any bad file a reason."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.dataset.pictures import read_picture, read_pictures


def _png_header(width: int, height: int) -> bytes:
    """A PNG that says it is that large and holds next to nothing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    size = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK"])
@pytest.mark.parametrize("size", [(1, 1), (300, 20), (48, 48)])
def test_every_usual_mode_and_size_is_read(mode: str, size: tuple[int, int], tmp_path: Path) -> None:
    path = tmp_path / ("one.jpg" if mode == "CMYK" else "one.png")
    Image.new(mode, size).save(path)
    found = read_picture(path, 32)
    assert isinstance(found, np.ndarray)
    assert found.shape == (32, 32, 3)
    assert found.dtype == np.uint8


def test_what_is_transparent_is_white(tmp_path: Path) -> None:
    Image.new("RGBA", (8, 8), (200, 0, 0, 0)).save(tmp_path / "one.png")
    found = read_picture(tmp_path / "one.png", 8)
    assert isinstance(found, np.ndarray)
    assert (found == 255).all()


def test_every_bad_file_gives_its_reason_and_the_others_are_read(tmp_path: Path) -> None:
    good = tmp_path / "good.jpg"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (200, 200, 3), np.uint8)).save(good)
    contents = {
        "cut.jpg": good.read_bytes()[:3000],
        "text.png": b"<html>404</html>",
        "empty.png": b"",
        "bomb.png": _png_header(60_000, 60_000),
        "large.png": _png_header(9_000, 9_000),
        "short.png": _png_header(500, 500),
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    Image.new("I;16", (8, 8)).save(tmp_path / "deep.png")
    (tmp_path / "folder.png").mkdir()
    names = ["good.jpg", *contents, "deep.png", "folder.png", "absent.png"]
    pictures, has, reasons = read_pictures([None, *(tmp_path / name for name in names)], 16)
    assert has.tolist() == [False, True] + [False] * (len(names) - 1)
    assert not pictures[~has].any()
    assert {names[row - 1]: reason for row, reason in reasons.items()} == {
        "cut.jpg": "truncated",
        "text.png": "not an image",
        "empty.png": "not an image",
        "bomb.png": "too many pixels",
        "large.png": "too many pixels",
        "short.png": "truncated",
        "deep.png": "unknown mode",
        "folder.png": "missing",
        "absent.png": "missing",
    }
