"""An OpenID Connect provider for tests: discovery, keys and tokens over real HTTP, with signatures that are checked."""

import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from flask import Flask, jsonify, request
from joserfc import jwt
from joserfc.jwk import RSAKey
from werkzeug.serving import make_server

CLIENT, SECRET = "larder", "open-sesame"


@dataclass
class Provider:
    """Answers for whoever `claims` describes; `tamper` changes the token's claims after the nonce is set.

    `userinfo` is what it says of the person later on; None after the login ended there.
    """

    url: str = ""
    claims: dict[str, Any] = field(default_factory=dict)
    tamper: dict[str, Any] = field(default_factory=dict)
    userinfo: dict[str, Any] | None = None
    signed_with: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "one"}))
    key: RSAKey = field(init=False)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.key = self.signed_with

    def consent(self, location: str) -> str:
        """What the provider's own page does once the person has agreed: the address that it sends the browser to."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
        code = f"code{len(self.codes)}"
        self.codes[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def token(self, asked: dict[str, str]) -> str:
        """The signed identity."""
        now = int(time.time())
        claims = {"iss": self.url, "aud": CLIENT, "iat": now, "exp": now + 60, "nonce": asked["nonce"], "sub": "u1"}
        return jwt.encode({"alg": "RS256", "kid": "one"}, claims | self.claims | self.tamper, self.signed_with)


@contextmanager
def providing() -> Iterator[Provider]:
    """A provider that answers until the block ends."""
    provider, server = Provider(), Flask("provider")

    @server.get("/.well-known/openid-configuration")
    def configuration() -> Any:
        return jsonify(
            issuer=provider.url,
            authorization_endpoint=f"{provider.url}/authorize",
            token_endpoint=f"{provider.url}/token",
            jwks_uri=f"{provider.url}/keys",
            userinfo_endpoint=f"{provider.url}/userinfo",
            id_token_signing_alg_values_supported=["RS256"],
        )

    @server.get("/keys")
    def keys() -> Any:
        return jsonify(keys=[provider.key.as_dict(private=False)])

    @server.post("/token")
    def token() -> Any:
        asked = provider.codes.pop(request.form["code"])
        proof = urlsafe_b64encode(sha256(request.form["code_verifier"].encode()).digest()).rstrip(b"=").decode()
        known = request.authorization
        if known is None or (known.username, known.password) != (CLIENT, SECRET) or proof != asked["code_challenge"]:
            return jsonify(error="invalid_client"), 401
        return jsonify(access_token="a", token_type="Bearer", expires_in=3600, id_token=provider.token(asked))

    @server.get("/userinfo")
    def userinfo() -> Any:
        if provider.userinfo is None or request.headers.get("Authorization") != "Bearer a":
            return jsonify(error="invalid_token"), 401
        return jsonify({"sub": "u1"} | provider.userinfo)

    running = make_server("127.0.0.1", 0, server, threaded=True)
    provider.url = f"http://127.0.0.1:{running.server_port}"
    thread = threading.Thread(target=running.serve_forever, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        running.shutdown()
        thread.join()
