"""Puts the lines of a request into their tree, and says what failed first or where the time went."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any

from ops.trace_log import Evidence, HopLine, function_of, said
from ops.trace_words import in_words, in_words_of_step, runbook_of

OK = "ok"
UNFINISHED = "unfinished"
UNKNOWN = "unknown"
START = "start"
SHOWN_START_MS = 100.0
"""A process that runs adds a few milliseconds; one that has to start adds hundreds."""


@dataclass
class Node:
    """A hop with what happened inside it. `duration_ms` None: nobody measured it."""

    hop: str
    function: str
    duration_ms: float | None
    outcome: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    children: list["Node"] = field(default_factory=list)

    @property
    def own_ms(self) -> float:
        """Time that no child accounts for; 0 where nobody measured it."""
        inside = sum(child.duration_ms or 0.0 for child in self.children)
        return max(0.0, (self.duration_ms or 0.0) - inside)

    def walk(self, depth: int = 0) -> Iterator[tuple[int, "Node"]]:
        """This node and all below it, outermost first, each with its depth."""
        yield depth, self
        for child in self.children:
            yield from child.walk(depth + 1)

    def as_dict(self) -> dict[str, object]:
        """The node for `--json`."""
        return {
            "hop": self.hop,
            "function": self.function,
            "duration_ms": self.duration_ms,
            "outcome": self.outcome,
            "facts": dict(self.facts),
            "children": [child.as_dict() for child in self.children],
        }


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What to know first.

    Args:
        kind: `ok`, `degraded` (answered in spite of a fault), `refused` (4xx) or `failed` (5xx).
        hop, code, words: the deepest hop that failed, its code, and what that means; of the slowest hop
            when nothing failed.
        own_ms: time of that hop which no hop inside it accounts for.
        runbook: file to open, empty when there is nothing to repair.
        slowest_hop, slowest_function, slowest_ms: where most of the request's time went, by own time.
    """

    kind: str
    hop: str
    function: str
    code: str
    words: str
    own_ms: float
    runbook: str = ""
    slowest_hop: str = ""
    slowest_function: str = ""
    slowest_ms: float = 0.0


def tree_of(evidence: Evidence) -> Node:
    """The request's hops under its gateway."""
    root = _gateway(evidence.gateway)
    by_function = groupby(sorted(evidence.hops, key=_order), key=lambda line: line.function)
    for function, lines in by_function:
        root.children += _nested(function, list(lines))
    if evidence.gateway is not None:
        _add_unfinished(root, evidence.gateway)
        _add_starts(root, evidence.gateway)
    return root


def _order(line: HopLine) -> tuple[bool, str, float, int]:
    """The authorizer first, as the gateway asks it first; then by time."""
    return line.function != "authorizer", line.function, line.started_at, line.depth


def _gateway(gateway: Mapping[str, str] | None) -> Node:
    if gateway is None:
        return Node("gateway", "", None, UNKNOWN)
    status = said(gateway, "status") or ""
    outcome = said(gateway, "errorType") or (OK if status[:1] in {"2", "3"} else f"status_{status}")
    keys = ("status", "integrationLatency", "authorizerLatency")
    facts = {key: value for key in keys if (value := said(gateway, key)) is not None}
    return Node("gateway", "", number(said(gateway, "responseLatency")), outcome, facts)


def number(text: str | None) -> float | None:
    """Milliseconds of the access log, or None."""
    try:
        return float(text) if text is not None else None
    except ValueError:
        return None


def _nested(function: str, lines: list[HopLine]) -> list[Node]:
    """The function's hops in their tree: a hop lies in the last one before it that is less deep."""
    tops: list[Node] = []
    open_nodes: list[tuple[int, Node]] = []
    for line in lines:
        node = Node(line.hop, function, line.duration_ms, line.outcome, line.facts, _parts(line))
        while open_nodes and open_nodes[-1][0] >= line.depth:
            open_nodes.pop()
        (open_nodes[-1][1].children if open_nodes else tops).append(node)
        open_nodes.append((line.depth, node))
    return tops


def _parts(line: HopLine) -> list[Node]:
    """What a hop measured inside itself: the legs of the index, the endpoint behind a model call."""
    legs = [(leg, number(str(line.facts.get(f"{leg}_ms")))) for leg in ("keyword", "semantic")]
    parts = [Node(leg, line.function, took_ms, OK) for leg, took_ms in legs if took_ms is not None]
    times = {name: number(str(line.facts.get(name))) for name in ("queued_ms", "model_ms")}
    known = {name: took_ms for name, took_ms in times.items() if took_ms is not None}
    if known:
        parts.append(_endpoint(line, known))
    return parts


def _endpoint(line: HopLine, times: Mapping[str, float]) -> Node:
    """The model endpoint inside a hop: its times are sums, and of calls that overlap no part of the hop's."""
    sum_ms, calls = round(sum(times.values()), 2), number(str(line.facts.get("calls"))) or 1
    facts = dict(times) | ({"sum_over_calls": int(calls)} if calls > 1 else {})
    return Node("endpoint", line.function, sum_ms if sum_ms <= line.duration_ms else None, OK, facts)


def _add_unfinished(root: Node, gateway: Mapping[str, str]) -> None:
    """A function that was called and left no end: its hops so far, under a hop that has none."""
    function = function_of(said(gateway, "resourcePath") or "", said(gateway, "httpMethod") or "")
    was_called = number(said(gateway, "integrationLatency")) is not None
    has_end = any(node.hop == "function" for node in root.children)
    if function is None or not was_called or has_end:
        return
    inside = [node for node in root.children if node.function == function]
    root.children = [node for node in root.children if node.function != function]
    took_ms = number(said(gateway, "integrationLatency"))
    root.children.append(Node("function", function, took_ms, UNFINISHED, {}, inside))


def _add_starts(root: Node, gateway: Mapping[str, str]) -> None:
    """What a function took before its first line: starting a process, and the way to it."""
    for hop, key in (("authorizer", "authorizerLatency"), ("function", "integrationLatency")):
        whole_ms = number(said(gateway, key))
        place = next((place for place, node in enumerate(root.children) if node.hop == hop), None)
        if whole_ms is None or place is None:
            continue
        node = root.children[place]
        start_ms = round(whole_ms - (node.duration_ms or 0.0), 2)
        if start_ms >= SHOWN_START_MS:
            root.children.insert(place, Node(START, node.function, start_ms, OK))


def verdict_of(root: Node) -> Verdict:
    """The deepest hop behind the outcome, or the slowest one of a request that went well."""
    slowest = max((node for _, node in root.walk()), key=lambda node: node.own_ms)
    return replace(
        _outcome_of(root, slowest),
        slowest_hop=slowest.hop,
        slowest_function=slowest.function,
        slowest_ms=round(slowest.own_ms, 2),
    )


def _outcome_of(root: Node, slowest: Node) -> Verdict:
    status = int(number(str(root.facts.get("status"))) or 0)
    tops = [node for node in root.children if node.outcome != OK]
    if status >= 400 or (not status and tops):
        culprit = _culprit(root, tops)
        kind = "refused" if 400 <= status < 500 else "failed"
        return _verdict(kind, culprit, in_words(culprit.outcome), _reason(root))
    softened = [(depth, node) for depth, node in root.walk() if _is_softened(node)]
    if softened:
        step = max(softened, key=lambda found: found[0])[1]
        return _verdict("degraded", step, in_words_of_step(step.hop, step.outcome))
    return Verdict(
        kind=OK,
        hop=slowest.hop,
        function=slowest.function,
        code=OK,
        words="most of the time",
        own_ms=round(slowest.own_ms, 2),
    )


def _is_softened(node: Node) -> bool:
    """A fault that the request went on after; a bad token on an open route is none."""
    return node.outcome not in {OK, UNKNOWN} and node.function not in {"", "authorizer"}


def _culprit(root: Node, tops: list[Node]) -> Node:
    """Where the fault came from: inside the first hop that ended badly, the deepest with the same code."""
    if not tops:
        return root
    top = tops[-1]
    failed = [(depth, node) for depth, node in top.walk() if node.outcome != OK]
    same = [found for found in failed if found[1].outcome == top.outcome]
    wanted = failed if top.outcome == UNFINISHED else same
    return max(wanted, key=lambda found: found[0])[1]


def _reason(root: Node) -> str:
    return next((str(node.facts["reason"]) for _, node in root.walk() if "reason" in node.facts), "")


def _verdict(kind: str, node: Node, words: str, reason: str = "") -> Verdict:
    call = node.facts.get("call", OK)
    if call != OK:
        words += f" (last call: {call})"
    if reason:
        words += f" ({reason})"
    is_ours = kind != "refused" or node.outcome == "THROTTLED"
    return Verdict(
        kind=kind,
        hop=node.hop,
        function=node.function,
        code=node.outcome,
        words=words,
        own_ms=round(node.own_ms, 2),
        runbook=f"docs/runbooks/{runbook_of(node.hop, node.outcome, node.function)}.md" if is_ours else "",
    )
