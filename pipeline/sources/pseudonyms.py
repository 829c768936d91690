"""Customer ids as keyed hashes: who reads the tables, the alerts or a backup of them cannot tell who a customer is.

A source with `[customers] pseudonymise = true` has every customer id replaced by its HMAC-SHA256 (RFC 2104), in hex, as
its lines are read; nothing behind that sees the id. Without the key nobody can try out ids, as one could with a plain
hash. The key comes from the environment (`LARDER_CUSTOMER_KEY`) or from a file `larder_customer_key` in
`LARDER_SECRETS_DIR`, and must not lie with the data. Whoever loses it can no longer tell which rows are a customer's.
"""

import hmac
import os
from pathlib import Path

from pipeline.settings import Settings
from pipeline.sources.source import Source, SourceError

SHORTEST_KEY = 32
RAW = "as delivered"


def pseudonym(key: bytes, customer_id: str) -> str:
    """The id's HMAC-SHA256 in 64 hexadecimal digits."""
    return hmac.new(key, customer_id.encode(), "sha256").hexdigest()


def customer_key(settings: Settings, source: Source) -> bytes | None:
    """The key of a source that pseudonymises; None for one that does not.

    Raises: SourceError: when the key is missing, too short to be secret, or kept with the data.
    """
    if not source.customers.pseudonymise:
        return None
    wanted = f"source {source.name} pseudonymises its customers ([customers] pseudonymise = true)"
    how = (
        f"set LARDER_CUSTOMER_KEY to {SHORTEST_KEY} or more characters (`openssl rand -hex 32` makes some), "
        "or put them into a file larder_customer_key in the folder that LARDER_SECRETS_DIR names"
    )
    if settings.customer_key is None:
        raise SourceError(f"{wanted}, but there is no key: {how}")
    key = settings.customer_key.get_secret_value().strip()
    if len(key) < SHORTEST_KEY:
        raise SourceError(f"{wanted}, but its key has only {len(key)} characters: {how}")
    folder = os.environ.get("LARDER_SECRETS_DIR")
    if folder and Path(folder).resolve().is_relative_to(Path(settings.data_dir).resolve()):
        raise SourceError(f"{wanted}, but LARDER_SECRETS_DIR lies in {settings.data_dir}, with the data: move it out")
    return key.encode()


def id_scheme(key: bytes | None) -> str:
    """How ids are written, for a version's manifest: as delivered, or under which key, told by a fingerprint."""
    return RAW if key is None else f"hmac-sha256 {pseudonym(key, 'fingerprint of this key')[:12]}"


def refuse_other_scheme(key: bytes | None, before: str | None) -> None:
    """Raises: SourceError: when the lake's customers are written otherwise, so that each would be two from now on."""
    scheme = id_scheme(key)
    if before not in (None, scheme):
        raise SourceError(
            f"the customers taken in so far are written otherwise ({before}) than this night would ({scheme}); "
            "go back to that, or begin anew under another source name"
        )
