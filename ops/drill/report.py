"""Results as a table, and as a document."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ops.drill.drill import Drill
from ops.drill.verdict import Result

HEADINGS = ("drill", "alarm", "rang after s", "limit", "OK after s", "limit", "verdict")


def table(rows: Iterable[Sequence[str]]) -> list[str]:
    """Rows as aligned lines."""
    cells = [tuple(row) for row in rows]
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]


def lines(results: Sequence[Result], never: Sequence[str], left_out: Mapping[str, str]) -> list[str]:
    """What a person reads after the drills."""
    text = table([HEADINGS, *(row for result in results for row in _rows(result))])
    for result in results:
        if result.others:
            text.append(f"{result.drill.name}: {', '.join(result.others)} rang as well, as declared")
        text += [f"{result.drill.name}: {fault}" for fault in result.faults]
    text += [f"{name}: left out, {reason}" for name, reason in left_out.items()]
    if never:
        text.append(f"never rang: {', '.join(never)}")
    good = sum(result.is_good for result in results)
    return [*text, f"{good} of {len(results)} drills as promised"]


def _rows(result: Result) -> Iterator[tuple[str, ...]]:
    named = f"status: {result.status}" if result.is_named else "not named by status"
    if not result.times:
        verdict = named if result.is_good else "FAILED"
        yield (result.drill.name, "-", "-", "-", "-", "-", verdict)
    for number, times in enumerate(result.times):
        yield (
            result.drill.name if not number else "",
            times.alarm,
            _seconds(times.detected_s),
            _seconds(times.detect_limit_s),
            _seconds(times.cleared_s),
            _seconds(times.clear_limit_s),
            "FAILED" if not times.is_kept else named if not number else "good",
        )


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f}"


def document(results: Sequence[Result], never: Sequence[str], left_out: Mapping[str, str]) -> dict[str, Any]:
    """The same for programs."""
    return {
        "drills": [
            {
                "name": result.drill.name,
                "is_good": result.is_good,
                "faults": result.faults,
                "alarms": [vars(times) for times in result.times],
                "others": result.others,
                "undeclared": result.undeclared,
                "status": result.status,
                "took_s": round(result.took_s, 1),
                "requests": result.requests,
            }
            for result in results
        ],
        "never_rang": never,
        "left_out": dict(left_out),
        "is_good": bool(results) and all(result.is_good for result in results),
    }


def listed(drills: Iterable[Drill], stage: str, minute_s: float) -> list[str]:
    """All drills, one after the other."""
    text: list[str] = []
    for drill in drills:
        where = "runs here" if stage in drill.stages else f"not on {stage}: {drill.refusal}"
        text += [
            f"{drill.name} ({where})",
            f"    breaks  {drill.breaks}",
            f"    felt    {drill.felt}",
            *(
                f"    rings   {alarm} within {minutes * minute_s:.0f} s"
                for alarm, minutes in drill.rings.items()
            ),
            f"    clears  within {drill.clear_min * minute_s:.0f} s of the repair",
            f"    status  names {' or '.join(drill.causes)} first",
        ]
    return text


def listed_document(drills: Iterable[Drill], stage: str) -> dict[str, Any]:
    """The same for programs; limits in minutes of the alarms' clock."""
    return {
        "drills": [
            {
                "name": drill.name,
                "breaks": drill.breaks,
                "felt": drill.felt,
                "rings": dict(drill.rings),
                "may_ring": drill.may_ring,
                "clear_min": drill.clear_min,
                "causes": drill.causes,
                "runs_here": stage in drill.stages,
                "refusal": "" if stage in drill.stages else drill.refusal,
            }
            for drill in drills
        ]
    }
