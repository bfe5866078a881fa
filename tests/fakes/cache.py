"""A shared cache and tenants' epochs in memory."""

from dataclasses import dataclass, field

from haylift.domain.documents import Epoch
from haylift.domain.errors import CacheUnavailable
from haylift.ports.search import SharedRead, TenantCount


@dataclass
class InMemorySharedCache:
    """`SharedCache` over dictionaries; `is_down` makes every method fail; counts its calls."""

    epochs: dict[str, Epoch] = field(default_factory=dict)
    entries: dict[tuple[str, str], tuple[Epoch, bytes]] = field(default_factory=dict)
    is_down: bool = False
    calls: list[str] = field(default_factory=list)

    def read(self, tenant: str, key: str) -> SharedRead:
        self._called("read")
        epoch = self.epochs.get(tenant)
        kept = self.entries.get((tenant, key))
        return SharedRead(
            epoch=epoch,
            entry=kept[1] if kept is not None and epoch is not None and kept[0] == epoch else None,
        )

    def write(self, tenant: str, key: str, epoch: Epoch, value: bytes, ttl_s: int) -> None:
        self._called("write")
        self.entries[tenant, key] = (epoch, value)

    def publish(self, tenant: str, epoch: Epoch) -> None:
        self._called("publish")
        known = self.epochs.get(tenant)
        if known is None or epoch.content_version >= known.content_version:
            self.epochs[tenant] = epoch

    def check(self) -> None:
        self._called("check")

    def _called(self, name: str) -> None:
        self.calls.append(name)
        if self.is_down:
            raise CacheUnavailable("The cache is down.", retry_after_s=1.0)


@dataclass
class InMemoryTenants:
    """`Tenants` over a dictionary."""

    epochs: dict[str, Epoch] = field(default_factory=dict)
    documents: dict[str, int] = field(default_factory=dict)

    def count(self, tenant: str) -> TenantCount | None:
        return next((count for count in self.counts() if count.tenant == tenant), None)

    def counts(self) -> tuple[TenantCount, ...]:
        return tuple(
            TenantCount(tenant=tenant, generation=self.epoch(tenant).generation, documents=documents)
            for tenant, documents in sorted(self.documents.items())
        )

    def correct_count(self, tenant: str, documents: int, *, content_version: int) -> bool:
        if self.epoch(tenant).content_version != content_version:
            return False
        self.documents[tenant] = documents
        return True

    def epoch(self, tenant: str) -> Epoch:
        return self.epochs.get(tenant, Epoch(generation="g1", content_version=0))
