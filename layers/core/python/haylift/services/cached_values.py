"""The form in which answers lie in a cache: JSON, read back without trust in what was there."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from haylift.domain.chunks import Chunk, Hit
from haylift.domain.search import Citation, QuestionAnswer


def hits_to_bytes(hits: Iterable[Hit]) -> bytes:
    """Hits for the cache."""
    return json.dumps([_hit_fields(hit) for hit in hits]).encode()


def hits_from_bytes(value: bytes | None) -> tuple[Hit, ...] | None:
    """The hits that `hits_to_bytes` wrote; None, a miss, for nothing and for any other form."""
    if value is None:
        return None
    try:
        return tuple(_hit(fields) for fields in json.loads(value))
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def answer_to_bytes(answer: QuestionAnswer) -> bytes:
    """An answer for the cache, without where it came from."""
    fields = {"answer": answer.answer, "success": answer.success, "iterations": answer.iteration_count}
    return json.dumps(fields | {"citations": [asdict(citation) for citation in answer.citations]}).encode()


def answer_from_bytes(value: bytes | None) -> QuestionAnswer | None:
    """The answer that `answer_to_bytes` wrote; None, a miss, for nothing and for any other form."""
    if value is None:
        return None
    try:
        fields = json.loads(value)
        return QuestionAnswer(
            answer=fields["answer"],
            citations=tuple(Citation(**citation) for citation in fields["citations"]),
            success=fields["success"],
            iteration_count=fields["iterations"],
        )
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def _hit_fields(hit: Hit) -> dict[str, Any]:
    fields = asdict(hit)
    fields["chunk"]["access_groups"] = sorted(hit.chunk.access_groups)
    return fields


def _hit(fields: Mapping[str, Any]) -> Hit:
    chunk = dict(fields["chunk"])
    chunk["headings"] = tuple(chunk["headings"])
    chunk["access_groups"] = frozenset(chunk["access_groups"])
    return Hit(**{**fields, "chunk": Chunk(**chunk)})
