"""Errors that end a command.

OpsFault          the command failed, exit code 1
├── UsageFault    it was asked for something that cannot be, exit code 2
└── ApiFault      the API answered with a problem document, exit code 1
"""

NEXT_STEP = "`make status` says what runs, `make up` starts it."
"""What to do when the local system does not answer."""

SLOW_NEXT_STEP = "`python -m ops status` says what works; try again."
"""What to do when the API takes a call and does not answer."""

AWS_NEXT_STEP = "Check the network, the region and AWS's own health page, and try again."
"""What to do when AWS does not answer."""

EXIT_OK = 0
EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_UNWELL = 3
"""The command did its work, and what it looked at is not well: for `ops status` and `ops alarms`."""


class OpsFault(Exception):
    """The command failed.

    Args:
        code: stable machine-readable name, snake_case.
        detail: one sentence that says the next step.
    """

    exit_code = EXIT_FAILED

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


class UsageFault(OpsFault):
    """The command was asked for something that cannot be; another wording helps."""

    exit_code = EXIT_USAGE


class ApiFault(OpsFault):
    """The API refused or failed; `request_id` finds the call in the logs."""

    def __init__(self, code: str, detail: str, *, status: int, request_id: str = "") -> None:
        super().__init__(code, detail)
        self.status = status
        self.request_id = request_id
