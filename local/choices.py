"""What a user has chosen for a system: its pace, rate limits and OCR, kept until they choose again."""

import argparse
import json
import re
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

DEFAULT_MINUTE_S = 60.0


@dataclass(frozen=True)
class Choices:
    """The choices of one system.

    Args:
        minute_s: real seconds of a minute of alarm periods, schedules and ages of messages, 1-60.
        rate_limits: `off`, or logins and searches a minute as `10/60`; empty for the app's own.
        ocr: `on` or `off`; empty: off.
    """

    minute_s: float = DEFAULT_MINUTE_S
    rate_limits: str = ""
    ocr: str = ""

    def context(self) -> dict[str, str]:
        """What the CDK app is told (`-c key=value`)."""
        return {"rate_limits": self.rate_limits} if self.rate_limits else {}


NOTHING_CHOSEN = Choices()


def choose(minute_s: float | None, rate_limits: str | None, ocr: str | None, kept: Path) -> Choices:
    """The choices of a command line; what is None there stays as it is kept in the file, and all are kept."""
    try:
        before = Choices(**json.loads(kept.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        before = NOTHING_CHOSEN
    given: dict[str, Any] = {"minute_s": minute_s, "rate_limits": rate_limits, "ocr": ocr}
    chosen = replace(before, **{name: value for name, value in given.items() if value is not None})
    kept.write_text(json.dumps(asdict(chosen)), encoding="utf-8")
    return chosen


def seconds_of_a_minute(text: str) -> float:
    """1 to 60 seconds: below one, evaluations would not keep up."""
    try:
        number = float(text)
    except ValueError:
        number = 0
    if not 1 <= number <= 60:
        raise argparse.ArgumentTypeError(f"{text} is no number of seconds from 1 to 60")
    return number


def limits_a_minute(text: str) -> str:
    """`off`, or two whole numbers above zero with a slash between them."""
    if text != "off" and not re.fullmatch(r"[1-9]\d{0,5}/[1-9]\d{0,5}", text):
        raise argparse.ArgumentTypeError(f"{text} is neither `off` nor LOGIN/SEARCH such as 10/60")
    return text
