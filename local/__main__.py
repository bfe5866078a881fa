"""`python -m local`: the whole of Haylift on this machine, deployed from the same CDK app as to AWS."""

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from local import seeding, system
from local.choices import choose, limits_a_minute, seconds_of_a_minute
from local.deployment import Deployment
from local.faults import LocalFault
from local.first_requests import wait_until_answering
from local.layout import DEFAULT_STATE, Layout
from local.outputs import print_guide, write_outputs
from local.ports import Ports, are_free, choose_ports, free_ports, variable
from local.services import DEFAULT_WORKERS
from local.toolchain import ROOT

EPILOG = f"""ports are changed by {", ".join(variable(n) for n in ("emulator", "cache", "model", "runtime"))}
exit status: 0 done, 1 failed, 3 (status) something does not run"""


def up(layout: Layout, options: argparse.Namespace) -> int:
    """Start the services, deploy, add users; unless told otherwise upload samples and ask questions."""
    started = time.monotonic()
    with system.exclusive(layout):
        layout.create()
        has_demo = options.samples != "none" and not options.skip_demo
        folder = Path(options.samples).absolute()
        if has_demo:
            seeding.require_folder(folder)
        ports = _ports(layout, options)
        choices = choose(options.minute_s, options.rate_limits, options.ocr, layout.choices)
        is_discarded = system.start(layout, ports, options.workers, choices.minute_s)
        deployment = Deployment(layout, ports, choices)
        deployment.run()
        users = seeding.users_of(layout)
        content = write_outputs(deployment, users)
        with ThreadPoolExecutor(1) as aside:
            answering = aside.submit(wait_until_answering, str(content["api_url"]))
            seeding.add_users(layout, users)
            answering.result()
        if is_discarded:
            again = f"the files of {options.samples}" if has_demo else "no files"
            print(f"\nAs the earlier run did not stop cleanly, {again} are uploaded again; users are new.")
        if has_demo:
            seeding.upload(layout, folder, seeding.TENANTS[0])
            seeding.ask(layout, folder, seeding.TENANTS[0])
    print_guide(content, users, layout)
    print(f"({time.monotonic() - started:.0f} s)")
    return 0


def _ports(layout: Layout, options: argparse.Namespace) -> Ports:
    """The system's ports; free ones are drawn again when somebody took them while it was down."""
    ports = choose_ports(options.ports, layout.ports, dict(os.environ))
    if options.ports == "free" and not system.is_running(layout, ports) and not are_free(ports):
        return free_ports()
    return ports


def down(layout: Layout, _options: argparse.Namespace) -> int:
    """Stop what `up` started; state and logs stay."""
    if layout.state.exists():
        with system.exclusive(layout):
            ports = choose_ports("default", layout.ports, {})
            Deployment(layout, ports).end_leftovers()
            system.stop(layout, ports)
    return 0


def status(layout: Layout, _options: argparse.Namespace) -> int:
    """Say what runs; exit status 3 when something does not."""
    if not layout.ports.exists():
        print(f"no local system in {layout.state}")
        return 3
    return 0 if system.report(layout, choose_ports("default", layout.ports, {})) else 3


def restart(layout: Layout, options: argparse.Namespace) -> int:
    """Start one service anew, in seconds: model, cache or runtime; documents and users stay."""
    if not layout.ports.exists():
        print(f"no local system in {layout.state}")
        return 1
    with system.exclusive(layout):
        system.restart(layout, choose_ports("default", layout.ports, {}), options.service)
    return 0


def clean(layout: Layout, options: argparse.Namespace) -> int:
    """Stop the system and remove its state."""
    if layout.marker.exists():
        down(layout, options)
    system.remove(layout)
    return 0


COMMANDS: dict[str, Callable[[Layout, argparse.Namespace], int]] = {
    "up": up,
    "down": down,
    "status": status,
    "restart": restart,
    "clean": clean,
}


def _parser() -> argparse.ArgumentParser:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        prog="python -m local", description=(__doc__ or ""), epilog=EPILOG, formatter_class=raw
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="up|down|status|restart|clean")
    for name, command in COMMANDS.items():
        line = (command.__doc__ or "").splitlines()[0]
        sub = commands.add_parser(name, help=line, description=line, epilog=EPILOG, formatter_class=raw)
        sub.add_argument(
            "--state-dir", type=Path, default=DEFAULT_STATE, metavar="DIR", help="default: .local"
        )
        if name == "restart":
            sub.add_argument(
                "service", choices=system.RESTARTABLE,
                help="what to end, if it runs or hangs, and to start; `make up` starts all that is missing",
            )  # fmt: skip
        if name == "up":
            sub.add_argument(
                "--ports", choices=["default", "free"], default="default",
                help="the usual ports, or any free ones, for a system beside another",
            )  # fmt: skip
            sub.add_argument(
                "--samples", default=str(ROOT / "samples"), metavar="DIR", help="folder to upload, or `none`"
            )
            sub.add_argument(
                "--workers", type=_number_of_workers, default=DEFAULT_WORKERS, metavar="N",
                help="processes of one function at a time, 1-16; more calls wait (default %(default)s)",
            )  # fmt: skip
            sub.add_argument(
                "--minute-s", type=seconds_of_a_minute, metavar="N",
                help="real seconds of a minute of alarms, schedules and queue ages (60; kept until changed)",
            )  # fmt: skip
            sub.add_argument(
                "--rate-limits", type=limits_a_minute, metavar="off|LOGIN/SEARCH",
                help="logins and searches a caller has a minute (10/60; kept until changed)",
            )  # fmt: skip
            sub.add_argument(
                "--ocr", choices=["on", "off"],
                help="read pages without text off their pictures (off; kept until changed)",
            )  # fmt: skip
            sub.add_argument("--skip-demo", action="store_true", help="no uploads and no questions")
    return parser


def _number_of_workers(text: str) -> int:
    """1 to 16: each is a process of about 120 MB."""
    if not text.isdecimal() or not 1 <= int(text) <= 16:
        raise argparse.ArgumentTypeError(f"{text} is no number from 1 to 16")
    return int(text)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; a `LocalFault` is printed without a traceback."""
    options = _parser().parse_args(arguments)
    try:
        return COMMANDS[options.command](Layout(options.state_dir.absolute()), options)
    except LocalFault as fault:
        print(f"\n{fault}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ninterrupted; the same command goes on from here", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
