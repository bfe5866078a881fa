"""What a function's process runs: the real Lambda runtime client, ended together with the emulator.

Started as `python -P lambda_entry.py HANDLER PATH...` by the interpreter that holds only the Lambda
runtime; nothing of this project may be imported here. The paths (code, then layers) come first in
`sys.path`, as `/var/task` and `/opt/python` do on AWS, and not from PYTHONPATH, so that a child process
of the function inherits them no more than it does there.
"""

import os
import sys
import threading


def exit_with_emulator() -> None:
    """Wait for the end of standard input, which the emulator holds open for as long as it lives."""
    while os.read(0, 1):
        pass
    os._exit(1)


def main() -> None:
    """Import the handler and serve invocations until told to stop."""
    handler, *paths = sys.argv[1:]
    sys.path[0:0] = paths
    threading.Thread(target=exit_with_emulator, name="exit-with-emulator", daemon=True).start()
    from awslambdaric.__main__ import main as serve  # noqa: PLC0415  # needs the paths above

    serve([sys.argv[0], handler])


if __name__ == "__main__":
    main()
