"""Answers kept in this process and in the shared cache, never stale and never across rights."""

import hashlib
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from cachetools import TLRUCache

from haylift.domain.documents import Epoch
from haylift.domain.errors import CacheUnavailable
from haylift.domain.filters import Comparison, Connective, Filter
from haylift.domain.identity import Scope
from haylift.domain.search import CacheLevel, SearchMode, SearchRequest
from haylift.ports.search import SharedCache, SharedRead, Tenants
from haylift.tracing import OK, Hop, HopNote, hop

RESULT_TTL_S = 3_600
"""Life of a result in the shared cache; the guides' number."""

MISS = "miss"
"""The level of a lookup that found nothing."""

PROCESS_ENTRIES = 1_000
PROCESS_TTL_S = 300
PROCESS_VALUE_BYTES = 65_536
"""Larger values go to the shared cache only, which bounds this process at 64 MB."""


@dataclass(frozen=True, kw_only=True)
class CacheKey:
    """Everything an answer depends on except the tenant's content, which the epoch stands for.

    Args:
        kind: `search` or `query`.
        query: runs of white space count as one space; case and accents are kept, since a model may
            tell them apart.
        model: name of the embedding model.
        version: of the answer's form and of the parameters that ranked it (`ranking.answer_version`).
    """

    tenant: str
    groups: frozenset[str]
    kind: str
    query: str
    mode: SearchMode
    top_k: int
    filters: Filter | None
    model: str
    version: str

    @classmethod
    def of(cls, request: SearchRequest, scope: Scope, *, kind: str, model: str, version: str) -> "CacheKey":
        """The key of a request made in a scope."""
        return cls(
            tenant=scope.tenant,
            groups=scope.groups,
            kind=kind,
            query=request.query,
            mode=request.mode,
            top_k=request.top_k,
            filters=request.filters,
            model=model,
            version=version,
        )

    @property
    def digest(self) -> str:
        """A hash of all fields, the same in every process."""
        return hashlib.sha256(json.dumps(self._parts()).encode()).hexdigest()

    def _parts(self) -> list[object]:
        return [
            self.tenant,
            sorted(self.groups),
            self.kind,
            " ".join(self.query.split()),
            self.mode.value,
            self.top_k,
            _canonical(self.filters),
            self.model,
            self.version,
        ]


def _canonical(filters: Filter | None) -> object:
    """A filter without the order of its conditions and listed values, which mean nothing."""
    match filters:
        case None:
            return None
        case Comparison(field, operator, tuple() as values):
            return [field, operator.value, sorted({json.dumps(value) for value in values})]
        case Comparison(field, operator, value):
            return [field, operator.value, value]
        case _:
            conditions = {json.dumps(_canonical(condition)) for condition in filters.conditions}
            return [Connective(filters.operator).value, sorted(conditions)]


@dataclass(frozen=True, kw_only=True)
class Lookup:
    """What a look into the cache gave. Retrieve and `store` under this `epoch`."""

    epoch: Epoch
    value: bytes | None = None
    level: CacheLevel | None = None


@dataclass(frozen=True)
class _Kept:
    epoch: Epoch
    value: bytes
    ttl_s: int
    until: int


class QueryCache:
    """Two levels under one rule: an entry counts only under the tenant's present epoch.

    The epoch is read on every lookup, in the same round trip as the shared entry, so a hit in the
    process is as fresh as one in the shared cache. While the shared cache does not answer, both
    levels are passed by and the epoch comes from the tenants table. An entry says itself until when it
    may be shown, since both levels may hold it longer. Thread-safe.

    Args:
        shared: the cache of all processes.
        tenants: where the epoch is right when the cache does not know it.
        monotonic: seconds of a clock that never goes back.
        now: epoch seconds.
    """

    def __init__(
        self,
        shared: SharedCache,
        tenants: Tenants,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._shared = shared
        self._tenants = tenants
        self._monotonic = monotonic
        self._now = now
        self._lock = threading.Lock()
        self._kept: TLRUCache[str, _Kept] = TLRUCache(
            PROCESS_ENTRIES,
            ttu=lambda _, kept, now: now + min(kept.ttl_s, PROCESS_TTL_S),
            timer=monotonic,
        )
        self._try_shared_at = monotonic()

    def lookup(self, key: CacheKey) -> Lookup:
        """The kept answer, if there is one, and the epoch.

        Raises:
            StoreUnavailable: when the epoch is known neither to the cache nor to the tenants table.
        """
        with hop(Hop.CACHE) as note:
            found = self._lookup(key, note)
            note.facts["level"] = found.level.value if found.level else MISS
        return found

    def _lookup(self, key: CacheKey, note: HopNote) -> Lookup:
        digest = key.digest
        read = self._read(key.tenant, digest)
        if read is None or read.epoch is None:
            note.outcome = CacheUnavailable.code if read is None else OK
            return Lookup(epoch=self._epoch(key.tenant))
        with self._lock:
            kept = self._kept.get(digest)
        if kept is not None and kept.epoch == read.epoch and self._may_show(kept.until):
            return Lookup(epoch=read.epoch, value=kept.value, level=CacheLevel.PROCESS)
        shared = _unframed(read.entry)
        if shared is not None and self._may_show(shared[0]):
            until, value = shared
            self._keep(digest, _Kept(read.epoch, value, PROCESS_TTL_S, until))
            return Lookup(epoch=read.epoch, value=value, level=CacheLevel.SHARED)
        return Lookup(epoch=read.epoch)

    def store(self, key: CacheKey, epoch: Epoch, value: bytes, *, until: int = 0) -> None:
        """Keeps an answer that was made after `lookup` gave `epoch`. Never store a degraded one.

        A shared cache that does not answer is no error: the answer is only not shared.

        Args:
            until: nobody may be shown the answer from then on, epoch seconds; 0: no such time is known.
        """
        digest = key.digest
        self._keep(digest, _Kept(epoch, value, RESULT_TTL_S, until))
        entry = b"%d\n%b" % (until, value)
        self._with_shared(lambda shared: shared.write(key.tenant, digest, epoch, entry, RESULT_TTL_S))

    def _may_show(self, until: int) -> bool:
        return not until or self._now() < until

    def _read(self, tenant: str, digest: str) -> SharedRead | None:
        """Epoch and entry; an epoch that the cache forgot is published again. None: no shared cache."""
        read = self._with_shared(lambda shared: shared.read(tenant, digest))
        if read is None or read.epoch is not None:
            return read
        epoch = self._epoch(tenant)

        def publish_then_read(shared: SharedCache) -> SharedRead:
            shared.publish(tenant, epoch)
            return shared.read(tenant, digest)

        return self._with_shared(publish_then_read)

    def _epoch(self, tenant: str) -> Epoch:
        with hop(Hop.TABLES, table="tenants"):
            return self._tenants.epoch(tenant)

    def _with_shared[T](self, call: Callable[[SharedCache], T]) -> T | None:
        """Calls the shared cache unless it failed less than its `retry_after_s` ago."""
        if self._monotonic() < self._try_shared_at:
            return None
        try:
            return call(self._shared)
        except CacheUnavailable as error:
            self._try_shared_at = self._monotonic() + error.retry_after_s
            return None

    def _keep(self, digest: str, kept: _Kept) -> None:
        if len(kept.value) <= PROCESS_VALUE_BYTES:
            with self._lock:
                self._kept[digest] = kept


def _unframed(entry: bytes | None) -> tuple[int, bytes] | None:
    """Until when, and the value; None for nothing and for what `store` did not write."""
    until, mark, value = (entry or b"").partition(b"\n")
    return (int(until), value) if mark and until.isdigit() else None
