"""Draws the panels of a dashboard into one PNG, laid out as CloudWatch does."""

import io
import math
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import batched, pairwise
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.dates import DateFormatter
from matplotlib.figure import Figure
from PIL import Image

from ops.dashboard_panels import Line, Panel, Place

COLUMNS = 24
UNIT_IN = 0.6
ROW_IN = 0.36
MARGIN_IN = 0.5
DPI = 72
GREY, RED, GREEN, YELLOW = "#777777", "#c0392b", "#2e8b57", "#b8860b"
COLOURS_BY_STATE = {"OK": GREEN, "ALARM": RED, "INSUFFICIENT_DATA": YELLOW}
STATES_PER_COLUMN = 7
COLOURS = 64
"""Enough for lines and letters, and a third of the bytes."""

NAME_COLUMNS = 2
HEADROOM_PER_ROW = 0.16
MOST_NAMED = 10
"""More lines than this leave no room for their names; those that have data are named first."""


def draw(panels: Sequence[Panel], output: Path, *, title: str, span: tuple[datetime, datetime]) -> None:
    """Writes the picture.

    Args:
        span: first and last moment of all graphs.

    Raises:
        OSError: when the file cannot be written.
    """
    height = max(panel.place.y + panel.place.height for panel in panels)
    figure = Figure(figsize=(COLUMNS * UNIT_IN, height * ROW_IN + 2 * MARGIN_IN), dpi=DPI)
    figure.text(0.01, 1 - MARGIN_IN / 2 / figure.get_figheight(), title, fontsize=13, weight="bold")
    for panel in panels:
        axes = _axes(figure, panel.place)
        if panel.text:
            _write(axes, panel.text)
        elif panel.states:
            _show_states(axes, panel)
        else:
            _plot(axes, panel, span)
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png")
    Image.open(drawn).convert("RGB").quantize(COLOURS).save(output, optimize=True)


def _axes(figure: Figure, place: Place) -> Axes:
    width, height = figure.get_figwidth(), figure.get_figheight()
    left, inner = place.x * UNIT_IN + 0.45, place.width * UNIT_IN - 0.65
    top = height - MARGIN_IN - place.y * ROW_IN - 0.25
    tall = max(place.height * ROW_IN - 0.55, 0.3)
    return figure.add_axes((left / width, (top - tall) / height, inner / width, tall / height))


def _write(axes: Axes, markdown: str) -> None:
    axes.axis("off")
    for number, line in enumerate(markdown.splitlines()):
        is_title = line.startswith("#")
        axes.text(
            -0.02,
            0.9 - 0.75 * number,
            re.sub(r"^#+ |`", "", line),
            fontsize=12 if is_title else 8,
            weight="bold" if is_title else "normal",
            color="black" if is_title else GREY,
        )


def _show_states(axes: Axes, panel: Panel) -> None:
    axes.axis("off")
    axes.set_title(panel.title, fontsize=9, loc="left")
    columns = list(batched(panel.states, STATES_PER_COLUMN, strict=False))
    for column, states in enumerate(columns):
        for row, (name, state) in enumerate(states):
            axes.text(
                column / len(columns),
                0.9 - row / STATES_PER_COLUMN,
                f"\N{BLACK SQUARE} {name}",
                fontsize=7.5,
                color=COLOURS_BY_STATE.get(state, GREY),
            )


def _plot(axes: Axes, panel: Panel, span: tuple[datetime, datetime]) -> None:
    axes.set_title(panel.title, fontsize=9, loc="left")
    axes.tick_params(labelsize=7)
    axes.grid(visible=True, color="#eeeeee")
    axes.set_xlim(span[0], span[1])  # type: ignore[arg-type]  # its stubs know numbers only
    axes.xaxis.set_major_formatter(DateFormatter("%H:%M", tz=UTC))  # type: ignore[no-untyped-call]
    with_data = [line for line in panel.lines if line.values]
    if panel.is_stacked:
        _stack(axes, with_data)
    else:
        for line in map(_with_gaps, with_data):
            # A dot too: a single minute with data would be invisible as a line.
            axes.plot(_moments(line), line.values, label=line.label, linewidth=1, marker=".", markersize=4)  # type: ignore[arg-type]
    for threshold in panel.thresholds:
        axes.axhline(threshold, color=RED, linewidth=0.8, linestyle="--")
    # Room above the data for the names of the lines.
    axes.set_ylim(bottom=0, top=axes.get_ylim()[1] * (1 + HEADROOM_PER_ROW * _name_rows(with_data)))
    _name(axes, panel, with_data)


def _name_rows(lines: Sequence[Line]) -> int:
    return math.ceil(min(len(lines), MOST_NAMED) / NAME_COLUMNS)


def _with_gaps(line: Line) -> Line:
    """The line with a break wherever more than one point is missing: nothing is known of such minutes."""
    steps = [later - earlier for earlier, later in pairwise(line.times)]
    times, values = list(line.times[:1]), list(line.values[:1])
    for step, time, value in zip(steps, line.times[1:], line.values[1:], strict=True):
        if step > 2 * min(steps):
            times.append(time - step / 2)
            values.append(math.nan)
        times.append(time)
        values.append(value)
    return Line(label=line.label, times=tuple(times), values=tuple(values))


def _stack(axes: Axes, lines: Sequence[Line]) -> None:
    """Bars from the bottom up; a minute without data of a line is 0 of it."""
    height_by_time: dict[float, float] = {}
    for line in lines:
        bottoms = [height_by_time.get(time, 0.0) for time in line.times]
        axes.bar(_moments(line), line.values, width=1 / 1440, bottom=bottoms, label=line.label)  # type: ignore[arg-type]
        for time, bottom, value in zip(line.times, bottoms, line.values, strict=True):
            height_by_time[time] = bottom + value


def _name(axes: Axes, panel: Panel, with_data: Sequence[Line]) -> None:
    silent = [line.label for line in panel.lines if not line.values]
    if with_data:
        handles, labels = axes.get_legend_handles_labels()
        axes.legend(
            handles[:MOST_NAMED],
            labels[:MOST_NAMED],
            fontsize=6,
            loc="upper left",
            framealpha=0.6,
            ncols=NAME_COLUMNS,
        )
    else:
        axes.text(0.5, 0.5, "no data", fontsize=9, color=GREY, ha="center", transform=axes.transAxes)
    if silent and with_data:
        shown = ", ".join(silent) if len(silent) <= 2 else f"{len(silent)} of {len(panel.lines)} lines"
        axes.set_title(f"no data: {shown}", fontsize=6, loc="right", color=GREY)


def _moments(line: Line) -> list[datetime]:
    return [datetime.fromtimestamp(time, UTC) for time in line.times]
