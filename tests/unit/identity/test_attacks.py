"""Nobody gets in with a forged, confused, malformed or outdated token, and none is a crash."""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import jwt
import pytest
from haylift.adapters.kms_tokens import KmsTokens
from haylift.domain.errors import NotAuthenticated
from haylift.domain.identity import Permission, Role
from haylift.services.authorize import AuthorizeService
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.identity import MemoryCallers, MemoryUsers, SoftwareKms, user
from tests.unit.identity.attack_corpus import corpus
from tests.unit.identity.forge import Forge

ISSUER = "https://haylift.test"
AUDIENCE = "haylift"
NOW = int(time.time())
CLAIMS: dict[str, Any] = {
    "iss": ISSUER,
    "aud": AUDIENCE,
    "sub": "ada",
    "tenant": "acme",
    "role": "editor",
    "permissions": ["read", "write"],
    "groups": ["staff"],
    "stamp": "stamp-1",
    "typ": "access",
    "iat": NOW,
    # As long as the slowest run of all tests: the corpus is made when they are collected.
    "exp": NOW + 86_400,
    "jti": "id-1",
}

KMS = SoftwareKms()
KEY = KMS.create("key-1")
SIGNER = KmsTokens(["key-1"], KMS, issuer=ISSUER, audience=AUDIENCE)  # type: ignore[arg-type]
KID: str = SIGNER.jwks()["keys"][0]["kid"]  # type: ignore[index]
FORGE = Forge(key=KEY, kid=KID, claims=CLAIMS)
ATTACKS = corpus(FORGE)


def service(signer: Any = SIGNER) -> AuthorizeService:
    return AuthorizeService(signer=signer, callers=MemoryCallers(MemoryUsers({"ada": user("ada")})))


def refuses(authorize: Callable[[str], object], name: str) -> None:
    """The check: the attack ends in `NotAuthenticated`, not in a caller and not in another error."""
    try:
        caller = authorize(f"Bearer {ATTACKS[name]}")
    except NotAuthenticated:
        return
    except Exception as crash:
        raise AssertionError(f"{name}: crashed with {crash!r}") from crash
    raise AssertionError(f"{name}: let in as {caller}")


def test_the_corpus_is_large_and_its_control_is_let_in() -> None:
    caller = service().session(f"Bearer {FORGE.good()}").principal

    assert len(ATTACKS) >= 60
    assert (caller.subject, caller.tenant, caller.role) == ("ada", "acme", Role.EDITOR)
    assert caller.permissions == {Permission.READ, Permission.WRITE}
    assert caller.groups == {"staff"}


@pytest.mark.parametrize("name", ATTACKS, ids=[f"attack {number}" for number in range(len(ATTACKS))])
def test_an_attack_is_refused(name: str) -> None:
    refuses(service().session, name)


class _Naive:
    """A verifier with one protection taken away."""

    def __init__(self, **options: Any) -> None:
        self._options = options

    def verify(self, token: str) -> dict[str, object]:
        try:
            return self._decode(token)
        except jwt.PyJWTError as fault:
            raise NotAuthenticated("refused") from fault

    def _decode(self, token: str) -> dict[str, object]:
        return jwt.decode(
            token, KEY.public_key(), algorithms=["ES256"], audience=AUDIENCE, issuer=ISSUER,
            options=self._options,  # type: ignore[arg-type]
        )  # fmt: skip


class _AcceptsNone(_Naive):
    def _decode(self, token: str) -> dict[str, object]:
        if jwt.get_unverified_header(token)["alg"] == "none":
            return jwt.decode(token, options={"verify_signature": False})
        return super()._decode(token)


class _BelievesTheHeadersKey(_Naive):
    def _decode(self, token: str) -> dict[str, object]:
        own = jwt.get_unverified_header(token).get("jwk")
        if own is None:
            return super()._decode(token)
        return jwt.decode(token, jwt.PyJWK(own), algorithms=["ES256"], audience=AUDIENCE, issuer=ISSUER)


class _SkipsTheRow(AuthorizeService):
    """Trusts a token without looking at its user."""

    def session(self, authorization: str) -> Any:
        return self.signer.verify(authorization.removeprefix("Bearer "))


@pytest.mark.parametrize(
    ("broken", "name"),
    [
        (service(_AcceptsNone()), "alg 'none'"),
        (service(_BelievesTheHeadersKey()), "jwk of the attacker"),
        (service(_Naive(verify_iss=False)), "issuer another"),
        (service(_Naive(verify_aud=False)), "audience another"),
        (service(_Naive()), "audience a list with ours"),
        (service(_Naive(verify_exp=False)), "expired"),
        (service(_Naive(verify_signature=False)), "signature zeros"),
        (_SkipsTheRow(signer=_Naive(), callers=MemoryCallers()), "expiry a fraction"),
        (service(_Naive()), "expiry of 400 digits"),
        (service(_Naive()), "kid 'unknown'"),
        (_SkipsTheRow(signer=SIGNER, callers=MemoryCallers()), "stamp 'stamp-0'"),
        (_SkipsTheRow(signer=SIGNER, callers=MemoryCallers()), "purpose refresh"),
        (_SkipsTheRow(signer=SIGNER, callers=MemoryCallers()), "tenant ['acme']"),
    ],
)
def test_a_naive_verifier_fails_the_same_check(broken: AuthorizeService, name: str) -> None:
    with pytest.raises(AssertionError):
        refuses(broken.session, name)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Basic YWRhOmFkYQ==",
        FORGE.good(),
        f"Token {FORGE.good()}",
        f"Bearer{FORGE.good()}",
        f"Bearer {FORGE.good()} {FORGE.good()}",
        f"Bearer {FORGE.good()},Bearer {FORGE.good()}",
        f"Bearer\t{FORGE.good()}",
        f"Bearer {FORGE.good()}\n",
        "Bearer é",
    ],
)
def test_a_header_that_is_no_bearer_token_is_refused(header: str) -> None:
    with pytest.raises(NotAuthenticated):
        service().session(header)


def test_the_scheme_is_read_in_any_case() -> None:
    assert service().session(f"bEARER {FORGE.good()}").principal.subject == "ada"


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=300) | st.binary(max_size=300).map(lambda data: data.decode("latin-1")))
def test_no_text_is_a_crash(text: str) -> None:
    with pytest.raises(NotAuthenticated):
        service().session(f"Bearer {text}")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(CLAIMS)), JSON)
def test_a_signed_token_with_any_other_claim_is_refused(name: str, value: object) -> None:
    if value == CLAIMS[name] or (name in {"iat", "exp"} and type(value) is int):
        return
    token = FORGE.signed(None, None, **{name: value})
    if name == "jti" and isinstance(value, str) and re.fullmatch("[!-~]{1,64}", value):
        assert service().session(f"Bearer {token}").token_id == value
        return
    if name == "permissions" and isinstance(value, list) and not value:
        assert service().session(f"Bearer {token}").principal.permissions == frozenset()
        return

    with pytest.raises(NotAuthenticated):
        service().session(f"Bearer {token}")


@pytest.mark.parametrize(
    "changes",
    [
        {"is_disabled": True},
        {"stamp": "stamp-2"},
        {"role": Role.READER},
        {"role": Role.ADMIN},
        {"tenant": "globex"},
        {"groups": frozenset()},
        {"groups": frozenset({"staff", "legal"})},
    ],
)
def test_a_user_who_changed_since_is_refused(changes: Mapping[str, Any]) -> None:
    users = MemoryUsers({"ada": replace(user("ada"), **changes)})

    with pytest.raises(NotAuthenticated):
        AuthorizeService(signer=SIGNER, callers=MemoryCallers(users)).session(f"Bearer {FORGE.good()}")


def test_fewer_permissions_than_the_roles_stay_fewer() -> None:
    token = FORGE.signed(None, None, permissions=["read"])

    assert service().session(f"Bearer {token}").principal.permissions == {Permission.READ}


def test_a_forged_token_costs_no_read_of_the_table() -> None:
    users = MemoryUsers({"ada": user("ada")})

    with pytest.raises(NotAuthenticated):
        AuthorizeService(signer=SIGNER, callers=MemoryCallers(users)).session(
            f"Bearer {ATTACKS['signature zeros']}"
        )

    assert users.reads == 0
