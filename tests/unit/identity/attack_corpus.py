"""Tokens that nobody may get in with: forged, confused, malformed, or signed and still wrong.

Sources: RFC 8725 (JWT best current practices), CVE-2015-9235 (alg none, key confusion),
CVE-2018-0114 (key in the header), CVE-2022-21449 (zero signatures).
"""

import base64
import json
import time
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.unit.identity.forge import Forge, base64url, segment


def corpus(forge: Forge) -> dict[str, str]:
    """All attacks by name."""
    families: list[Callable[[Forge], dict[str, str]]] = [
        _without_signature,
        _confused_keys,
        _key_ids,
        _headers,
        _signatures,
        _tampered,
        _structures,
        _times,
        _issuers,
        _subjects,
        _rights,
    ]
    return {name: token for family in families for name, token in family(forge).items()}


def _without_signature(forge: Forge) -> dict[str, str]:
    signature = forge.good().rpartition(".")[2]
    tokens = {
        f"alg {alg!r}": forge.unsigned({**forge.header, "alg": alg})
        for alg in ("none", "None", "NONE", "nOnE", "", None, 0, ["none"])
    }
    none = {**forge.header, "alg": "none"}
    return tokens | {
        "alg none with a signature": f"{segment(none)}.{segment(dict(forge.claims))}.{signature}",
        "alg none of two parts": forge.unsigned(none).rstrip("."),
        "alg none without kid": forge.unsigned({"alg": "none"}),
        "alg missing": forge.unsigned({"kid": forge.kid}),
    }


def _confused_keys(forge: Forge) -> dict[str, str]:
    public = forge.key.public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    secrets = {"pem": pem, "stripped pem": pem.strip(), "der": der, "kid": forge.kid.encode(), "nothing": b""}
    tokens = {f"HS256 keyed by {name}": forge.mac("HS256", secret) for name, secret in secrets.items()}
    tokens |= {f"{algorithm} keyed by pem": forge.mac(algorithm, pem) for algorithm in ("HS384", "HS512")}
    tokens |= {
        f"called {alg}": forge.signed({**forge.header, "alg": alg})
        for alg in ("ES384", "ES512", "ES256K", "RS256", "PS256", "EdDSA", "es256", "ES256 ")
    }
    return tokens


def _key_ids(forge: Forge) -> dict[str, str]:
    kids: list[Any] = [
        "unknown",
        "",
        "../../../../dev/null",
        "' OR 1=1 --",
        "http://evil.test/key",
        "file:///dev/null",
        "x" * 3_000,
        "\x00",
        None,
        7,
        [forge.kid],
        {"kid": forge.kid},
        forge.kid.upper() + "=",
    ]
    tokens = {f"kid {str(kid)[:30]!r}": forge.signed({**forge.header, "kid": kid}) for kid in kids}
    return tokens | {"kid missing": forge.signed({"alg": "ES256", "typ": "JWT"})}


def _headers(forge: Forge) -> dict[str, str]:
    attacker = ec.generate_private_key(ec.SECP256R1())
    numbers = attacker.public_key().public_numbers()
    jwk = {
        "kty": "EC",
        "crv": "P-256",
        "x": base64url(numbers.x.to_bytes(32)),
        "y": base64url(numbers.y.to_bytes(32)),
    }
    thief = Forge(key=attacker, kid=forge.kid, claims=forge.claims)
    more: dict[str, dict[str, Any]] = {
        "crit": {"crit": ["exp"]},
        "crit of an unknown extension": {"crit": ["urn:x"], "urn:x": 1},
        "crit empty": {"crit": []},
        "b64 false": {"b64": False, "crit": ["b64"]},
        "zip": {"zip": "DEF"},
        "typ JWE": {"typ": "JWE"},
        "typ at+jwt of another purpose": {"typ": "dpop+jwt"},
        "cty JWT": {"cty": "JWT"},
        "jku": {"jku": "https://evil.test/jwks.json"},
        "x5u": {"x5u": "https://evil.test/cert.pem"},
        "x5c": {"x5c": ["MIIB"]},
        "jwk of our own": {"jwk": jwk},
    }
    tokens = {name: forge.signed({**forge.header, **extra}) for name, extra in more.items()}
    return tokens | {
        "jwk of the attacker": thief.signed({**thief.header, "jwk": jwk}),
        "jwk of the attacker without kid": thief.signed({"alg": "ES256", "jwk": jwk}),
        "jku of the attacker": thief.signed({**thief.header, "jku": "https://evil.test/jwks.json"}),
        "another key under our kid": thief.signed(),
        "duplicate alg": f"{segment(_duplicate_alg(forge))}.{forge.good().partition('.')[2]}",
    }


def _duplicate_alg(forge: Forge) -> bytes:
    return f'{{"alg":"none","alg":"ES256","kid":"{forge.kid}","typ":"JWT"}}'.encode()


def _signatures(forge: Forge) -> dict[str, str]:
    text, _, encoded = forge.good().rpartition(".")
    signature = base64.urlsafe_b64decode(encoded + "==")
    r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:])
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    variants = {
        "empty": b"",
        "one byte": b"\0",
        "zeros": bytes(64),
        "r and s of the order": order.to_bytes(32) * 2,
        "r zero": bytes(32) + signature[32:],
        "s zero": signature[:32] + bytes(32),
        "truncated": signature[:-1],
        "extended": signature + b"\0",
        "der": forge.key.sign(text.encode(), ec.ECDSA(hashes.SHA256())),
        "first bit flipped": bytes([signature[0] ^ 0x80]) + signature[1:],
        "halves swapped": signature[32:] + signature[:32],
        "of sha384": _signature_over(forge, text, hashes.SHA384()),
        "s too large": signature[:32] + min(s + order, 2**256 - 1).to_bytes(32),
        "r off by one": ((r + 1) % order).to_bytes(32) + signature[32:],
        "one megabyte": bytes(1_000_000),
    }
    return {f"signature {name}": f"{text}.{base64url(value)}" for name, value in variants.items()}


def _signature_over(forge: Forge, text: str, algorithm: hashes.HashAlgorithm) -> bytes:
    r, s = decode_dss_signature(forge.key.sign(text.encode(), ec.ECDSA(algorithm)))
    return r.to_bytes(32) + s.to_bytes(32)


def _tampered(forge: Forge) -> dict[str, str]:
    header, _, rest = forge.good().partition(".")
    signature = rest.partition(".")[2]
    changes = {"tenant": "globex", "role": "admin", "sub": "bob", "exp": int(time.time()) + 9_999_999}
    return {
        f"changed {name} under the old signature": (
            f"{header}.{segment({**forge.claims, name: value})}.{signature}"
        )
        for name, value in changes.items()
    }


def _structures(forge: Forge) -> dict[str, str]:
    good = forge.good()
    header, payload, signature = good.split(".")
    return {
        "empty": "",
        "one dot": ".",
        "two dots": "..",
        "one part": header,
        "two parts": f"{header}.{payload}",
        "four parts": f"{good}.{signature}",
        "five parts": f"{good}.{signature}.{signature}",
        "inner space": f"{header}. {payload}.{signature}",
        "trailing newline": f"{good}\n",
        "inner newline": f"{header}.{payload}\n.{signature}",
        "trailing null": f"{good}\0",
        "padded": f"{header}==.{payload}.{signature}",
        "standard base64": f"{header}.{payload}+/.{signature}",
        "full width dots": good.replace(".", "．"),
        "latin-1 in it": f"{header}.{payload}é.{signature}",
        "lone surrogate": f"{header}.\ud800{payload}.{signature}",
        "not utf-8 inside": f"{segment(bytes([0xFF, 0xFE]))}.{payload}.{signature}",
        "one megabyte": "A" * 1_000_000,
        "a megabyte of dots": "." * 1_000_000,
        "header of nested lists": f"{segment(b'[' * 100_000)}.{payload}.{signature}",
        "header is a list": forge.signed([forge.header]),
        "header is a text": forge.signed("ES256"),
        "header is a number": forge.signed(1),
        "header is broken json": forge.signed(b'{"alg":"ES256",'),
        "header in utf-16": forge.signed(json.dumps(forge.header).encode("utf-16")),
        "payload is a list": forge.signed(payload=[dict(forge.claims)]),
        "payload is a text": forge.signed(payload="claims"),
        "payload is a number": forge.signed(payload=7),
        "payload is broken json": forge.signed(payload=b'{"sub":'),
        "payload is not utf-8": forge.signed(payload=b'{"sub":"\xff"}'),
        "payload of nested lists": forge.signed(payload=b"[" * 5_000),
        "payload is a token": forge.signed(payload=good.encode()),
        "json serialisation": json.dumps({"protected": header, "payload": payload, "signature": signature}),
        "two tokens": f"{good},{good}",
        "padded with groups over the limit": forge.signed(groups=["x" * 64] * 400),
    }


def _times(forge: Forge) -> dict[str, str]:
    now = int(time.time())
    values: dict[str, dict[str, Any]] = {
        "expired": {"iat": now - 3_600, "exp": now - 31},
        "long expired": {"exp": 1},
        "expiry missing": {"exp": ...},
        "expiry null": {"exp": None},
        "expiry a text": {"exp": str(now + 900)},
        "expiry a list": {"exp": [now + 900]},
        "expiry true": {"exp": True},
        "expiry a fraction": {"exp": now + 900.5},
        "expiry without end": {"exp": float("inf")},
        "expiry not a number": {"exp": float("nan")},
        "expiry of 400 digits": {"exp": 10**400},
        "expiry negative": {"exp": -now},
        "not before the future": {"nbf": now + 600},
        "not before a text": {"nbf": "soon"},
        "issued in the future": {"iat": now + 600, "exp": now + 900},
        "issue missing": {"iat": ...},
        "issue a text": {"iat": "now"},
        "issue a list": {"iat": []},
    }
    return {name: forge.signed(None, None, **changes) for name, changes in values.items()}


def _issuers(forge: Forge) -> dict[str, str]:
    issuer, audience = forge.claims["iss"], forge.claims["aud"]
    values: dict[str, dict[str, Any]] = {
        "issuer another": {"iss": "https://evil.test"},
        "issuer missing": {"iss": ...},
        "issuer null": {"iss": None},
        "issuer a list": {"iss": [issuer]},
        "issuer a prefix": {"iss": issuer + ".evil.test"},
        "issuer in capitals": {"iss": issuer.upper()},
        "audience another": {"aud": "another"},
        "audience missing": {"aud": ...},
        "audience null": {"aud": None},
        "audience a list with ours": {"aud": [audience, "another"]},
        "audience an empty list": {"aud": []},
        "audience an object": {"aud": {audience: True}},
        "id missing": {"jti": ...},
        "id a number": {"jti": 7},
        "purpose missing": {"typ": ...},
        "purpose refresh": {"typ": "refresh"},
        "purpose in capitals": {"typ": "ACCESS"},
        "purpose a list": {"typ": ["access"]},
        "purpose true": {"typ": True},
    }
    return {name: forge.signed(None, None, **changes) for name, changes in values.items()}


def _subjects(forge: Forge) -> dict[str, str]:
    subjects: list[Any] = [
        ...,
        None,
        "",
        7,
        True,
        ["ada"],
        {"sub": "ada"},
        "ADA",
        "ada ",
        "nobody",
        "a" * 65,
        "a\0",
    ]
    tenants: list[Any] = [
        ..., None, "", 7, ["acme"], {"name": "acme"}, "*", "globex", "ACME", "acme#globex", "acme/../globex",
        "acme,globex", "acme\n", "acme ", "%", "а" + "cme", "a" * 41,
    ]  # fmt: skip
    tokens = {f"subject {value!r:.30}": forge.signed(None, None, sub=value) for value in subjects}
    return tokens | {f"tenant {value!r:.30}": forge.signed(None, None, tenant=value) for value in tenants}


def _rights(forge: Forge) -> dict[str, str]:
    cases: dict[str, list[Any]] = {
        "role": [..., None, "", "root", "ADMIN", "admin", "reader", ["editor"], 1, {"editor": True}],
        "permissions": [
            ..., None, "read", "*", ["*"], ["read", "write", "admin"], ["root"], [1], [["read"]], {"read": 1},
        ],
        "groups": [..., None, "staff", ["staff", "legal"], [], [1], [["staff"]], {"staff": 1}, ["*"], 7],
        "stamp": [..., None, "", "stamp-0", ["stamp-1"], 1, "*"],
    }  # fmt: skip
    return {
        f"{name} {value!r:.40}": forge.signed(None, None, **{name: value})
        for name, values in cases.items()
        for value in values
    }
