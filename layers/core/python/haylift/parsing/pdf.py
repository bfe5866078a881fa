"""PDF by pypdf: a page's paragraphs with the page's number."""

from collections import Counter
from collections.abc import Iterator

from pypdf import PasswordType, PdfReader
from pypdf.errors import DependencyError, FileNotDecryptedError, LimitReachedError

from haylift.domain.chunks import Block
from haylift.domain.errors import DocumentRejected
from haylift.parsing.converter import Converted, SourceFile, page_end
from haylift.parsing.pdf_lines import page_blocks
from haylift.parsing.pdf_marks import mark_of

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
        blocks=_blocks(reader, omissions, source.first_page),
        omissions=omissions,
        page_count=len(reader.pages),
    )


def _is_locked(reader: PdfReader) -> bool:
    try:
        return reader.decrypt("") is PasswordType.NOT_DECRYPTED
    except (DependencyError, FileNotDecryptedError, NotImplementedError):
        return True


def _blocks(reader: PdfReader, omissions: Counter[str], first_page: int) -> Iterator[Block]:
    mark = _mark(reader)
    for number in range(first_page, len(reader.pages) + 1):
        try:
            blocks = list(page_blocks(reader.pages[number - 1], number))
        except MemoryError:
            raise
        except LimitReachedError as bomb:
            raise DocumentRejected("A page unpacks to more than the limit.", reason="parser_limit") from bomb
        # Whatever a page's content makes pypdf raise: the other pages are worth having, and it is counted.
        except Exception:
            omissions["pages"] += 1
        else:
            yield from (block for block in blocks if " ".join(block.text.split()) != mark)
        yield page_end(number)


def _mark(reader: PdfReader) -> str:
    try:
        return mark_of(reader.pages)
    except MemoryError:
        raise
    # What is wrong with a page is told when its turn comes.
    except Exception:
        return ""
