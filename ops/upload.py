"""`ops upload`: files and folders into the bucket, with their way to SEARCHABLE."""

from argparse import ArgumentParser
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from haylift.adapters.dynamodb_ledger import DynamoDbLedger
from haylift.adapters.dynamodb_users import DynamoDbUsers
from haylift.domain.documents import DocumentState
from haylift.domain.metadata import are_group_names

from ops.deployment import LOCAL_STAGE, UPLOADING, Deployment
from ops.faults import EXIT_FAILED, EXIT_OK, UsageFault
from ops.files import LocalFile, collect
from ops.follow import Bucket, Follower, Outcome, RecordOf, Uploaded
from ops.progress import UploadDisplay, line, upload_display
from ops.session import Session

PARALLEL_UPLOADS = 4
DEFAULT_STALL_S = 180
"""Above ingestion's lease of 150 s: one dead worker is not yet a reason to give up."""

ADVICE_BY_REASON = {
    "empty": "the file has zero bytes",
    "no_text": "it holds no text; run a scan through an OCR program first",
    "encrypted": "remove its password",
    "damaged": "it is broken or was cut off; make it again",
    "too_large": "split it into parts",
    "unsupported_format": "convert it to one of the formats of docs/formats.md, such as PDF, DOCX or HTML",
    "parser_limit": "reading it costs too much time or memory; split or simplify it",
    "model_refused": "the embedding model does not accept its text",
    "invalid_metadata": "correct the object's metadata (x-amz-meta-...)",
    "repeated_failure": "reading it failed several times; simplify it, or ask an operator",
}
"""What an uploader can do about each of `haylift.domain.errors.DocumentRejected`'s reasons."""


def add_arguments(parser: ArgumentParser) -> None:
    """The options of `ops upload`."""
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="a file or a folder")
    parser.add_argument("--tenant", help="whose documents they are (local default: the first tenant)")
    parser.add_argument(
        "--prefix", default="", help="a path before the files' own, e.g. handbook or bulk (backfill lane)"
    )
    parser.add_argument(
        "--groups",
        metavar="A,B",
        help="only these access groups may find the files; an empty text: everybody in the tenant "
        "(default: as it was for the file that is replaced, else everybody)",
    )
    parser.add_argument("--no-wait", dest="wait", action="store_false", help="return when all are uploaded")
    parser.add_argument("--wait", dest="wait", action="store_true", default=True, help="the default")
    parser.add_argument(
        "--timeout",
        type=float,
        default=DEFAULT_STALL_S,
        metavar="SECONDS",
        help="give up when no file changed its state for so long (default %(default)s)",
    )
    parser.add_argument("--strict", action="store_true", help="exit with 1 when a file was rejected")


def run(session: Session) -> int:
    """Uploads, waits, reports. Gives the exit code."""
    options, world = session.options, session.world
    deployment = session.deployment()
    tenant = deployment.tenant(options.tenant)
    groups = _access_groups(options.groups)
    files = collect(options.paths, tenant=tenant, prefix=options.prefix)
    warnings = [warning] if (warning := _unknown_tenant(deployment, tenant)) else []
    for text in warnings:
        session.terminal.remark(text)
    record_of = _ledger(deployment)
    bucket = Bucket(
        deployment.client("s3", UPLOADING), deployment.output("UploadBucketName"), record_of, world.now
    )
    with upload_display(session.terminal, len(files)) as display:
        uploads = _upload_all(lambda file: bucket.upload(file, groups), files, display)
        outcomes = [Outcome(uploaded=uploaded) for uploaded in uploads]
        if options.wait:
            follower = Follower(record_of, bucket.is_current, now=world.now, sleep=world.sleep)
            outcomes = follower.follow(uploads, options.timeout, display.changed)
    document = _document(outcomes) | {"warnings": warnings}
    session.terminal.result(document, _lines(outcomes, options.wait, options.timeout))
    return _exit_code(outcomes, waited=options.wait, is_strict=options.strict)


def _unknown_tenant(deployment: Deployment, tenant: str) -> str | None:
    """What to say when nobody of the tenant can log in; on AWS an uploader may not read the users."""
    if deployment.stage != LOCAL_STAGE:
        return None
    table = DynamoDbUsers(deployment.output("UsersTableName"), deployment.client("dynamodb"))
    tenants = sorted({user.tenant for user in table.list()})
    if tenant in tenants:
        return None
    return (
        f"Warning: nobody can find these files, because the tenant {tenant} has no users "
        f"(tenants with users: {', '.join(tenants) or 'none'}). "
        f"To add one: python -m ops user add NAME --tenant {tenant} --role reader"
    )


def _ledger(deployment: Deployment) -> RecordOf:
    return DynamoDbLedger(
        deployment.output("LedgerTableName"),
        deployment.output("TenantsTableName"),
        deployment.client("dynamodb"),
    ).get


def _access_groups(text: str | None) -> frozenset[str] | None:
    if text is None:
        return None
    groups = frozenset(name.strip() for name in text.split(",") if name.strip())
    if not are_group_names(groups) or not all(name.isascii() for name in groups):
        raise UsageFault(
            "invalid_access_groups", "--groups takes at most 100 ASCII names, separated by commas."
        )
    return groups


def _upload_all(
    upload: Callable[[LocalFile], Uploaded], files: Sequence[LocalFile], display: UploadDisplay
) -> list[Uploaded]:
    uploads = []
    with ThreadPoolExecutor(PARALLEL_UPLOADS) as pool:
        for uploaded in pool.map(upload, files):
            display.uploaded()
            uploads.append(uploaded)
    return uploads


def _document(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """What `--json` prints: counts, and one entry per file."""
    counts = Counter(outcome.state for outcome in outcomes)
    return {
        "uploaded": len(outcomes),
        "searchable": counts[DocumentState.SEARCHABLE],
        "rejected": counts[DocumentState.REJECTED],
        "unfinished": sum(not outcome.is_final for outcome in outcomes),
        "documents": [
            {
                "file": str(outcome.uploaded.file.path),
                "key": outcome.uploaded.file.key.object_key,
                "document_id": outcome.uploaded.file.key.document_id,
                "state": outcome.state_name,
                "reason": outcome.reason,
                "seconds": round(outcome.seconds, 3),
                "superseded": outcome.is_superseded,
                "earlier_version_hidden": outcome.has_hidden_earlier,
            }
            for outcome in outcomes
        ],
    }


def _lines(outcomes: Sequence[Outcome], waited: bool, stall_s: float) -> Iterator[str]:
    yield _summary(outcomes, waited)
    for outcome in outcomes:
        if outcome.state is DocumentState.REJECTED:
            advice = ADVICE_BY_REASON.get(outcome.reason, "see `python -m ops documents --state REJECTED`")
            yield f"  {line(outcome)}: {advice}"
            if outcome.has_hidden_earlier:
                yield "    The earlier version of this file is no longer found; the bucket keeps it."
    unfinished = [outcome for outcome in outcomes if not outcome.is_final]
    if waited and unfinished:
        yield (
            f"Gave up: nothing changed for {stall_s:g} s. Ingestion goes on by itself; "
            "`python -m ops status` says whether a part is down, `python -m ops documents` shows the states."
        )
        for outcome in unfinished[:10]:
            yield f"  {line(outcome)}"
        if len(unfinished) > 10:
            yield f"  and {len(unfinished) - 10} more"


def _summary(outcomes: Sequence[Outcome], waited: bool) -> str:
    files = "1 file" if len(outcomes) == 1 else f"{len(outcomes)} files"
    if not waited:
        return f"{files} uploaded; they become searchable one after the other."
    counts = Counter(outcome.state_name for outcome in outcomes)
    states = ", ".join(f"{count} {name}" for name, count in sorted(counts.items(), reverse=True))
    slowest_s = max(outcome.seconds for outcome in outcomes)
    return f"{files} uploaded: {states} (slowest {slowest_s:.1f} s)"


def _exit_code(outcomes: Sequence[Outcome], *, waited: bool, is_strict: bool) -> int:
    is_unfinished = waited and not all(outcome.is_final for outcome in outcomes)
    is_rejected = any(outcome.state is DocumentState.REJECTED for outcome in outcomes)
    return EXIT_FAILED if is_unfinished or (is_strict and is_rejected) else EXIT_OK
