"""`ops trace`: the way of one request, from the gateway down to the model, and what failed first."""

from argparse import ArgumentParser, ArgumentTypeError, RawDescriptionHelpFormatter
from collections.abc import Iterator, Mapping
from typing import Any

from ops.faults import EXIT_OK, OpsFault, UsageFault
from ops.logs import MAX_MINUTES, minutes, request_id
from ops.session import Session
from ops.trace_log import Evidence, newest_failed, read_ending, read_evidence, said
from ops.trace_tree import OK, UNFINISHED, Node, Verdict, tree_of, verdict_of
from ops.trace_words import place_in_words

DEFAULT_MINUTES = 60.0
DEFAULT_WAIT_S = 10.0
MAX_WAIT_S = 600.0
POLL_S = 1.0
"""CloudWatch shows most lines within 5 s of their writing."""

DESCRIPTION = """\
Show the way of one request: gateway -> authorizer -> function -> cache -> index -> model endpoint.

With --json, one document:
  request_id  string
  is_whole    false while lines are missing that must come
  gateway     the line of the access log, or null
  tree        {hop, function, duration_ms, outcome, facts, children: [...]}; the gateway is its root
  verdict     {kind: ok|degraded|refused|failed, hop, function, code, words, own_ms, runbook,
              slowest_hop, slowest_function, slowest_ms}
  remarks     warnings and errors that the functions logged, one string each
  missing_groups  log groups that this stage does not have

Exit codes: 0 the request was found, whatever became of it; 1 it was not found; 2 asked wrongly.
"""


def add_arguments(parser: ArgumentParser) -> None:
    """The options of `ops trace`."""
    parser.formatter_class = RawDescriptionHelpFormatter
    parser.description = DESCRIPTION
    parser.add_argument(
        "request",
        nargs="?",
        type=request_id,
        metavar="REQUEST_ID",
        help="`X-Request-Id` of the answer, or `request_id` of its body",
    )
    parser.add_argument(
        "--last-failed",
        action="store_true",
        help="trace the newest request that failed (500 and above), or else was refused (400 and above)",
    )
    parser.add_argument(
        "--minutes",
        type=minutes,
        default=DEFAULT_MINUTES,
        metavar="N",
        help="how far back to look (default %(default)g)",
    )
    parser.add_argument(
        "--wait",
        type=_wait_s,
        default=DEFAULT_WAIT_S,
        metavar="SECONDS",
        help="how long to wait for late lines (default %(default)g)",
    )


def _wait_s(text: str) -> float:
    """From 0 to 600 s."""
    seconds = float(text)
    if not 0 <= seconds <= MAX_WAIT_S:
        raise ArgumentTypeError(f"{text} does not lie between 0 and {MAX_WAIT_S:g}")
    return seconds


def run(session: Session) -> int:
    """Shows the request.

    Raises:
        UsageFault: `request_missing` without an id and without `--last-failed`, or with both.
        OpsFault: `request_unknown`, `none_failed`.
    """
    options = session.options
    if bool(options.request) == options.last_failed:
        raise UsageFault("request_missing", "Give a request's id, or --last-failed.")
    wanted = options.request or _last_failed(session)
    evidence = _awaited(session, wanted)
    if evidence.is_empty:
        raise OpsFault("request_unknown", _advice(session, wanted, evidence))
    root = tree_of(evidence)
    verdict = verdict_of(root)
    remarks = [*evidence.remarks, *_endings(session, root)]
    document = _document(wanted, evidence, root, verdict, remarks)
    session.terminal.result(document, _lines(wanted, evidence, root, verdict, remarks))
    if not evidence.is_whole:
        session.terminal.remark(
            "Lines are missing: they may come later (--wait), or are older than --minutes."
        )
    return EXIT_OK


def _last_failed(session: Session) -> str:
    found = newest_failed(session.deployment(), now_s=session.world.now(), minutes=session.options.minutes)
    if found is None:
        detail = (
            f"No request failed in the last {session.options.minutes:g} minutes; look further with --minutes."
        )
        raise OpsFault("none_failed", detail)
    return str(found["requestId"])


def _since_ms(session: Session) -> int:
    return int((session.world.now() - session.options.minutes * 60) * 1_000)


def _awaited(session: Session, wanted: str) -> Evidence:
    """What was logged, asked again until nothing is missing or the wait is over."""
    deployment, since_ms = session.deployment(), _since_ms(session)
    until = session.world.now() + session.options.wait
    while True:
        evidence = read_evidence(deployment, wanted, since_ms=since_ms)
        if evidence.is_whole or session.world.now() + POLL_S > until:
            return evidence
        session.world.sleep(POLL_S)


def _advice(session: Session, wanted: str, evidence: Evidence) -> str:
    advice = f"Nothing was logged of {wanted} in the last {session.options.minutes:g} minutes: check the id"
    advice += f", the stage ({session.deployment().stage}), and --minutes (at most {MAX_MINUTES})."
    missing = [group for group in evidence.missing_groups if "apigateway" in group]
    return f"{advice} This stage has no access log {missing[0]}." if missing else advice


def _endings(session: Session, root: Node) -> Iterator[str]:
    for node in root.children:
        if node.outcome == UNFINISHED:
            ending = read_ending(session.deployment(), node.function, since_ms=_since_ms(session))
            if ending:
                yield f"{node.function}: {ending} (Lambda's own line, about this or another request)"


def _document(
    wanted: str, evidence: Evidence, root: Node, verdict: Verdict, remarks: list[str]
) -> dict[str, object]:
    return {
        "request_id": wanted,
        "is_whole": evidence.is_whole,
        "gateway": dict(evidence.gateway) if evidence.gateway is not None else None,
        "tree": root.as_dict(),
        "verdict": vars(verdict),
        "remarks": remarks,
        "missing_groups": list(evidence.missing_groups),
    }


def _lines(
    wanted: str, evidence: Evidence, root: Node, verdict: Verdict, remarks: list[str]
) -> Iterator[str]:
    yield f"request {wanted}{_headline(evidence.gateway)}"
    for depth, node in root.walk():
        name = f"{node.hop} {node.function}" if node.hop == "function" else node.hop
        took = "-" if node.duration_ms is None else f"{node.duration_ms:.1f} ms"
        facts = " ".join(f"{key}={value}" for key, value in node.facts.items())
        yield f"{'  ' * depth}{name:<{28 - 2 * depth}} {took:>12}  {node.outcome:<20} {facts}".rstrip()
    for remark in remarks:
        yield f"logged: {remark}"
    yield in_one_line(verdict)


def _headline(gateway: Mapping[str, Any] | None) -> str:
    if gateway is None:
        return ": the gateway's line is not there"
    said_of = {
        key: said(gateway, key) or "-" for key in ("httpMethod", "resourcePath", "status", "requestTime")
    }
    head = f": {said_of['httpMethod']} {said_of['resourcePath']} -> {said_of['status']}"
    tenant = said(gateway, "tenant")
    return f"{head}{f', tenant {tenant}' if tenant else ''}, {said_of['requestTime']}"


def in_one_line(verdict: Verdict) -> str:
    """The verdict as one sentence.

    >>> in_one_line(Verdict(kind="ok", hop="index", function="search", code="ok", words="", own_ms=41.2))
    'ok: most of the time, 41.2 ms, went by in index of search'
    """
    place = place_in_words(verdict.hop, verdict.function)
    if verdict.kind == OK:
        return f"ok: most of the time, {verdict.own_ms:g} ms, went by in {place}"
    how = {"degraded": "degraded by", "refused": "refused by"}.get(verdict.kind, "failed first in")
    runbook = f"; open {verdict.runbook}" if verdict.runbook else ""
    return f"{how} {place}: {verdict.words} [{verdict.code}]{_slowest(verdict, place)}{runbook}"


def _slowest(verdict: Verdict, place: str) -> str:
    """Where the time went, when not in the hop that the verdict names; a refusal took none to speak of."""
    slowest = place_in_words(verdict.slowest_hop, verdict.slowest_function)
    if verdict.kind == "refused" or not verdict.slowest_ms or slowest == place:
        return ""
    return f"; most of the time, {verdict.slowest_ms:g} ms, went by in {slowest}"
