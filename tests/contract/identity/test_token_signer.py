"""What every signer of access tokens promises, and what the one on KMS promises beyond."""

import time
from collections.abc import Callable, Mapping
from typing import Any

import jwt
import pytest
from haylift.adapters.kms_tokens import KmsTokens
from haylift.domain.errors import NotAuthenticated, StoreUnavailable
from haylift.ports import TokenSigner

from tests.fakes.identity import ManualClock, MemorySigner, SoftwareKms

ISSUER = "https://haylift.test"
AUDIENCE = "haylift"


def claims(**changes: Any) -> dict[str, Any]:
    now = int(time.time())
    return {"sub": "ada", "typ": "access", "jti": "id-1", "iat": now, "exp": now + 900} | changes


def kms_signer(kms: SoftwareKms, *key_ids: str, monotonic: Callable[[], float] = lambda: 0.0) -> KmsTokens:
    return KmsTokens(key_ids, kms, issuer=ISSUER, audience=AUDIENCE, monotonic=monotonic)  # type: ignore[arg-type]


@pytest.fixture
def kms() -> SoftwareKms:
    kms = SoftwareKms()
    kms.create("key-1")
    return kms


@pytest.fixture(params=["memory", "kms"])
def signer(request: pytest.FixtureRequest, kms: SoftwareKms) -> TokenSigner:
    if request.param == "memory":
        return MemorySigner(ISSUER, AUDIENCE, ManualClock(time.time()))
    return kms_signer(kms, "key-1")


def a_signed_token_gives_its_claims_back(signer: TokenSigner) -> None:
    given = claims(tenant="acme", permissions=["read"], groups=[])

    assert signer.verify(signer.sign(given)) == given | {"iss": ISSUER, "aud": AUDIENCE}


def the_signer_decides_issuer_and_audience(signer: TokenSigner) -> None:
    token = signer.sign(claims(iss="https://elsewhere.test", aud="another"))

    assert signer.verify(token)["iss"] == ISSUER
    assert signer.verify(token)["aud"] == AUDIENCE


def a_token_is_refused_after_its_time(signer: TokenSigner) -> None:
    now = int(time.time())
    token = signer.sign(claims(iat=now - 931, exp=now - 31))

    with pytest.raises(NotAuthenticated):
        signer.verify(token)


def a_token_is_refused_before_its_time(signer: TokenSigner) -> None:
    now = int(time.time())
    token = signer.sign(claims(iat=now + 60, exp=now + 900))

    with pytest.raises(NotAuthenticated):
        signer.verify(token)


def a_token_without_a_needed_claim_is_refused(signer: TokenSigner) -> None:
    for name in ("sub", "typ", "jti", "iat", "exp"):
        token = signer.sign({key: value for key, value in claims().items() if key != name})
        with pytest.raises(NotAuthenticated):
            signer.verify(token)


def a_text_that_is_no_token_is_refused(signer: TokenSigner) -> None:
    for text in ("", ".", "..", "hello", "a.b.c", "é.é.é"):
        with pytest.raises(NotAuthenticated):
            signer.verify(text)


CHECKS: list[Callable[[TokenSigner], None]] = [
    a_signed_token_gives_its_claims_back,
    the_signer_decides_issuer_and_audience,
    a_token_is_refused_after_its_time,
    a_token_is_refused_before_its_time,
    a_token_without_a_needed_claim_is_refused,
    a_text_that_is_no_token_is_refused,
]


@pytest.mark.parametrize("check", CHECKS)
def test_promise(check: Callable[[TokenSigner], None], signer: TokenSigner) -> None:
    check(signer)


class _Gullible(MemorySigner):
    """Believes everything that it signed."""

    def _is_refused(self, claims: Mapping[str, Any]) -> bool:
        return False


class _LetsClaimsDecide(MemorySigner):
    def sign(self, claims: Mapping[str, object]) -> str:
        token = super().sign(claims)
        self.claims_by_token[token] |= claims
        return token


@pytest.mark.parametrize(
    ("broken", "check"),
    [
        (_Gullible, a_token_is_refused_after_its_time),
        (_Gullible, a_token_is_refused_before_its_time),
        (_Gullible, a_token_without_a_needed_claim_is_refused),
        (_LetsClaimsDecide, the_signer_decides_issuer_and_audience),
    ],
)
def test_a_broken_signer_fails(broken: type[MemorySigner], check: Callable[[TokenSigner], None]) -> None:
    with pytest.raises((AssertionError, NotAuthenticated, pytest.fail.Exception)):
        check(broken(ISSUER, AUDIENCE, ManualClock(time.time())))


def test_a_stranger_verifies_with_the_published_keys(kms: SoftwareKms) -> None:
    signer = kms_signer(kms, "key-1")

    for _ in range(40):  # r or s shorter than 32 bytes comes once in 128 signatures and must be padded
        token = signer.sign(claims())
        published = jwt.PyJWKSet.from_dict(signer.jwks())  # type: ignore[arg-type]
        key = published[jwt.get_unverified_header(token)["kid"]]
        assert jwt.decode(token, key, algorithms=["ES256"], audience=AUDIENCE, issuer=ISSUER)["sub"] == "ada"


def test_the_published_keys_are_complete_and_public(kms: SoftwareKms) -> None:
    kms.create("key-2")

    keys = kms_signer(kms, "key-2", "key-1").jwks()["keys"]

    assert isinstance(keys, list)
    assert [sorted(key) for key in keys] == [["alg", "crv", "kid", "kty", "use", "x", "y"]] * 2
    assert {key["kid"] for key in keys} == {
        jwt.get_unverified_header(kms_signer(kms, key_id).sign(claims()))["kid"]
        for key_id in ("key-1", "key-2")
    }


def test_a_rotated_signer_still_knows_tokens_of_the_old_key(kms: SoftwareKms) -> None:
    old_token = kms_signer(kms, "key-1").sign(claims())
    kms.create("key-2")

    rotated = kms_signer(kms, "key-2", "key-1")

    assert rotated.verify(old_token)["sub"] == "ada"
    assert jwt.get_unverified_header(rotated.sign(claims())) != jwt.get_unverified_header(old_token)


def test_a_dropped_key_is_refused(kms: SoftwareKms) -> None:
    old_token = kms_signer(kms, "key-1").sign(claims())
    kms.create("key-2")

    with pytest.raises(NotAuthenticated):
        kms_signer(kms, "key-2").verify(old_token)


def test_a_disabled_old_key_does_not_stop_the_others(kms: SoftwareKms) -> None:
    kms.create("key-2")
    kms.disabled.add("key-1")
    signer = kms_signer(kms, "key-2", "key-1")

    assert signer.verify(signer.sign(claims()))["sub"] == "ada"
    assert len(signer.jwks()["keys"]) == 1  # type: ignore[arg-type]


def test_a_signer_without_its_signing_key_is_unavailable(kms: SoftwareKms) -> None:
    kms.create("key-2")
    kms.disabled.add("key-2")

    with pytest.raises(StoreUnavailable):
        kms_signer(kms, "key-2", "key-1").sign(claims())
    with pytest.raises(StoreUnavailable):
        kms_signer(kms, "key-2").jwks()


def test_a_key_disabled_after_it_was_read_is_unavailable_and_no_bug(kms: SoftwareKms) -> None:
    signer = kms_signer(kms, "key-1")
    signer.sign(claims())
    kms.disabled.add("key-1")

    with pytest.raises(StoreUnavailable):
        signer.sign(claims())


def test_keys_are_asked_for_once(kms: SoftwareKms) -> None:
    signer = kms_signer(kms, "key-1")
    token = signer.sign(claims())

    for _ in range(5):
        signer.verify(token)

    assert kms.calls == ["GetPublicKey", "Sign"]


def asks_for_unknown_keys_at_most_once_a_minute(
    signer: TokenSigner, kms: SoftwareKms, seconds: ManualClock
) -> None:
    signer.jwks()
    stranger = SoftwareKms()
    stranger.create("other")
    forged = kms_signer(stranger, "other").sign(claims())

    for _ in range(180):
        seconds.advance(1)
        with pytest.raises(NotAuthenticated):
            signer.verify(forged)

    assert kms.calls.count("GetPublicKey") == 4


def test_forged_tokens_cannot_run_up_requests(kms: SoftwareKms) -> None:
    seconds = ManualClock(0.0)

    asks_for_unknown_keys_at_most_once_a_minute(kms_signer(kms, "key-1", monotonic=seconds.now), kms, seconds)


def test_a_signer_that_always_asks_fails(kms: SoftwareKms) -> None:
    seconds = ManualClock(0.0)
    eager = kms_signer(kms, "key-1", monotonic=lambda: seconds.now() * 1_000)

    with pytest.raises(AssertionError):
        asks_for_unknown_keys_at_most_once_a_minute(eager, kms, seconds)


def test_an_alias_that_moved_on_is_known_within_a_minute(kms: SoftwareKms) -> None:
    seconds = ManualClock(0.0)
    reader = kms_signer(kms, "key-1", monotonic=seconds.now)
    reader.jwks()
    kms.create("key-1")
    token = kms_signer(kms, "key-1").sign(claims())

    seconds.advance(61)

    assert reader.verify(token)["sub"] == "ada"


def test_without_kms_known_tokens_are_still_verified(kms: SoftwareKms) -> None:
    signer = kms_signer(kms, "key-1")
    token = signer.sign(claims())
    kms.is_down = True

    assert signer.verify(token)["sub"] == "ada"
    with pytest.raises(StoreUnavailable):
        signer.sign(claims())
    with pytest.raises(StoreUnavailable):
        kms_signer(kms, "key-1").verify(token)
