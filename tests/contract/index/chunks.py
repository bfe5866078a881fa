"""Chunks for the index's contract tests."""

from array import array

from haylift.domain.chunks import Chunk, EmbeddedChunk, Legs, MetaValue
from haylift.domain.identity import Scope
from haylift.ports.search import DocumentIndex, LegQuery

ACME = Scope(tenant="acme")


def embedded(
    chunk_id: str,
    text: str = "words",
    *,
    document_id: str = "",
    revision: int = 1,
    groups: frozenset[str] = frozenset(),
    vector: tuple[float, ...] = (1.0, 0.0),
    **meta: MetaValue,
) -> EmbeddedChunk:
    document = document_id or f"document-{chunk_id}"
    chunk = Chunk(
        chunk_id=chunk_id,
        document_id=document,
        key=f"documents/acme/{document}.md",
        revision=revision,
        ordinal=0,
        title="",
        text=text,
        access_groups=groups,
        meta=meta,
    )
    return EmbeddedChunk(chunk=chunk, vector=array("f", vector))


def words(text: str, depth: int = 10) -> LegQuery:
    return LegQuery(text=text, vector=None, depth=depth)


def everything(depth: int = 1_000) -> LegQuery:
    return LegQuery(text=None, vector=array("f", [1.0, 0.0]), depth=depth)


def ids(legs: Legs) -> list[str]:
    return [hit.chunk.chunk_id for hit in (*legs.keyword, *legs.semantic)]


def seen(index: DocumentIndex, scope: Scope = ACME, query: LegQuery | None = None) -> list[str]:
    return sorted(ids(index.retrieve(query or everything(), scope, "g1")))
