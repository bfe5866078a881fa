"""A login service in memory."""

from dataclasses import dataclass, field

from haylift.domain.identity import Session
from haylift.services.authorize import AuthorizeService
from haylift.services.login import LoginService, TokenPair
from haylift.services.logout import LogoutService

from tests.fakes.identity import (
    CountingHasher,
    ManualClock,
    MemoryCallers,
    MemoryRefreshTokens,
    MemoryRevocations,
    MemorySigner,
    MemoryUsers,
    user,
)


@dataclass
class World:
    """A login service and everything around it."""

    clock: ManualClock = field(default_factory=ManualClock)
    users: MemoryUsers = field(default_factory=lambda: MemoryUsers({"ada": user("ada")}))
    tokens: MemoryRefreshTokens = field(default_factory=MemoryRefreshTokens)
    hasher: CountingHasher = field(default_factory=CountingHasher)
    revocations: MemoryRevocations = field(default_factory=MemoryRevocations)
    kind: type[LoginService] = LoginService

    def __post_init__(self) -> None:
        self.signer = MemorySigner("https://haylift.test", "haylift", self.clock)
        self.service = self.kind(
            users=self.users,
            hasher=self.hasher,
            refresh_tokens=self.tokens,
            signer=self.signer,
            clock=self.clock,
            access_token_ttl_s=900,
            refresh_token_ttl_s=3_600,
        )
        self.logout = LogoutService(
            users=self.users,
            refresh_tokens=self.tokens,
            revocations=self.revocations,
            clock=self.clock,
        )
        callers = MemoryCallers(self.users, self.revocations)
        self.authorizer = AuthorizeService(signer=self.signer, callers=callers)

    def login(self, username: str = "ada") -> TokenPair:
        return self.service.login(username, "correct horse")

    def session(self, pair: TokenPair) -> Session:
        """The session as the authorizer knows it. Raises NotAuthenticated when it is over."""
        return self.authorizer.session(f"Bearer {pair.access_token}")
