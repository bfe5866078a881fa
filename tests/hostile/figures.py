"""Tries every file of the corpus and writes docs/hostile-files.md: `python -m tests.hostile.figures`.

As root on Linux it does so in a network without any interface and with `/dev/shm` that takes nothing.
"""

import logging
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.hostile.corpus import corpus
from tests.hostile.trial import Bench, Trial, faults

TARGET = Path(__file__).parents[2] / "docs" / "hostile-files.md"
APART = ("unshare", "--mount", "--net", "sh", "-c")
HIDE = 'mount -t tmpfs -o ro none /dev/shm && exec "$@"'
INSIDE = "--inside"
HEAD = """# Hostile files

What becomes of files that are made to harm, tried on the real parser process, pipeline and service, with
stores in memory. `python -m tests.hostile.corpus DIR` writes the files, the same each time; this page is
written, as root, by

```bash
python -m tests.hostile.figures
```

It takes the network and `/dev/shm` away from itself first. An audit hook in the parser process tells of
connections, foreign processes and shared memory. After each file the same worker has to make a neighbour
searchable. Limits: 30 s and 1,024 MiB. Seconds are those of the processor, worker and parser together,
since the machine was shared; the parser is stopped after 25 s of the wall clock.

"""


def main() -> int:
    """Exit status 1 when a file broke a promise."""
    if INSIDE not in sys.argv:
        command = [*APART, HIDE, "sh", sys.executable, "-m", "tests.hostile.figures", INSIDE]
        return subprocess.run(command, check=False).returncode
    logging.disable(logging.CRITICAL)
    rows, broken = _tried()
    ended = f"{len(rows)} files, {len(broken)} broken promises.\n\n"
    table = "| file | outcome | seconds | MiB |\n|---|---|---|---|\n" + "\n".join(rows) + "\n"
    TARGET.write_text(HEAD + ended + table)
    print(ended, *broken, sep="\n")
    return int(bool(broken))


def _tried() -> tuple[list[str], list[str]]:
    rows, broken = [], []
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        for file in corpus():
            trial = bench.try_file(file)
            found = faults(file, trial, neighbour_lives=bench.try_neighbour())
            broken += [f"{file.name!r}: {fault}" for fault in found]
            rows.append(_row(trial))
            print(rows[-1], *found, flush=True)
        bench.close()
    return rows, broken


def _row(trial: Trial) -> str:
    name = "".join(letter if letter.isalnum() or letter in "-._" else "?" for letter in trial.name)
    name = name if len(name) <= 40 else f"{name[:20]}...{name[-12:]}"
    lost = f", without {trial.partial_detail}" if trial.partial_detail else ""
    return f"| {name} | {trial.outcome}{lost} | {trial.busy_s:.1f} | {trial.peak_mib} |"


if __name__ == "__main__":
    sys.exit(main())
