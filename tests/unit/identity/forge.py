"""Makes tokens that only look like ours."""

import base64
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

type Segment = Mapping[str, Any] | list[Any] | str | int | bytes | None


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def segment(content: Segment) -> str:
    return base64url(content if isinstance(content, bytes) else json.dumps(content).encode())


def raw_signature(key: ec.EllipticCurvePrivateKey, text: str) -> bytes:
    r, s = decode_dss_signature(key.sign(text.encode(), ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32) + s.to_bytes(32)


@dataclass(frozen=True, kw_only=True)
class Forge:
    """Makes tokens around a good one. `key` is the real signing key: even its holder must fail here."""

    key: ec.EllipticCurvePrivateKey
    kid: str
    claims: Mapping[str, Any]

    @property
    def header(self) -> dict[str, Any]:
        return {"alg": "ES256", "kid": self.kid, "typ": "JWT"}

    def good(self) -> str:
        """A token that is accepted: the control of the experiment."""
        return self.signed()

    def signed(self, header: Segment = None, payload: Segment = None, **claims: Any) -> str:
        """Signed by the real key, whatever it says. A claim of `...` is left out."""
        changed = {name: value for name, value in {**self.claims, **claims}.items() if value is not ...}
        head = compact(self.header) if header is None else segment(header)
        text = f"{head}.{segment(changed if payload is None else payload)}"
        return f"{text}.{base64url(raw_signature(self.key, text))}"

    def unsigned(self, header: Segment, signature: bytes = b"") -> str:
        return f"{segment(header)}.{segment(dict(self.claims))}.{base64url(signature)}"

    def mac(self, algorithm: str, secret: bytes) -> str:
        text = f"{segment({**self.header, 'alg': algorithm})}.{segment(dict(self.claims))}"
        digest = {"HS256": "sha256", "HS384": "sha384", "HS512": "sha512"}[algorithm]
        return f"{text}.{base64url(hmac.new(secret, text.encode(), digest).digest())}"


def compact(header: Mapping[str, Any]) -> str:
    return base64url(json.dumps(header, separators=(",", ":")).encode())
