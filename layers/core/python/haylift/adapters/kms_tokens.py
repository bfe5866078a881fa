"""Access tokens (JWT, ES256) signed by an asymmetric KMS key that never leaves KMS."""

from __future__ import annotations

import base64
import hashlib
import json
import logging
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jwt
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key
from jwt.algorithms import ECAlgorithm
from jwt.utils import der_to_raw_signature

from haylift.adapters.aws import error_code, translated
from haylift.domain.errors import NotAuthenticated, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from mypy_boto3_kms import KMSClient

ALGORITHM = "ES256"
REQUIRED_CLAIMS = ("iss", "aud", "sub", "iat", "exp", "jti", "typ")
LEEWAY_S = 10
MAX_TOKEN_CHARS = 8_192
"""50 groups of 64 characters make 5.2 kB; API Gateway takes 10,240 bytes of headers in all."""

MAX_LIFETIME_S = 86_400
"""Ours live for minutes; whatever claims more than a day was not issued by this service."""

REFETCH_S = 60.0
"""An unknown key asks KMS again at most this often, so that forged tokens cannot run up requests."""

UNUSABLE_CODES = frozenset({"NotFoundException", "DisabledException", "KMSInvalidStateException"})

_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class _PublishedKey:
    """A public key. `kid` is its RFC 7638 thumbprint, so another key can never have the same name."""

    arn: str
    public_key: EllipticCurvePublicKey
    jwk: Mapping[str, str]
    kid: str

    @property
    def header(self) -> str:
        """The one header that tokens of this key have, encoded."""
        return _base64url(_compact_json({"alg": ALGORITHM, "kid": self.kid, "typ": "JWT"}))


class KmsTokens:
    """Signs and verifies access tokens (`ports.TokenSigner`).

    Our tokens have one fixed header per key, so a header is looked up and never interpreted: `alg`,
    `kid`, `jwk`, `jku`, `x5u` and `crit` of a forged one have nothing to act on.

    Rotation: append the new key to `key_ids` (it is published), and when every cache has it (5
    minutes) put it first (it signs); drop the old one when its last token has expired.

    Args:
        key_ids: KMS keys (`ECC_NIST_P256`, `SIGN_VERIFY`) by id, ARN or alias; the first one signs.
        client: a `kms` client; needs `kms:GetPublicKey`, and `kms:Sign` to sign.
        issuer, audience: `iss` and `aud`, written into and demanded from every token.
        monotonic: seconds that never go back; paces the refetching of keys.
    """

    def __init__(
        self,
        key_ids: Sequence[str],
        client: KMSClient,
        *,
        issuer: str,
        audience: str,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._key_ids = tuple(key_ids)
        self._client = client
        self._issuer = issuer
        self._audience = audience
        self._monotonic = monotonic
        self._keys_by_id: dict[str, _PublishedKey] = {}
        self._fetched_at = 0.0

    def sign(self, claims: Mapping[str, object]) -> str:
        """A signed token with these claims, `iss` and `aud`. Raises `StoreUnavailable` (retry later)."""
        key = self._loaded().get(self._key_ids[0])
        if key is None:
            raise StoreUnavailable("The signing key cannot be used.")
        payload = {**claims, "iss": self._issuer, "aud": self._audience}
        signed_text = f"{key.header}.{_base64url(_compact_json(payload))}"
        signature = der_to_raw_signature(self._signature(key, signed_text), SECP256R1())
        return f"{signed_text}.{_base64url(signature)}"

    def _signature(self, key: _PublishedKey, signed_text: str) -> bytes:
        try:
            with translated("signing key"):
                answer = self._client.sign(
                    KeyId=key.arn,
                    Message=hashlib.sha256(signed_text.encode()).digest(),
                    MessageType="DIGEST",
                    SigningAlgorithm="ECDSA_SHA_256",
                )
        except ClientError as fault:
            # Disabled or scheduled for deletion since its public half was read.
            if error_code(fault) not in UNUSABLE_CODES:
                raise
            raise StoreUnavailable("The signing key cannot be used.") from fault
        return answer["Signature"]

    def verify(self, token: str) -> dict[str, object]:
        """The claims of a token with valid signature, issuer, audience and time (10 s of leeway).

        Raises:
            NotAuthenticated: for every other text whatsoever.
            StoreUnavailable: when the public keys cannot be read; a retry helps.
        """
        if len(token) > MAX_TOKEN_CHARS or not _COMPACT.fullmatch(token):
            raise _refusal()
        key = self._key_with_header(token.partition(".")[0])
        if key is None:
            raise _refusal()
        try:
            claims: dict[str, object] = jwt.decode(
                token,
                key.public_key,
                algorithms=[ALGORITHM],
                issuer=self._issuer,
                audience=self._audience,
                leeway=LEEWAY_S,
                options={"require": list(REQUIRED_CLAIMS), "strict_aud": True},
            )
        except (jwt.PyJWTError, ValueError, TypeError, ArithmeticError, RecursionError) as fault:
            raise _refusal() from fault
        if not _has_plausible_times(claims):
            raise _refusal()
        return claims

    def jwks(self) -> dict[str, object]:
        """The public keys (RFC 7517), the signing one first."""
        keys = self._loaded()
        published = [keys[key_id] for key_id in self._key_ids if key_id in keys]
        return {"keys": [{**key.jwk, "use": "sig", "alg": ALGORITHM, "kid": key.kid} for key in published]}

    def _key_with_header(self, header: str) -> _PublishedKey | None:
        found = _with_header(self._loaded(), header)
        if found is None and self._monotonic() - self._fetched_at >= REFETCH_S:
            found = _with_header(self._fetch_all(), header)
        return found

    def _loaded(self) -> dict[str, _PublishedKey]:
        return self._keys_by_id or self._fetch_all()

    def _fetch_all(self) -> dict[str, _PublishedKey]:
        self._fetched_at = self._monotonic()
        fetched = {key_id: self._fetch(key_id) for key_id in self._key_ids}
        usable = {key_id: key for key_id, key in fetched.items() if key is not None}
        if not usable:
            raise StoreUnavailable("No signing key can be read.")
        self._keys_by_id = usable
        return usable

    def _fetch(self, key_id: str) -> _PublishedKey | None:
        """One public key; None when KMS will not give it, so that a retired key cannot stop the others."""
        try:
            with translated("signing key"):
                answer = self._client.get_public_key(KeyId=key_id)
        except ClientError as fault:
            if error_code(fault) not in UNUSABLE_CODES:
                raise
            logger.warning("signing key skipped", extra={"key_id": key_id, "reason": error_code(fault)})
            return None
        return _published_key(answer["KeyId"], answer["PublicKey"])


def _published_key(arn: str, der: bytes) -> _PublishedKey:
    public_key = load_der_public_key(der)
    if not isinstance(public_key, EllipticCurvePublicKey) or not isinstance(public_key.curve, SECP256R1):
        raise StoreUnavailable("A signing key is not of the kind ECC_NIST_P256.")
    jwk: dict[str, Any] = ECAlgorithm.to_jwk(public_key, as_dict=True)
    # RFC 7638: SHA-256 of the required members, sorted, without white space.
    members = {name: jwk[name] for name in ("crv", "kty", "x", "y")}
    kid = _base64url(hashlib.sha256(_compact_json(members)).digest())
    return _PublishedKey(arn=arn, public_key=public_key, jwk=members, kid=kid)


def _with_header(keys_by_id: Mapping[str, _PublishedKey], header: str) -> _PublishedKey | None:
    return next((key for key in keys_by_id.values() if key.header == header), None)


def _has_plausible_times(claims: Mapping[str, object]) -> bool:
    """Whole numbers, at most a day apart: pyjwt converts, so that "9999999999" or 1e30 would pass."""
    issued_at, expires_at = claims["iat"], claims["exp"]
    if type(issued_at) is not int or type(expires_at) is not int:
        return False
    return 0 < expires_at - issued_at <= MAX_LIFETIME_S


def _refusal() -> NotAuthenticated:
    return NotAuthenticated("The token is not valid or has expired: log in again.", code="token_invalid")


def _compact_json(value: Mapping[str, object]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
