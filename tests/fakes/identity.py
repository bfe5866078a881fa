"""What logging in needs from the world, in memory."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from botocore.exceptions import ClientError, EndpointConnectionError
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from haylift.domain.errors import InvalidInput, NotAuthenticated
from haylift.domain.identity import Role
from haylift.ports import Allowance, CallerRows, Limit, RefreshToken, User

NOW = 1_800_000_000.0


@dataclass
class ManualClock:
    """A clock that stands still until it is moved."""

    time: float = NOW

    def now(self) -> float:
        return self.time

    def advance(self, seconds: float) -> None:
        self.time += seconds


@dataclass
class MemoryUsers:
    """Users in a dictionary."""

    by_name: dict[str, User] = field(default_factory=dict)
    reads: int = 0

    def get(self, username: str) -> User | None:
        self.reads += 1
        return self.by_name.get(username)

    def put(self, user: User, *, must_be_new: bool = False) -> None:
        if must_be_new and user.username in self.by_name:
            raise InvalidInput("There is a user of that name.", code="user_exists", where="username")
        self.by_name[user.username] = user

    def set_password_hash(self, username: str, old_hash: str, new_hash: str) -> None:
        user = self.by_name.get(username)
        if user is not None and user.password_hash == old_hash:
            self.by_name[username] = replace(user, password_hash=new_hash)

    def replace_stamp(self, username: str, old_stamp: str, new_stamp: str) -> None:
        user = self.by_name.get(username)
        if user is not None and user.stamp == old_stamp:
            self.by_name[username] = replace(user, stamp=new_stamp)

    def list(self, tenant: str | None = None) -> tuple[User, ...]:
        users = sorted(self.by_name.values(), key=lambda user: user.username)
        return tuple(user for user in users if tenant is None or user.tenant == tenant)

    def check(self) -> None:
        """Memory always answers."""


@dataclass
class MemoryRefreshTokens:
    """Refresh tokens in a dictionary."""

    by_hash: dict[str, RefreshToken] = field(default_factory=dict)
    revoked: set[str] = field(default_factory=set)
    reuses_by_hash: dict[str, int] = field(default_factory=dict)

    def put(self, token: RefreshToken) -> None:
        self.by_hash[token.token_hash] = token

    def get(self, token_hash: str) -> RefreshToken | None:
        token = self.by_hash.get(token_hash)
        return None if token is None or token.family in self.revoked else token

    def find(self, token_hash: str) -> RefreshToken | None:
        return self.by_hash.get(token_hash)

    def mark_used(self, token_hash: str, at: float) -> bool:
        token = self.by_hash.get(token_hash)
        if token is None or token.used_at:
            return False
        self.by_hash[token_hash] = replace(token, used_at=at)
        return True

    def count_reuse(self, token_hash: str) -> int:
        if token_hash not in self.by_hash:
            return 0
        self.reuses_by_hash[token_hash] = self.reuses_by_hash.get(token_hash, 0) + 1
        return self.reuses_by_hash[token_hash]

    def revoke_family(self, family: str) -> None:
        self.revoked.add(family)


@dataclass
class MemoryRevocations:
    """Logged-out access tokens and how long they are kept."""

    until_by_token_id: dict[str, float] = field(default_factory=dict)

    def revoke(self, token_id: str, until: float) -> None:
        self.until_by_token_id[token_id] = until


@dataclass
class MemoryCallers:
    """Users and revocations, read together."""

    users: MemoryUsers = field(default_factory=MemoryUsers)
    revocations: MemoryRevocations = field(default_factory=MemoryRevocations)

    def read(self, username: str, token_id: str) -> CallerRows:
        is_revoked = token_id in self.revocations.until_by_token_id
        return CallerRows(user=self.users.get(username), is_revoked=is_revoked)


@dataclass
class MemoryLimiter:
    """Counts by name, in one window that never ends."""

    taken_by_name: dict[str, int] = field(default_factory=dict)

    def take(self, name: str, limit: Limit, cost: int = 1) -> Allowance:
        taken = self.taken_by_name.get(name, 0)
        if taken + cost > limit.requests:
            return Allowance(
                limit=limit, is_allowed=False, remaining=0, reset_after_s=30.0, retry_after_s=30.0
            )
        self.taken_by_name[name] = taken + cost
        return Allowance(
            limit=limit, is_allowed=True, remaining=limit.requests - taken - cost, reset_after_s=60.0
        )


@dataclass
class CountingHasher:
    """A hasher that costs nothing and counts; `legacy:` hashes want to be renewed."""

    verifications: int = 0

    def hash(self, password: str) -> str:
        return f"new:{password}"

    def verify(self, password: str, password_hash: str) -> bool:
        self.verifications += 1
        return password_hash in {f"new:{password}", f"legacy:{password}"}

    def needs_rehash(self, password_hash: str) -> bool:
        return not password_hash.startswith("new:")


@dataclass
class MemorySigner:
    """Tokens that only this object knows; `sign` gives them a text of three parts."""

    issuer: str
    audience: str
    clock: ManualClock
    claims_by_token: dict[str, dict[str, Any]] = field(default_factory=dict)

    def sign(self, claims: Mapping[str, object]) -> str:
        payload = {**claims, "iss": self.issuer, "aud": self.audience}
        digest = hashlib.sha256(json.dumps(payload, sort_keys=True).encode()).hexdigest()
        self.claims_by_token[f"e30.{digest}.AA"] = payload
        return f"e30.{digest}.AA"

    def verify(self, token: str) -> dict[str, object]:
        claims = self.claims_by_token.get(token)
        if claims is None or self._is_refused(claims):
            raise NotAuthenticated("The token is not valid or has expired.", code="token_invalid")
        return dict(claims)

    def jwks(self) -> dict[str, object]:
        return {"keys": []}

    def _is_refused(self, claims: Mapping[str, Any]) -> bool:
        now = self.clock.now()
        complete = {"sub", "jti", "typ", "iat", "exp"} <= claims.keys()
        return (
            not complete
            or (claims["iss"], claims["aud"]) != (self.issuer, self.audience)
            or not (claims["iat"] <= now + 10 and now < claims["exp"] + 10)
        )


@dataclass
class SoftwareKms:
    """The border to KMS: `sign` and `get_public_key` of ECC_NIST_P256 keys, as boto3 shows them.

    moto cannot stand in: it signs the base64 text of a digest instead of the digest.
    """

    keys_by_id: dict[str, ec.EllipticCurvePrivateKey] = field(default_factory=dict)
    disabled: set[str] = field(default_factory=set)
    calls: list[str] = field(default_factory=list)
    is_down: bool = False

    def create(self, key_id: str) -> ec.EllipticCurvePrivateKey:
        """Makes (or, like an alias that moves on, replaces) a key."""
        self.keys_by_id[key_id] = ec.generate_private_key(ec.SECP256R1())
        return self.keys_by_id[key_id]

    def get_public_key(self, *, KeyId: str) -> dict[str, Any]:  # as the SDK names it
        key = self._key(KeyId, "GetPublicKey")
        der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return {"KeyId": KeyId, "PublicKey": der, "KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY"}

    def sign(
        self, *, KeyId: str, Message: bytes, MessageType: str, SigningAlgorithm: str
    ) -> dict[str, Any]:  # as the SDK names them
        assert (MessageType, SigningAlgorithm) == ("DIGEST", "ECDSA_SHA_256")
        signature = self._key(KeyId, "Sign").sign(Message, ec.ECDSA(Prehashed(hashes.SHA256())))
        return {"KeyId": KeyId, "Signature": signature, "SigningAlgorithm": SigningAlgorithm}

    def _key(self, key_id: str, operation: str) -> ec.EllipticCurvePrivateKey:
        self.calls.append(operation)
        if self.is_down:
            raise EndpointConnectionError(endpoint_url="https://kms.test")
        if key_id in self.disabled or key_id not in self.keys_by_id:
            code = "DisabledException" if key_id in self.disabled else "NotFoundException"
            raise ClientError({"Error": {"Code": code, "Message": ""}}, operation)
        return self.keys_by_id[key_id]


def user(username: str = "ada", **changes: Any) -> User:
    """An editor of the tenant acme whose password is `correct horse`."""
    row = User(
        username=username,
        tenant="acme",
        role=Role.EDITOR,
        password_hash="new:correct horse",
        groups=frozenset({"staff"}),
        stamp="stamp-1",
    )
    return replace(row, **changes)
