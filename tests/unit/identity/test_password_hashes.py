"""Passwords as hashes: today's method, yesterday's, and input that is neither."""

from dataclasses import dataclass

import bcrypt
import pytest
from haylift.adapters.password_hashes import Argon2Hasher

FAST = Argon2Hasher(time_cost=1, memory_kib=8)


def old_hash(password: bytes) -> str:
    """As libraries before bcrypt 5 made it: cut at 72 bytes without a word."""
    return bcrypt.hashpw(password[:72], bcrypt.gensalt(rounds=4)).decode()


def test_a_hash_has_the_parameters_that_owasp_asks_for() -> None:
    assert Argon2Hasher().hash("correct horse").startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_a_hash_fits_its_password_only() -> None:
    hashed = FAST.hash("correct horse")

    assert FAST.verify("correct horse", hashed)
    assert not FAST.verify("Correct horse", hashed)
    assert not FAST.verify("", hashed)
    assert FAST.hash("correct horse") != hashed


@pytest.mark.parametrize("password", ["", "x" * 1_024, "pässwörd", "🐎" * 100, "nul\0inside", "\ud800"])
def test_any_text_can_be_a_password(password: str) -> None:
    hashed = FAST.hash(password)

    assert FAST.verify(password, hashed)
    assert not FAST.verify(password + "x", hashed)


def test_an_old_hash_fits_its_password_only() -> None:
    hashed = old_hash(b"correct horse")

    assert FAST.verify("correct horse", hashed)
    assert not FAST.verify("wrong", hashed)


@pytest.mark.parametrize("prefix", ["$2a$", "$2b$", "$2y$"])
def test_every_writing_of_old_hashes_is_read(prefix: str) -> None:
    assert FAST.verify("correct horse", old_hash(b"correct horse").replace("$2b$", prefix))


@pytest.mark.parametrize("password", ["a" * 72, "a" * 73, "a" * 1_024, "ä" * 40])
def test_a_long_password_fits_its_old_hash(password: str) -> None:
    assert FAST.verify(password, old_hash(password.encode()))


@pytest.mark.parametrize("password", ["nul\0inside", "\ud800", "x" * 1_024])
@pytest.mark.parametrize(
    "unusable", ["", "!", "$2b$", "$2b$99$" + "a" * 53, "$2b$04$é", "$argon2id$", "$argon2id$v=19$m=8", "é"]
)
def test_what_is_no_hash_fits_nothing_and_is_no_crash(password: str, unusable: str) -> None:
    assert not FAST.verify(password, unusable)


@pytest.mark.parametrize(
    ("password_hash", "is_old"),
    [
        (FAST.hash("x"), False),
        (Argon2Hasher(time_cost=2, memory_kib=8).hash("x"), True),
        (old_hash(b"x"), True),
        ("", True),
    ],
    ids=["as wanted", "more costly", "bcrypt", "none"],
)
def test_old_hashes_want_to_be_renewed(password_hash: str, is_old: bool) -> None:
    assert FAST.needs_rehash(password_hash) is is_old


@dataclass
class _CountedArgon2:
    """The library's border: counts the real verifications."""

    argon2: object
    verifications: int = 0

    def verify(self, password_hash: str, password: bytes) -> bool:
        valid = password_hash.count("$") == 5
        self.verifications += valid
        return self.argon2.verify(password_hash, password)  # type: ignore[attr-defined, no-any-return]


@pytest.mark.parametrize("unusable", ["", "!", "é", "$2b$", "$2b$99$" + "a" * 53])
def test_a_missing_hash_costs_as_much_as_a_wrong_password(unusable: str) -> None:
    hasher = Argon2Hasher(time_cost=1, memory_kib=8)
    counted = _CountedArgon2(hasher._argon2)
    hasher._argon2 = counted  # type: ignore[assignment]

    assert not hasher.verify("wrong", unusable)

    assert counted.verifications == 1
