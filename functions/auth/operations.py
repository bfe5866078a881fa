"""What the auth routes answer."""

from typing import Literal

from haylift.http.operations import Answered, AnswerModel, operation
from pydantic import Field

TAG = "Logging in"
EXAMPLE_TOKEN = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJyZWFkZXIifQ.c2lnbmF0dXJl"  # noqa: S105  # an example
EXAMPLE_REFRESH_TOKEN = "c9d1f0a2b4e84c6f8a7b"  # noqa: S105  # an example


class TokenAnswer(AnswerModel):
    """A pair of tokens."""

    access_token: str = Field(description="Send it as `Authorization: Bearer <access_token>`.")
    token_type: Literal["bearer"]
    expires_in: int = Field(description="Lifetime of the access token in seconds.")
    refresh_token: str = Field(description="Good for one `POST /v1/auth/refresh`.")
    refresh_expires_in: int = Field(description="Lifetime of the refresh token in seconds.")


class PublicKey(AnswerModel):
    """One public key (RFC 7517)."""

    kty: str
    crv: str
    x: str
    y: str
    kid: str
    use: str
    alg: str


class PublicKeys(AnswerModel):
    """The keys that tokens are signed with; a new one is here before it signs."""

    keys: list[PublicKey]


_PAIR = {
    "access_token": EXAMPLE_TOKEN,
    "token_type": "bearer",
    "expires_in": 900,
    "refresh_token": EXAMPLE_REFRESH_TOKEN,
    "refresh_expires_in": 1_209_600,
}

LOGIN = operation(
    tag=TAG,
    summary="Log in",
    description=(
        "Gives an access token for 15 minutes and a refresh token. An unknown user, a wrong password and a "
        "disabled user are all the same 401. By source address 10 attempts a minute are answered."
    ),
    answers={200: Answered(description="A pair of tokens.", model=TokenAnswer, example=_PAIR)},
    problems={
        401: "`invalid_credentials`: user name or password is wrong.",
        429: "`too_many_requests`: `Retry-After` says when to try again.",
    },
    examples={"A user of the stage": {"username": "reader@acme", "password": "correct horse battery"}},
)
REFRESH = operation(
    tag=TAG,
    summary="Exchange a refresh token",
    description=(
        "Gives a new pair. A refresh token is good once; for 30 s it may be sent again, at most 3 times, by "
        "a client that lost the answer. Used later or more often, all tokens that came from the same login "
        "end. By source address 60 requests a minute are answered."
    ),
    answers={200: Answered(description="A pair of tokens.", model=TokenAnswer, example=_PAIR)},
    problems={
        401: "`invalid_refresh_token`: unknown, used, expired or ended; log in again.",
        429: "`too_many_requests`: `Retry-After` says when to try again.",
    },
    examples={"The refresh token of the last answer": {"refresh_token": EXAMPLE_REFRESH_TOKEN}},
)
LOGOUT = operation(
    tag=TAG,
    summary="Log out",
    description=(
        "Ends the access token that the request carries; with `refresh_token` what came from that login, "
        "with `everywhere` all sessions of the user. Without a body only the access token ends. Other access "
        "tokens of the same session live until they expire, at most 15 minutes, unless `everywhere` is true."
    ),
    answers={204: Answered(description="Logged out.")},
    examples={"This session": {"refresh_token": EXAMPLE_REFRESH_TOKEN}, "All sessions": {"everywhere": True}},
)
JWKS = operation(
    tag=TAG,
    summary="Public keys",
    description="The keys that verify access tokens (RFC 7517), for services that want to check them.",
    answers={200: Answered(description="The keys.", model=PublicKeys)},
)
