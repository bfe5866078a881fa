"""What a command shows: a result on stdout (text or JSON), remarks and progress on stderr."""

import json
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TextIO

from ops.faults import ApiFault, OpsFault


def printable(text: str) -> str:
    """`text` without control characters: a document cannot move the cursor or colour the terminal.

    >>> printable("a\\x1b[31mb\\tc\\nd")
    'a[31mb c\\nd'
    """
    return "".join(_printable(character) for character in text)


def _printable(character: str) -> str:
    if character == "\n":
        return character
    if character == "\t":
        return " "
    return "" if unicodedata.category(character) in {"Cc", "Cf", "Cs"} else character


@dataclass(frozen=True, kw_only=True)
class Terminal:
    """The two streams of a command. With `is_json`, stdout holds exactly one JSON document."""

    out: TextIO
    err: TextIO
    is_json: bool = False
    _shown: list[object] = field(default_factory=list, repr=False, compare=False)

    @property
    def is_interactive(self) -> bool:
        """True when a person watches stderr, so that a progress bar makes sense."""
        return not self.is_json and self.err.isatty()

    def result(self, document: object, lines: Iterable[str]) -> None:
        """Shows the result: `document` with `--json`, else `lines`."""
        if self.is_json:
            self._shown.append(document)
            print(json.dumps(document, indent=2, ensure_ascii=False), file=self.out, flush=True)
            return
        for line in lines:
            print(printable(line), file=self.out, flush=True)

    def remark(self, text: str) -> None:
        """Says something beside the result; silent with `--json`."""
        if not self.is_json:
            print(printable(text), file=self.err, flush=True)

    def fault(self, fault: OpsFault) -> None:
        """Shows why the command failed; on stderr with `--json` too, once stdout has its document."""
        error = {"code": fault.code, "detail": fault.detail}
        if isinstance(fault, ApiFault):
            error |= {"status": str(fault.status), "request_id": fault.request_id}
        if self.is_json and not self._shown:
            self.result({"error": error}, ())
            return
        print(printable(f"{fault.code}: {fault.detail}"), file=self.err, flush=True)
        if error.get("request_id"):
            print(printable(f"request id: {error['request_id']}"), file=self.err, flush=True)
