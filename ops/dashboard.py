"""`ops dashboard`: the deployed dashboard with its data, drawn into a picture.

It shows what CloudWatch would: the dashboard is read as it is deployed, each line's data come from
GetMetricData, math included. A line without data is named, because a graph of nothing looks like a quiet day.
"""

import json
from argparse import ArgumentParser, ArgumentTypeError
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ops.dashboard_panels import panel_of
from ops.faults import EXIT_OK, OpsFault
from ops.session import Session

DEFAULT_HOURS = 1.0
MAX_HOURS = 24.0
"""At one point a minute; CloudWatch keeps such points for 15 days."""


def add_arguments(parser: ArgumentParser) -> None:
    """The options of `ops dashboard`."""
    parser.add_argument(
        "--output", type=Path, metavar="FILE.png", help="default haylift-<stage>-dashboard.png"
    )
    parser.add_argument(
        "--hours", type=_hours, default=DEFAULT_HOURS, metavar="N", help="how far back (default %(default)g)"
    )


def _hours(text: str) -> float:
    hours = float(text)
    if not 0 < hours <= MAX_HOURS:
        raise ArgumentTypeError(f"{text} does not lie between 0 and {MAX_HOURS:g}")
    return hours


def run(session: Session) -> int:
    """Reads the dashboard and its data, and writes the picture."""
    deployment = session.deployment()
    name = deployment.output("DashboardName")
    output: Path = session.options.output or Path(f"haylift-{deployment.stage}-dashboard.png")
    if output.suffix != ".png":
        raise OpsFault("picture_format", f"{output} does not end with .png, the one format that is drawn.")
    cloudwatch = deployment.client("cloudwatch")
    end = datetime.fromtimestamp(session.world.now(), UTC)
    start = end - timedelta(hours=session.options.hours)
    body = json.loads(cloudwatch.get_dashboard(DashboardName=name)["DashboardBody"])
    panels = [panel_of(widget, cloudwatch, start, end) for widget in body["widgets"]]
    from ops.dashboard_picture import draw  # noqa: PLC0415  # half a second, and no other command draws

    draw(panels, output, title=f"{name}, {start:%Y-%m-%d %H:%M} to {end:%H:%M} UTC", span=(start, end))
    silent = [f"{panel.title}: {line.label}" for panel in panels for line in panel.lines if not line.values]
    graphs = sum(bool(panel.lines) for panel in panels)
    session.terminal.result(
        {"picture": str(output), "graphs": graphs, "lines_without_data": silent},
        [f"{graphs} graphs of {name}: {output}", *(f"no data  {name}" for name in silent)],
    )
    return EXIT_OK
