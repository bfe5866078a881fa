"""A login service in memory."""

from dataclasses import dataclass, field

from haylift.services.login import LoginService, TokenPair

from tests.fakes.identity import (
    CountingHasher,
    ManualClock,
    MemoryRefreshTokens,
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

    def login(self) -> TokenPair:
        return self.service.login("ada", "correct horse")
