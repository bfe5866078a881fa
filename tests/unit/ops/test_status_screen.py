"""Lines of the screen of `ops status`."""

from ops.measurements import AwsMetric
from ops.status_screen import screen
from tests.unit.ops.snapshots import snapshot


def test_tokens_that_the_authorizer_refused_are_not_called_errors_alone() -> None:
    rows = [
        (metric, "Sum", {"FunctionName": f"haylift-local-{function}"}, 7.0)
        for metric in (AwsMetric.INVOCATIONS, AwsMetric.FUNCTION_ERRORS)
        for function in ("authorizer", "search")
    ]

    lines = [line for line in screen(snapshot(*rows), ()) if line.startswith("  function ")]

    assert lines == [
        "  function authorizer     7 invocations, 7 refusals or errors, 0 throttles",
        "  function search         7 invocations, 7 errors, 0 throttles",
    ]
