"""What lies beside deliveries and is none: hidden files, locks, half copies, what Macs, Windows or Spark leave."""

import re
from pathlib import PurePosixPath

_LEFTOVERS = re.compile(
    r"^(?:\..*|~\$.*|.*~|.*\.(?:tmp|part|partial|filepart|crdownload|lock|lck|swp)|thumbs\.db|desktop\.ini"
    r"|_success|_metadata|_common_metadata|_(?:started|committed)_.*)$",
    re.IGNORECASE,
)


def is_leftover(name: str) -> bool:
    """Whether a file in a folder or an archive is no delivery, by its relative name."""
    parts = PurePosixPath(name).parts
    return "__MACOSX" in parts or any(_LEFTOVERS.match(part) for part in parts)
