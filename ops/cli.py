"""The commands of `python -m ops` and their exit codes.

0 done, 1 failed, 2 asked wrongly, 3 done, and what was looked at is not well.
"""

import argparse
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from botocore.exceptions import BotoCoreError, ClientError, ConnectionError, HTTPClientError
from haylift.domain.errors import DependencyUnavailable, HayliftError

from ops import (
    alarms,
    audit_view,
    dashboard,
    dlq,
    documents,
    flags,
    imports,
    inbox,
    ingest,
    keys,
    limits,
    logs,
    questions,
    reconcile,
    status,
    trace,
    upload,
    users,
)
from ops.deployment import LOCAL_STAGE, STAGES
from ops.drill import commands as drill
from ops.drill import quiet
from ops.faults import AWS_NEXT_STEP, EXIT_FAILED, EXIT_OK, EXIT_USAGE, NEXT_STEP, OpsFault, UsageFault
from ops.session import Session, World
from ops.terminal import Terminal

MOST_SHOWN = 300

EPILOG = """\
examples:
  python -m ops upload samples --tenant acme
  python -m ops ask "How long is an access token valid?"
  python -m ops search "dead-letter queue" --mode keyword --top-k 3
  python -m ops user add ada --tenant acme --role editor
  python -m ops status
  python -m ops logs ingestion --minutes 5
  python -m ops --stage dev --region eu-central-1 user list --json

exit codes: 0 done, 1 failed, 2 asked wrongly, 3 done, and what was looked at is not well
"""


@dataclass(frozen=True)
class Command:
    """One command: what it does, its options, and what runs it."""

    help: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[Session], int]


COMMANDS: dict[str, Command] = {
    "status": Command("say what users feel now, and why", status.add_arguments, status.run),
    "alarms": Command("show the alarms, or one with its history", alarms.add_arguments, alarms.run),
    "inbox": Command("show what the alarms told the people on call", inbox.add_arguments, inbox.run),
    "dashboard": Command(
        "draw the deployed dashboard into a picture", dashboard.add_arguments, dashboard.run
    ),
    "upload": Command(
        "upload files and folders and say when they are searchable", upload.add_arguments, upload.run
    ),
    "documents": Command(
        "show a tenant's documents, their states and reasons", documents.add_arguments, documents.run
    ),
    "reconcile": Command(
        "compare bucket, ledger and index, and mend what differs", reconcile.add_arguments, reconcile.run
    ),
    "ask": Command(
        "ask a question and show the cited sentences", questions.add_ask_arguments, questions.run_ask
    ),
    "search": Command("search for passages", questions.add_search_arguments, questions.run_search),
    "logs": Command("show what a function logged", logs.add_arguments, logs.run),
    "audit": Command("show who did what, with what outcome", audit_view.add_arguments, audit_view.run),
    "trace": Command("show the way of one request, and what failed first", trace.add_arguments, trace.run),
}


@dataclass(frozen=True)
class Group:
    """Commands under one name."""

    help: str
    commands: dict[str, Command]


USER_COMMANDS: dict[str, Command] = {
    "add": Command("add a user", users.add_arguments, users.run_add),
    "import": Command("add the users of a file", users.add_import_arguments, users.run_import),
    "password": Command("give a user another password", users.add_new_password_arguments, users.run_password),
    "disable": Command("put a user out, within 5 s", users.add_name_argument, users.run_disable),
    "enable": Command("let a disabled user in again", users.add_name_argument, users.run_enable),
    "list": Command("show the users", users.add_list_arguments, users.run_list),
}
FLAG_COMMANDS: dict[str, Command] = {
    "list": Command("show the flags", flags.add_list_arguments, flags.run_list),
    "set": Command("set a flag, within 5 s", flags.add_set_arguments, flags.run_set),
}
DLQ_COMMANDS: dict[str, Command] = {
    "list": Command("count the dead letters by cause", dlq.add_list_arguments, dlq.run_list),
    "show": Command("show single letters and their documents", dlq.add_show_arguments, dlq.run_show),
    "redrive": Command("send letters back to work", dlq.add_change_arguments, dlq.run_redrive),
    "discard": Command("throw letters away", dlq.add_change_arguments, dlq.run_discard),
}
INGEST_COMMANDS: dict[str, Command] = {
    "pause": Command("close lanes; what is uploaded waits", ingest.add_pause_arguments, ingest.run_pause),
    "resume": Command("open lanes", ingest.add_resume_arguments, ingest.run_resume),
    "gate": Command(
        "let the gate close lanes while the model does not answer, or not",
        ingest.add_gate_arguments,
        ingest.run_gate,
    ),
    "import": Command("take objects that are there already", imports.add_arguments, imports.run),
}
KEY_COMMANDS: dict[str, Command] = {
    "list": Command("show the keys that sign access tokens", keys.add_list_arguments, keys.run_list),
    "enable": Command("let a disabled one sign again", keys.add_enable_arguments, keys.run_enable),
}
LIMIT_COMMANDS: dict[str, Command] = {
    "list": Command("show the tenants' own limits", limits.add_list_arguments, limits.run_list),
    "set": Command("set a tenant's limit", limits.add_set_arguments, limits.run_set),
}
DRILL_COMMANDS: dict[str, Command] = {
    "list": Command("show all drills", drill.add_list_arguments, drill.run_list),
    "run": Command("run one drill", drill.add_run_arguments, drill.run_one),
    "all": Command("run every drill that this stage allows", drill.add_all_arguments, drill.run_all),
    "quiet": Command("let users work, and see that nothing rings", quiet.add_arguments, quiet.run),
    "undo": Command("repair what a killed drill has left", drill.add_undo_arguments, drill.run_undo),
}
GROUPS: dict[str, Group] = {
    "dlq": Group("count, show, redrive and discard dead letters", DLQ_COMMANDS),
    "drill": Group("break something for real, and see its alarms ring and clear", DRILL_COMMANDS),
    "flags": Group("force keyword-only, shed load, pause ingestion", FLAG_COMMANDS),
    "ingest": Group("pause and resume the lanes, import objects", INGEST_COMMANDS),
    "keys": Group("the keys that sign access tokens", KEY_COMMANDS),
    "limits": Group("searches a minute by tenant", LIMIT_COMMANDS),
    "user": Group("add, import, change, disable, enable and list users", USER_COMMANDS),
}


class WrongOptions(SystemExit):
    """Options that no command has; exit code 2, as argparse leaves."""

    def __init__(self, usage: str, prog: str, message: str) -> None:
        super().__init__(EXIT_USAGE)
        self.usage = usage
        self.prog = prog
        self.message = message


class Parser(argparse.ArgumentParser):
    """Leaves it to `main` how wrong options are told: with `--json` as a document. So do its subparsers."""

    def error(self, message: str) -> NoReturn:
        """Raises `WrongOptions`."""
        raise WrongOptions(self.format_usage(), self.prog, message)


def build_parser() -> argparse.ArgumentParser:
    """The parser of all commands; the common options may stand before or after a command."""
    parser = Parser(
        prog="python -m ops",
        description="Upload, ask and manage users of a running Haylift, on this machine or on AWS.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_common(parser, stage=LOCAL_STAGE, state_dir=".local", region=None, json=False, debug=False)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, command in COMMANDS.items():
        _add(commands, name, command)
    for group_name, group in GROUPS.items():
        inner = commands.add_parser(group_name, help=group.help)
        inner_commands = inner.add_subparsers(title="commands", metavar="COMMAND", required=True)
        for name, command in group.commands.items():
            _add(inner_commands, name, command)
    return parser


def _add(commands: Any, name: str, command: Command) -> None:
    description = f"{command.help[0].upper()}{command.help[1:]}."
    parser = commands.add_parser(name, help=command.help, description=description)
    command.add_arguments(parser)
    # A value given before the command must not be lost to a default after it.
    suppressed = dict.fromkeys(("stage", "state_dir", "region", "json", "debug"), argparse.SUPPRESS)
    _add_common(parser, **suppressed)
    parser.set_defaults(run=command.run)


def _add_common(parser: argparse.ArgumentParser, **defaults: Any) -> None:
    group = parser.add_argument_group("where and how")
    group.add_argument("--stage", choices=STAGES, default=defaults["stage"], help="default local")
    group.add_argument(
        "--state-dir",
        default=defaults["state_dir"],
        metavar="DIR",
        help="state of the local system, default .local",
    )
    group.add_argument(
        "--region", default=defaults["region"], help="AWS region, default the environment's (dev and prod)"
    )
    group.add_argument(
        "--json", action="store_true", default=defaults["json"], help="print one JSON document"
    )
    group.add_argument(
        "--debug",
        action="store_true",
        default=defaults["debug"],
        help="show where an internal error came from",
    )


def _with_next_step(detail: str, stage: str) -> str:
    return f"{detail.rstrip('.')}. {NEXT_STEP if stage == LOCAL_STAGE else AWS_NEXT_STEP}"


def _unreachable(fault: Exception, stage: str) -> OpsFault:
    """What the SDK says of a call that got no answer; it names the endpoint."""
    is_silent = stage == LOCAL_STAGE or isinstance(fault, ConnectionError | HTTPClientError)
    return OpsFault("aws_unreachable", _with_next_step(str(fault), stage) if is_silent else str(fault))


def _told(fault: Exception, options: argparse.Namespace) -> OpsFault:
    """An error of a library in words that say the next step."""
    if isinstance(fault, DependencyUnavailable):
        if isinstance(fault.__cause__, BotoCoreError):
            return _unreachable(fault.__cause__, options.stage)
        return OpsFault(fault.code, _with_next_step(fault.detail, options.stage))
    if isinstance(fault, BotoCoreError):
        return _unreachable(fault, options.stage)
    match fault:
        case HayliftError():
            told = OpsFault(fault.code, fault.detail)
        case ClientError():
            error = fault.response.get("Error", {})
            told = OpsFault(f"aws_{error.get('Code', 'error')}", error.get("Message", str(fault)))
        case OSError():
            told = OpsFault("file_error", str(fault))
        case _:
            told = _internal(fault)
    return told


def _internal(fault: Exception) -> OpsFault:
    where = traceback.extract_tb(fault.__traceback__)[-1]
    place = f"{Path(where.filename).name}, line {where.lineno}"
    detail = (
        f"{type(fault).__name__}: {str(fault)[:MOST_SHOWN]} ({place}). The command itself is at fault: "
        "run it again with --debug, and report what it shows."
    )
    return OpsFault("internal_error", detail)


def main(arguments: Sequence[str], world: World | None = None) -> int:
    """Runs one command. Gives its exit code; wrong options leave by SystemExit(2), but not with `--json`."""
    world = world or World.real()
    try:
        options = build_parser().parse_args(arguments)
    except WrongOptions as wrong:
        if not any(text.startswith("--j") and "--json".startswith(text) for text in arguments):
            print(f"{wrong.usage}{wrong.prog}: error: {wrong.message}", file=sys.stderr)
            raise
        detail = f"{wrong.message[:1].upper()}{wrong.message[1:]}; see {wrong.prog} --help."
        Terminal(out=world.out, err=world.err, is_json=True).fault(UsageFault("wrong_options", detail))
        return EXIT_USAGE
    terminal = Terminal(out=world.out, err=world.err, is_json=options.json)
    run: Callable[[Session], int] = options.run
    try:
        return run(Session(options=options, world=world, terminal=terminal))
    except OpsFault as fault:
        terminal.fault(fault)
        return fault.exit_code
    except BrokenPipeError:
        # The reader, such as `head`, has enough; closed, so that Python does not write the rest at its end.
        with suppress(BrokenPipeError):
            world.out.close()
        return EXIT_OK
    except KeyboardInterrupt:
        terminal.fault(OpsFault("interrupted", "What was uploaded stays uploaded; ingestion goes on."))
    except Exception as fault:  # outermost: whatever it is, somebody on call gets one line and no traceback
        if options.debug:
            traceback.print_exception(fault, file=world.err)
        terminal.fault(_told(fault, options))
    return EXIT_FAILED
