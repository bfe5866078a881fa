"""PDFs of many pages: each says its number and has words of its own."""

from tests.unit.ingestion.files import pdf

WORDS = (
    "kettle", "harbour", "meadow", "lantern", "granite", "willow", "compass", "marble", "orchard", "saddle",
    "velvet", "timber",
)  # fmt: skip


def sentence(page: int) -> str:
    """What page `page` says, from 1.

    >>> sentence(3)
    'Page 3 tells of the lantern, the granite and the harbour of year 1003.'
    """
    first = WORDS[page % len(WORDS)]
    second, third = WORDS[(page + 1) % len(WORDS)], WORDS[(page // len(WORDS) + 1) % len(WORDS)]
    return f"Page {page} tells of the {first}, the {second} and the {third} of year {1000 + page}."


def long_pdf(pages: int) -> bytes:
    """A PDF of `pages` pages, one sentence on each."""
    return pdf(*(sentence(page) for page in range(1, pages + 1)))
