"""Mail: the headers that people read, the text, each attachment by its name and, where possible, its text."""

import email
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from email import policy
from email.message import EmailMessage
from pathlib import PurePosixPath

from haylift.domain.chunks import Block
from haylift.domain.errors import DocumentRejected
from haylift.parsing.converter import MAX_HEADING_CHARS, Converted, SourceFile
from haylift.parsing.decoding import decode
from haylift.parsing.html import convert_text
from haylift.parsing.registry import choose
from haylift.parsing.text import paragraphs

HEADERS = ("From", "To", "Cc", "Date", "Subject")
MAX_DEPTH = 3
"""A mail in a mail in a mail; what is attached deeper is named and counted as left out."""

PLAIN_RATIO = 0.5
"""The plain text is taken unless it says less than this share of the page: "see the attached page"."""

OMITTED = "attachments"


def convert(source: SourceFile) -> Converted:
    """A mail's text; its title is the subject. Attachments that cannot be read are counted."""
    message = email.message_from_bytes(source.read_bytes(), _class=EmailMessage, policy=policy.default)
    omissions: Counter[str] = Counter()
    return Converted(
        title=_header(message, "Subject"), blocks=_blocks(message, source, omissions), omissions=omissions
    )


def _blocks(message: EmailMessage, source: SourceFile, omissions: Counter[str]) -> Iterator[Block]:
    headers = [(name, _header(message, name)) for name in HEADERS]
    if lines := [f"{name}: {value}" for name, value in headers if value]:
        yield Block(text="\n".join(lines))
    body = _body(message)
    yield from _body_blocks(body)
    for part in _attachments(message, body):
        yield from _attached(part, source, omissions)


def _header(message: EmailMessage, name: str) -> str:
    """One header on one line; what is wrong in it stays as it is written."""
    return " ".join(str(message.get(name, "")).split())


def _body(message: EmailMessage) -> list[EmailMessage]:
    """The plain text and the page, those of them that the mail has; the first is the one to read."""
    plain, page = message.get_body(("plain",)), message.get_body(("html",))
    found = [part for part in (plain, page) if isinstance(part, EmailMessage)]
    if len(found) == 2:
        texts = [sum(len(block.text) for block in _body_blocks([part])) for part in found]
        if texts[0] < texts[1] * PLAIN_RATIO:
            found.reverse()
    return found


def _body_blocks(body: list[EmailMessage]) -> Iterator[Block]:
    if not body:
        return
    text = _decoded(body[0])
    if body[0].get_content_subtype() == "html":
        yield from convert_text(text).blocks
    else:
        yield from paragraphs(text)


def _decoded(part: EmailMessage) -> str:
    """The text in the encoding that it is in, which is not always the one that it says."""
    return decode(_bytes(part), part.get_content_charset() or "")


def _bytes(part: EmailMessage) -> bytes:
    payload = part.get_payload(decode=True)
    if isinstance(payload, bytes):
        return payload
    inner = part.get_payload()
    first = inner[0] if isinstance(inner, list) and inner else None
    return first.as_bytes() if isinstance(first, EmailMessage) else b""


def _attachments(message: EmailMessage, body: list[EmailMessage]) -> Iterator[EmailMessage]:
    """Every leaf that is not the body; a mail that is attached is one leaf."""
    waiting: list[EmailMessage] = [message]
    while waiting:
        part = waiting.pop()
        if any(part is text for text in body):
            continue
        if part.get_content_maintype() == "multipart":
            waiting += [each for each in reversed(list(part.iter_parts())) if isinstance(each, EmailMessage)]
        elif part is not message or _bytes(part):
            yield part


def _attached(part: EmailMessage, source: SourceFile, omissions: Counter[str]) -> Iterator[Block]:
    name = " ".join((part.get_filename() or f"unnamed {part.get_content_type()}").split())
    heading = f"Attachment: {name}"[:MAX_HEADING_CHARS]
    try:
        blocks = _read(part, name, source, omissions)
    except MemoryError:
        raise
    # Whatever a library raises over an attachment: the mail is worth having, and the lack is counted.
    except Exception:
        omissions[OMITTED] += 1
        blocks = []
    yield Block(text=heading)
    for block in blocks:
        yield replace(block, headings=(heading, *block.headings))


def _read(part: EmailMessage, name: str, source: SourceFile, omissions: Counter[str]) -> list[Block]:
    if source.depth >= MAX_DEPTH:
        raise DocumentRejected("The attachment is too deep inside.", reason="parser_limit")
    place = PurePosixPath(name)
    attached = replace(
        source,
        stem=place.stem,
        extension=place.suffix.lower(),
        content_type=part.get_content_type(),
        data=_bytes(part),
        depth=source.depth + 1,
    )
    converted = choose(attached).converter()(attached)
    blocks = [block for block in converted.blocks if block.text]
    omissions.update(converted.omissions)
    if not blocks:
        raise DocumentRejected("The attachment holds no text.", reason="no_text")
    return blocks
