"""What is broken on purpose: written down before it is broken, so that a later command can repair it."""

import json
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ops.faults import OpsFault

FILE = "drills.json"


class Memory:
    """The faults that are in place, by drill, each with what its repair needs to know. Thread-safe."""

    def __init__(self, state_dir: Path) -> None:
        self._file = state_dir / FILE
        self._lock = threading.Lock()

    def broken(self) -> dict[str, Mapping[str, Any]]:
        """What repairs need to know, by drill.

        Raises:
            OpsFault: `drills_damaged`, the file cannot be read.
        """
        try:
            found = json.loads(self._file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except ValueError:
            found = None
        if not isinstance(found, dict) or not all(isinstance(known, dict) for known in found.values()):
            detail = (
                f"{self._file} cannot be read, so that nobody knows what drills left broken: look with "
                "`python -m ops status`, mend by the runbooks that it names, then remove the file."
            )
            raise OpsFault("drills_damaged", detail)
        return found

    def add(self, drill: str, known: Mapping[str, Any]) -> None:
        """To be called before the fault is made. What a first try has learnt stays: it was healthy."""
        with self._lock:
            broken = self.broken()
            broken.setdefault(drill, known)
            self._write(broken)

    def drop(self, drill: str) -> None:
        """To be called after the repair."""
        with self._lock:
            broken = self.broken()
            broken.pop(drill, None)
            self._write(broken)

    def _write(self, broken: Mapping[str, Mapping[str, Any]]) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self._file.with_suffix(".new")
        unfinished.write_text(json.dumps(broken, indent=2) + "\n", encoding="utf-8")
        unfinished.replace(self._file)
