"""Passwords as argon2id hashes, with a way in for old bcrypt ones."""

import bcrypt
from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

TIME_COST = 2
MEMORY_KIB = 19 * 1024
PARALLELISM = 1
"""OWASP Password Storage Cheat Sheet: argon2id with m=19 MiB, t=2, p=1; about 23 ms of CPU."""

BCRYPT_PREFIXES = ("$2a$", "$2b$", "$2y$")
BCRYPT_MAX_BYTES = 72
"""What bcrypt reads of a password; version 5 of the library refuses longer ones with ValueError."""


class Argon2Hasher:
    """Hashes with argon2id; verifies argon2id and bcrypt.

    Args:
        time_cost, memory_kib: argon2's parameters; smaller ones are for tests.
    """

    def __init__(self, *, time_cost: int = TIME_COST, memory_kib: int = MEMORY_KIB) -> None:
        self._argon2 = PasswordHasher(
            time_cost=time_cost, memory_cost=memory_kib, parallelism=PARALLELISM, type=Type.ID
        )
        self._decoy_hash = self._argon2.hash("nobody's password")

    def hash(self, password: str) -> str:
        """A new argon2id hash in the PHC text form, with its own random salt."""
        return self._argon2.hash(_encoded(password))

    def verify(self, password: str, password_hash: str) -> bool:
        """Says whether the password fits.

        A hash that no method can read costs as much as a wrong password against an argon2id hash, so
        that a missing user takes as long as an existing one. (A bcrypt hash costs its own, longer
        time until its owner's next login replaces it.) Never raises.
        """
        if password_hash.startswith(BCRYPT_PREFIXES):
            try:
                return _fits_bcrypt(_encoded(password), password_hash)
            except ValueError:
                return self._refuse_slowly(password)
        try:
            return self._argon2.verify(password_hash, _encoded(password))
        except (InvalidHashError, UnicodeEncodeError):
            return self._refuse_slowly(password)
        except VerificationError:
            return False

    def needs_rehash(self, password_hash: str) -> bool:
        """True for bcrypt, for other argon2 parameters, and for what is no hash at all."""
        try:
            return self._argon2.check_needs_rehash(password_hash)
        except InvalidHashError:
            return True

    def _refuse_slowly(self, password: str) -> bool:
        try:
            self._argon2.verify(self._decoy_hash, _encoded(password))
        except VerificationError:
            return False
        return False


def _fits_bcrypt(password: bytes, password_hash: str) -> bool:
    """Cuts at 72 bytes, as the libraries did that made these hashes. ValueError: no usable hash."""
    return bcrypt.checkpw(password[:BCRYPT_MAX_BYTES], password_hash.encode("ascii"))


def _encoded(password: str) -> bytes:
    """UTF-8; a lone surrogate from a JSON escape must end as a wrong password, not as a crash."""
    return password.encode("utf-8", "surrogatepass")
