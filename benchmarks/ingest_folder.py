"""`python -m benchmarks.ingest_folder DIR --json`: any folder through the running system.

Uploads every file below DIR to the running local system, waits until each has ended, and prints one JSON
list, in order of the names:

    {"file": "a/b.pdf", "state": "SEARCHABLE", "reason": "", "seconds": 1.2, "chunks": 3, "characters": 1540,
     "partial": "", "ocr": false, "document_id": "...", "key": "documents/acme/..."}

`seconds` goes from the begin of the upload to the end by the ledger's own times; `chunks` is the ledger's,
`characters` the length of the stored text; `partial` says what of the file could not be read, `ocr` whether
text was read off pictures. Files that cannot be read are NOT_UPLOADED with a reason, `<file>.metadata.json`
is METADATA of its document. Progress goes to stderr. Exit status: 0 every file that could be read has ended,
1 some have not or the system is not up, 2 asked wrongly, 130 interrupted (the list says what is known).
"""

import argparse
import json
import signal
import sys
import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from botocore.exceptions import BotoCoreError, ClientError
from haylift.domain.errors import HayliftError

from benchmarks.folder_files import found_files, planned
from benchmarks.folder_rows import FileRow, is_searchable, is_whole, summary
from benchmarks.folder_run import FolderRun, Surroundings
from benchmarks.folder_system import (
    KeptTexts,
    Reader,
    kept_texts,
    require_up,
    run_ledger,
    upload_bucket,
)
from ops.api import ApiClient
from ops.deployment import DEFAULT_STATE_DIR, Deployment, local_deployment
from ops.faults import EXIT_FAILED, EXIT_OK, OpsFault, UsageFault
from ops.terminal import printable

EXIT_INTERRUPTED = 130
MOST_PARALLEL = 32


def parser() -> argparse.ArgumentParser:
    """The options."""
    made = argparse.ArgumentParser(
        prog="python -m benchmarks.ingest_folder",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("folder", type=Path, metavar="DIR", help="any folder (or one file)")
    made.add_argument("--json", action="store_true", help="print one JSON list instead of lines")
    made.add_argument("--state-dir", type=Path, default=Path(DEFAULT_STATE_DIR), metavar="DIR",
                      help="state of the running system, default %(default)s")  # fmt: skip
    made.add_argument("--tenant", help="whose documents they become (default: the first tenant)")
    made.add_argument("--prefix", help="where they lie in the tenant's folder (default: a new folder for "
                      "each run, so that every file is new); bulk/... is the slow lane")  # fmt: skip
    made.add_argument("--timeout-s", type=_seconds, default=300.0, metavar="S",
                      help="give up when nothing has changed for so long (default %(default)g)")  # fmt: skip
    made.add_argument("--parallel", type=_few, default=4, metavar="N",
                      help="files uploaded at a time, 1-32 (default %(default)s)")  # fmt: skip
    made.add_argument("--find", action="store_true",
                      help="search for each searchable file by words of its text, say `found`")  # fmt: skip
    made.add_argument("--remove", action="store_true", help="delete the files from the system afterwards")
    return made


def _seconds(text: str) -> float:
    try:
        if 1 <= float(text) <= 86_400:
            return float(text)
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"{text} is no number of seconds from 1 to 86400")


def _few(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= MOST_PARALLEL):
        raise argparse.ArgumentTypeError(f"{text} is no number from 1 to {MOST_PARALLEL}")
    return int(text)


def ingest(options: argparse.Namespace) -> int:
    """One run. Raises `OpsFault`, before anything is sent, when the system is not up."""
    if not options.folder.exists():
        raise UsageFault("folder_missing", f"{options.folder} is neither a folder nor a file.")
    deployment = _running(options.state_dir)
    tenant = deployment.tenant(options.tenant)
    prefix = (options.prefix or "").strip("/") or f"ingest_folder/{uuid.uuid4().hex[:8]}"
    bucket, texts = upload_bucket(deployment), kept_texts(deployment)
    plans = planned(found_files(options.folder), tenant=tenant, prefix=prefix)
    say(f"{len(plans)} files go to documents/{tenant}/{prefix}/")
    around = Surroundings(
        bucket=bucket,
        ledger=run_ledger(deployment, tenant, prefix),
        texts=texts,
        now=time.time,
        sleep=time.sleep,
        say=say,
    )
    run = FolderRun(around=around, plans=plans, parallel=options.parallel, timeout_s=options.timeout_s)
    status = _interruptible(run.run)
    if options.find and status == EXIT_OK:
        status = _interruptible(lambda: _search(deployment, tenant, texts, run.rows))
    show(run.rows, time.time(), is_json=options.json)
    if options.remove:
        keys = [row.plan.key for row in run.rows if row.plan.key and row.version_id]
        say(f"removed {len(keys) - bucket.remove(keys)} of {len(keys)} files")
    if status == EXIT_OK and not is_whole(run.rows):
        say("Some files have not ended: `python -m ops status` says whether a part is down.")
        return EXIT_FAILED
    return status


def _running(state_dir: Path) -> Deployment:
    deployment = local_deployment(state_dir)
    try:
        require_up(deployment)
    except OpsFault as fault:
        detail = (
            f"The system of {state_dir} does not answer ({fault.detail.split('. ')[0]}). "
            f"Start it with `python -m local up --state-dir {state_dir}`."
        )
        raise OpsFault("not_running", detail) from fault
    return deployment


def _interruptible(work: Callable[[], None]) -> int:
    """Ctrl-C and SIGTERM end the work, not the list."""

    def stop(_number: int, _frame: object) -> NoReturn:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        work()
    except KeyboardInterrupt:
        say("Interrupted: the list says what is known; ingestion goes on by itself.")
        return EXIT_INTERRUPTED
    finally:
        signal.signal(signal.SIGTERM, before)
    return EXIT_OK


def _search(deployment: Deployment, tenant: str, texts: KeptTexts, rows: Iterable[FileRow]) -> None:
    login = deployment.login(tenant=tenant, username=None)
    with ApiClient(deployment.api_url) as api:
        api.login(login.username, login.password)
        reader = Reader(api)
        for row in rows:
            if row.record is not None and is_searchable(row):
                row.is_found = reader.finds(texts.words(row.record), row.record.document_id)


def show(rows: Sequence[FileRow], now: float, *, is_json: bool) -> None:
    """The list on stdout: ASCII JSON, so that no terminal's encoding refuses a name; or lines."""
    entries = [row.shown(now) for row in sorted(rows, key=lambda row: row.plan.found.name)]
    if is_json:
        print(json.dumps(entries, indent=1), flush=True)
    else:
        for entry in entries:
            why = f"  {entry['reason']}" if entry["reason"] else ""
            part = f"  without {entry['partial']}" if entry["partial"] else ""
            print(printable(
                f"{entry['state']:12} {entry['seconds']:8.1f} s {entry['chunks']:6} chunks "
                f"{entry['characters']:9} characters  {entry['file']}{why}{part}".replace("\n", " ")
            ), flush=True)  # fmt: skip
    say(summary(rows))


def say(text: str) -> None:
    """A line on stderr; a reader that has gone ends nothing."""
    with suppress(OSError):
        print(printable(text).replace("\n", " "), file=sys.stderr, flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Gives the exit status."""
    options = parser().parse_args(arguments)
    try:
        return ingest(options)
    except OpsFault as fault:
        say(f"{fault.code}: {fault.detail}")
        return fault.exit_code
    except HayliftError as fault:
        say(f"{fault.code}: {fault.detail}")
    except (BotoCoreError, ClientError, OSError) as fault:
        say(f"failed: {fault}")
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    return EXIT_FAILED


if __name__ == "__main__":
    sys.exit(main())
