"""Other parsers than the real one, forked for each file as that is."""

import sys

NURSERY = """
import sys
from haylift.parsing.nursery import serve
{before}
serve(int(sys.argv[-1]), lambda: exec({code!r}, {{}}))
"""


def forked(code: str, *arguments: str, before: str = "") -> tuple[str, ...]:
    """The command of a process that forks parsers which do nothing but `code`.

    Args:
        arguments: in `sys.argv` from 1 on.
        before: what the process does before the first file comes.
    """
    return (sys.executable, "-c", NURSERY.format(code=code, before=before), *arguments)
