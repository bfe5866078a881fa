"""PDF by pypdf: a page's paragraphs with the page's number."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from pypdf import PageObject, PasswordType, PdfReader
from pypdf.errors import DependencyError, FileNotDecryptedError, LimitReachedError

from haylift.domain.chunks import Block
from haylift.domain.errors import DocumentRejected
from haylift.parsing.converter import Converted, SourceFile, page_end
from haylift.parsing.pdf_lines import page_blocks
from haylift.parsing.pdf_marks import mark_of
from haylift.parsing.text import paragraphs

if TYPE_CHECKING:
    from haylift.parsing.ocr import PictureReader

TAIL_BYTES = 2_048
"""Where the end mark must stand; readers look in the last 1,024 bytes, some writers add a signature."""

EMPTY_TITLES = frozenset({"", "untitled", "(anonymous)", "anonymous"})
"""What writers put where nobody gave a title."""


def convert(source: SourceFile) -> Converted:
    """A PDF's text, page by page; a page that cannot be read is counted in the omissions.

    Raises:
        DocumentRejected: `damaged` when its end is missing (pages could be lost without a trace),
            `encrypted` when it opens only with a password.
    """
    if b"%%EOF" not in source.read_bytes()[-TAIL_BYTES:]:
        raise DocumentRejected("The end of the PDF is missing.", reason="damaged")
    reader = PdfReader(source.loaded())
    if reader.is_encrypted and _is_locked(reader):
        raise DocumentRejected("The PDF opens only with a password.", reason="encrypted")
    if not reader.pages:
        raise DocumentRejected("The PDF has no pages.", reason="damaged")
    title = str((reader.metadata and reader.metadata.title) or "").strip()
    omissions: Counter[str] = Counter()
    return Converted(
        title="" if title.lower() in EMPTY_TITLES else title,
        blocks=_blocks(reader, omissions, source),
        omissions=omissions,
        page_count=len(reader.pages),
    )


def _is_locked(reader: PdfReader) -> bool:
    try:
        return reader.decrypt("") is PasswordType.NOT_DECRYPTED
    except (DependencyError, FileNotDecryptedError, NotImplementedError):
        return True


def _blocks(reader: PdfReader, omissions: Counter[str], source: SourceFile) -> Iterator[Block]:
    mark = _mark(reader)
    pictures = _pictures(source)
    for number in range(source.first_page, len(reader.pages) + 1):
        try:
            blocks = _page(reader.pages[number - 1], number, mark) or pictures(number)
        except MemoryError:
            raise
        except LimitReachedError as bomb:
            raise DocumentRejected("A page unpacks to more than the limit.", reason="parser_limit") from bomb
        # Whatever a page's content makes pypdf raise: the other pages are worth having, and it is counted.
        except Exception:
            omissions["pages"] += 1
        else:
            yield from blocks
        yield page_end(number)


def _mark(reader: PdfReader) -> str:
    try:
        return mark_of(reader.pages)
    except MemoryError:
        raise
    # What is wrong with a page is told when its turn comes.
    except Exception:
        return ""


def _page(page: PageObject, number: int, mark: str) -> list[Block]:
    return [block for block in page_blocks(page, number) if " ".join(block.text.split()) != mark]


def _pictures(source: SourceFile) -> Callable[[int], list[Block]]:
    """What a page without text gives: nothing, or what is read off its picture."""
    readers: list[PictureReader] = []

    def read(number: int) -> list[Block]:
        if not source.ocr:
            return []
        if not readers:
            # Optional, a second to load, and most files never need it.
            from haylift.parsing.ocr import PictureReader  # noqa: PLC0415

            readers.append(PictureReader(source.read_bytes()))
        return [replace(block, is_ocr=True) for block in paragraphs(readers[0].text(number), page=number)]

    return read
