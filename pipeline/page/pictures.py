"""Pictures of articles: the one route that reads a retailer's files, and what it lets through.

A browser names a source and the hash of a picture, never a file. The file is the one that `articles` of the source has
for the hash, inside the source's own folder. What is sent is not the file but a picture made of it anew, small: nothing
else that a file may hold leaves the machine, and its size is bounded.
"""

import io
import re
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow.dataset as ds
from flask import Flask, Response, abort
from PIL import Image

from pipeline.dataset.pictures import read_picture
from pipeline.lake.lake import LakeError
from pipeline.page.context import Context
from pipeline.page.rows import RequestError
from pipeline.tables.articles import ARTICLES

SIDE = 192
_HASH = re.compile(r"[0-9a-f]{64}")
_KEPT = 512


def address(source: str, image_hash: str) -> str:
    """Where a picture is served."""
    return f"/picture/{source}/{image_hash}.jpg"


def register(server: Flask, context: Context) -> None:
    """Answer `/picture/<source>/<hash>.jpg`."""

    @server.get("/picture/<source>/<name>.jpg")
    def picture(source: str, name: str) -> Response:
        if not _HASH.fullmatch(name):
            abort(404)
        try:
            path = file_of(context, source, name)
        except (RequestError, LakeError):
            path = None
        content = small_picture(path, path.stat().st_mtime_ns) if path is not None else None
        if content is None:
            abort(404)
        return Response(content, mimetype="image/jpeg")


def file_of(context: Context, source: str, image_hash: str) -> Path | None:
    """The file of a picture; None where no article has it, or where it lies outside of the source's folder.

    Raises: RequestError: no source is called so; LakeError: it has no articles.
    """
    workspace, described = context.workspace(source), context.described(source)
    if described is None:
        return None
    files = _files_of(workspace.lake.path(ARTICLES.name, workspace.lake.resolve(ARTICLES.name)))
    file = files.get(image_hash)
    if file is None:
        return None
    folder = described.folder(workspace)
    path = folder / file
    inside = described.files_elsewhere or path.resolve().is_relative_to(folder.resolve())
    return path if inside and path.is_file() else None


@lru_cache(maxsize=4)
def _files_of(articles: Path) -> dict[str, str]:
    """File of each picture by its hash; a version of a table never changes."""
    rows = ds.dataset(articles, format="parquet").to_table(["image_hash", "image_file"])
    pairs = zip(rows["image_hash"].to_pylist(), rows["image_file"].to_pylist(), strict=True)
    return {name: file for name, file in pairs if name is not None}


@lru_cache(maxsize=_KEPT)
def small_picture(path: Path, changed_ns: int) -> bytes | None:
    """A JPEG of at most SIDE pixels a side, or None where the file is no usable picture."""
    found = read_picture(path, SIDE)
    if isinstance(found, str):
        return None
    written = io.BytesIO()
    Image.fromarray(np.asarray(found, np.uint8)).save(written, "JPEG", quality=85)
    return written.getvalue()
