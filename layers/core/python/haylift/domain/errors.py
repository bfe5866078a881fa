"""Every error Haylift raises on purpose.

    HayliftError
    ├── InvalidInput          the caller sent something wrong; a retry does not help
    ├── NotAuthenticated      no valid token or password
    ├── NotAllowed            a valid token without the permission
    ├── NotFound              nothing of that name in the caller's scope
    ├── LimitExceeded         too much in too short a time; retry after `retry_after_s`
    ├── DeadlineExceeded      the time given for the request is over
    ├── DependencyUnavailable a part of the system does not answer; retry after `retry_after_s`
    │   ├── IndexUnavailable
    │   ├── ModelUnavailable
    │   │   └── ModelBusy
    │   ├── CacheUnavailable
    │   └── StoreUnavailable  tables, buckets, queues, keys
    ├── DocumentRejected      a verdict about one document; final until the file changes
    ├── LegalHold             a version of the file must be kept; a retry helps after the hold has ended
    └── OutOfTurn             this worker may not act on the document now

HTTP statuses are given once, in `haylift.http`.
"""

KEYWORD_ONLY = "keyword_only"
"""The reason of a degraded answer, and the code of a refusal, while the operators' flag is set."""

MODEL_SLEEPING = "model_sleeping"
"""Code of `ModelUnavailable` when the endpoint has no copy running and wakes one up."""

REJECTION_REASONS = frozenset(
    {
        "empty",
        "no_text",
        "encrypted",
        "damaged",
        "too_large",
        "unsupported_format",
        "parser_limit",
        "model_refused",
        "invalid_metadata",
        "repeated_failure",
    }
)
"""All reasons of `DocumentRejected`; each is a value of a metric's dimension, so no file may invent one."""


class HayliftError(Exception):
    """Root of the tree.

    Args:
        detail: one sentence for the caller that says the next step; no secret, no document text.
        code: stable machine-readable name, snake_case.
    """

    code = "internal_error"

    def __init__(self, detail: str, *, code: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or type(self).code


class InvalidInput(HayliftError):
    """The request is wrong; `where` names the place, for example `filters.conditions[1].operator`.

    Args:
        faults: each place with what is wrong there, where that is more than `where` and `detail` say.
    """

    code = "invalid_request"

    def __init__(
        self,
        detail: str,
        *,
        code: str | None = None,
        where: str | None = None,
        faults: tuple[tuple[str, str], ...] = (),
    ) -> None:
        super().__init__(detail, code=code)
        self.where = where
        self.faults = faults or (((where, detail),) if where else ())


class NotAuthenticated(HayliftError):
    """No valid token, or a wrong user name or password (never saying which)."""

    code = "unauthorized"


class NotAllowed(HayliftError):
    """The token is valid and lacks the permission."""

    code = "permission_missing"


class NotFound(HayliftError):
    """Nothing of that name in the caller's scope; the same answer for a foreign tenant's names."""

    code = "not_found"


class LimitExceeded(HayliftError):
    """Too many requests; a retry helps after `retry_after_s` seconds."""

    code = "too_many_requests"

    def __init__(self, detail: str, *, retry_after_s: float, code: str | None = None) -> None:
        super().__init__(detail, code=code)
        self.retry_after_s = retry_after_s


class DeadlineExceeded(HayliftError):
    """The request's own time-out is over; a retry with a longer `timeout` may help."""

    code = "timeout"


class DependencyUnavailable(HayliftError):
    """A part of the system does not answer; a retry helps after `retry_after_s` seconds."""

    code = "dependency_unavailable"
    dependency = "dependency"

    def __init__(self, detail: str, *, retry_after_s: float = 5.0, code: str | None = None) -> None:
        super().__init__(detail, code=code)
        self.retry_after_s = retry_after_s


class IndexUnavailable(DependencyUnavailable):
    """The document index does not answer."""

    code = "index_unavailable"
    dependency = "index"


class ModelUnavailable(DependencyUnavailable):
    """The model endpoint does not answer, is busy or is waking."""

    code = "model_unavailable"
    dependency = "model_endpoint"


class ModelBusy(ModelUnavailable):
    """The model endpoint works, and has no room for this call or did not come to it in time.

    Send less, after `retry_after_s` seconds; it is a reason to wait and no outage.
    """

    code = "model_busy"


class CacheUnavailable(DependencyUnavailable):
    """The shared cache does not answer; callers go on without it."""

    code = "cache_unavailable"
    dependency = "cache"


class StoreUnavailable(DependencyUnavailable):
    """A table, bucket, queue or key service does not answer."""

    code = "store_unavailable"
    dependency = "store"


class DocumentRejected(HayliftError):
    """A verdict about one document: it cannot be indexed as it is.

    `reason` is machine readable, one of `REJECTION_REASONS`.
    """

    code = "document_rejected"

    def __init__(self, detail: str, *, reason: str) -> None:
        super().__init__(detail)
        self.reason = reason


class LegalHold(HayliftError):
    """A version of a file is under legal hold or retention, so that it cannot be removed for good."""

    code = "legal_hold"


class OutOfTurn(HayliftError):
    """Another worker holds the document's lease, or the ledger moved on to a newer revision.

    `superseded` is true when the work is void (acknowledge it), false when it must be tried later.
    """

    code = "out_of_turn"

    def __init__(self, detail: str, *, superseded: bool) -> None:
        super().__init__(detail)
        self.superseded = superseded
