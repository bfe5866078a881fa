"""What the metrics route answers."""

from haylift.http.operations import Answered, operation

METRICS = operation(
    tag="Watching",
    summary="Metrics for Prometheus",
    description=(
        "The metrics of all functions in CloudWatch's last full minute, in Prometheus text 0.0.4. Every "
        "value is of that one minute: add them up with `sum_over_time`, never with `rate`. Kept for 60 s, so "
        "a scrape interval of 60 s loses nothing."
    ),
    answers={
        200: Answered(
            description="The metrics.",
            media_type="text/plain",
            content={"schema": {"type": "string"}},
            example=(
                "# HELP haystack_requests_total HTTP requests in the last full minute, by method, route and "
                'status.\n# TYPE haystack_requests_total gauge\nhaystack_requests_total{endpoint="/v1/search"'
                ',method="POST",status="200"} 42.0\n'
            ),
        )
    },
    problems={503: "`store_unavailable`: CloudWatch does not answer; `Retry-After` says when to try again."},
)
