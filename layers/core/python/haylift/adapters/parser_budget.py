"""What a file may cost: a healthy long document earns its time page by page, a bomb earns none."""

from dataclasses import dataclass

from haylift.domain.errors import DocumentRejected
from haylift.domain.texts import TextPart
from haylift.resilience import Deadline


@dataclass(frozen=True, kw_only=True)
class ParserLimits:
    """What one file may cost.

    The progress rule: a file has `time_s` in all, and each page that is done adds `page_time_s`, up to
    `total_time_s`; what it took is kept with the text, so that a second attempt begins with no fresh
    allowance. 2,000 pages of 0.1 s each pass; ten pages of 30 s each end with the second one, and a file
    without pages has `time_s`. Of the processor, the child also has `time_s` from one page to the next.

    Args:
        time_s: of the wall clock and, apart, of the processor.
        memory_bytes: of the child's address space.
        output_chars: of text.
        page_time_s: what a page earns. Slow real ones take 0.1 to 0.3 s (drawings of many thousand lines).
        total_time_s: the most a file may take, whatever it earned.
        pages: of one file.
        unpacked_ratio: how many times its own bytes an archive (Office, EPUB) may unpack to.
    """

    time_s: float
    memory_bytes: int
    output_chars: int
    page_time_s: float = 0.5
    total_time_s: float = 900.0
    pages: int = 10_000
    unpacked_ratio: int = 100


class Budget:
    """How much of the limits a file has used up."""

    def __init__(self, limits: ParserLimits, after: TextPart | None, deadline: Deadline) -> None:
        self._limits = limits
        self._deadline = deadline
        self._pages = after.last_page if after else 0
        self._chars = after.end_char if after else 0
        self.spent_s = after.spent_s if after else 0.0

    @property
    def chars_left(self) -> int:
        """Of text."""
        return max(0, self._limits.output_chars - self._chars)

    @property
    def seconds_left(self) -> float:
        """Until the file is a bomb, or nobody waits any longer."""
        earned_s = self._limits.time_s + self._limits.page_time_s * self._pages
        allowed_s = min(self._limits.total_time_s, earned_s)
        return max(0.0, min(allowed_s - self.spent_s, self._deadline.remaining_s))

    def spend(self, seconds: float) -> None:
        """Counts time in which the child was waited for."""
        self.spent_s += seconds

    def finish_page(self, number: int) -> None:
        """A page is done."""
        self._pages = number

    def add_chars(self, count: int) -> None:
        """Counts text of a part that is done."""
        self._chars += count

    def exhausted(self) -> DocumentRejected:
        """Why there are no seconds left.

        Raises:
            DeadlineExceeded: no limit is reached; a later attempt goes on.
        """
        self._deadline.require()
        return limit_reached()


def limit_reached() -> DocumentRejected:
    """The verdict on a file over a limit."""
    return DocumentRejected(
        "The file costs more time, memory or text than the limits.", reason="parser_limit"
    )
