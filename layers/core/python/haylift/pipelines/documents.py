"""Hits as Haystack documents and back, so that any Haystack component can stand in the pipeline."""

from dataclasses import replace

from haystack import Document

from haylift.domain.chunks import Hit

HIT = "hit"
"""The entry of a document's meta that carries the whole hit, beside the plain entries for users."""


class _Carried:
    """Carries a hit across edges. Hits never change, so that a copy is the thing itself."""

    def __init__(self, hit: Hit) -> None:
        self.hit = hit

    def __deepcopy__(self, memo: object) -> "_Carried":
        return self


def to_document(hit: Hit) -> Document:
    """The hit as a Haystack document; its id is the chunk's, its meta what filters can name."""
    chunk = hit.chunk
    meta = {
        **chunk.meta,
        "document_id": chunk.document_id,
        "key": chunk.key,
        "title": chunk.title,
        "page": chunk.page,
        "slide": chunk.slide,
        "sheet": chunk.sheet,
        "start_char": chunk.start_char,
        "end_char": chunk.end_char,
        "headings": list(chunk.headings),
        HIT: _Carried(hit),
    }
    return Document(id=chunk.chunk_id, content=chunk.text, meta=meta, score=hit.score)


def to_hit(document: Document) -> Hit:
    """The hit of a document that `to_document` made, under the score that the pipeline gave it.

    Raises:
        TypeError: when the document is not one of ours: an answer holds only what the index found.
    """
    carried = document.meta.get(HIT)
    if not isinstance(carried, _Carried) or carried.hit.chunk.chunk_id != document.id:
        raise TypeError("a query pipeline gives only documents that its retriever found")
    return replace(carried.hit, score=document.score if document.score is not None else carried.hit.score)
