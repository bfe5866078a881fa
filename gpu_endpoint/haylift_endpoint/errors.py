"""Everything that can go wrong, and what a caller is told about it.

EndpointError
|-- InvalidRequest            400  the caller must change the request
|   |-- InvalidJson           400
|   |-- InputTooLong          400  and may instead ask for `truncate`
|   |-- UnknownModel          404
|   |-- UnknownRoute          404
|   |-- WrongMethod           405
|   `-- BodyTooLarge          413
|-- DeadlineExceeded          504  the caller's own time is up; the work was not done
|-- CallerGone                499  never seen by anybody but the metrics
|-- Overloaded                429  come back after `retry_after_s`
|-- Unavailable               503  come back after `retry_after_s`
|   `-- ModelStuck            503  the model did not return in time
|-- ModelFailure              500  the model refuses this very input; sending it again is useless
`-- InternalFault             500  a fault of this server
StartupError                       the process does not start
"""

from typing import ClassVar, Literal

ErrorType = Literal["invalid_request_error", "rate_limit_error", "server_error"]


class StartupError(Exception):
    """The process cannot start; the message says what to change."""


class EndpointError(Exception):
    """A request's failure, in the terms of OpenAI's error object.

    Args:
        message: For people; never holds the text of an input.
        param: The field at fault, such as `input[3]`, where there is one.
        retry_after_s: When to try again, in seconds; None where trying again is useless.
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"
    type: ClassVar[ErrorType] = "server_error"

    def __init__(self, message: str, *, param: str | None = None, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.retry_after_s = retry_after_s


class InvalidRequest(EndpointError):
    """The request is wrong in form or content."""

    status = 400
    code = "invalid_request"
    type = "invalid_request_error"


class InvalidJson(InvalidRequest):
    """The body is no JSON."""

    code = "invalid_json"


class InputTooLong(InvalidRequest):
    """An input has more tokens than the model reads, and the request did not allow truncation."""

    code = "input_too_long"


class UnknownModel(InvalidRequest):
    """This endpoint does not serve the named model, or not for this task."""

    status = 404
    code = "model_not_found"


class UnknownRoute(InvalidRequest):
    """There is no such path."""

    status = 404
    code = "not_found"


class WrongMethod(InvalidRequest):
    """The path exists, for another method."""

    status = 405
    code = "method_not_allowed"


class BodyTooLarge(InvalidRequest):
    """The body is over the limit of bytes."""

    status = 413
    code = "body_too_large"


class DeadlineExceeded(EndpointError):
    """The request's deadline passed before its answer was ready."""

    status = 504
    code = "deadline_exceeded"


class CallerGone(EndpointError):
    """The caller closed the connection; its work was taken out of the queue."""

    status = 499
    code = "cancelled"


class Overloaded(EndpointError):
    """Admission is closed: more tokens wait than the endpoint may hold."""

    status = 429
    code = "overloaded"
    type = "rate_limit_error"


class Unavailable(EndpointError):
    """The endpoint is stopping, or its model does not work."""

    status = 503
    code = "unavailable"


class ModelStuck(Unavailable):
    """The model did not come back within its time limit."""

    code = "model_stuck"


class ModelFailure(EndpointError):
    """The model failed on this input, also when it ran alone."""

    code = "model_failed"


class InternalFault(EndpointError):
    """A fault of this server; the log has the reason, the answer does not."""
