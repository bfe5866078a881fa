"""The auth function's application in memory."""

from haylift.adapters.kms_tokens import KmsTokens
from haylift.services.login import LoginService
from haylift.services.login_limit import AddressLimit
from haylift.services.logout import LogoutService

from functions.auth.app import Services
from tests.fakes.gateway import Answer, Gateway, RecordedTelemetry
from tests.fakes.identity import (
    CountingHasher,
    ManualClock,
    MemoryLimiter,
    MemoryRefreshTokens,
    MemoryRevocations,
    MemoryUsers,
    SoftwareKms,
    user,
)


def services(
    kms: SoftwareKms,
    telemetry: RecordedTelemetry,
    logins_per_minute: int = 10,
    refreshes_per_minute: int = 60,
) -> Services:
    users = MemoryUsers({"ada": user("ada"), "eve": user("eve", is_disabled=True)})
    tokens, clock = MemoryRefreshTokens(), ManualClock()
    login_service = LoginService(
        users=users,
        hasher=CountingHasher(),
        refresh_tokens=tokens,
        signer=KmsTokens(["key-1"], kms, issuer="https://haylift.test", audience="haylift"),  # type: ignore[arg-type]
        clock=clock,
        access_token_ttl_s=900,
        refresh_token_ttl_s=3_600,
    )
    return Services(
        login=login_service,
        limit=AddressLimit(limiter=MemoryLimiter(), requests_per_minute=logins_per_minute),
        refresh_limit=AddressLimit(limiter=MemoryLimiter(), requests_per_minute=refreshes_per_minute),
        logout=LogoutService(
            users=users, refresh_tokens=tokens, revocations=MemoryRevocations(), clock=clock
        ),
        telemetry=telemetry,
    )


def login(gateway: Gateway, username: str = "ada", password: str = "correct horse") -> Answer:
    return gateway.request("POST", "/v1/auth/login", {"username": username, "password": password})
