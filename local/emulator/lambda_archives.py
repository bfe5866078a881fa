"""Function code and layers on disk: each archive extracted once, keyed by its digest."""

import hashlib
import io
import os
import shutil
import subprocess
import tempfile
import threading
import time
import zipfile
from pathlib import Path

UNUSED_FOR_S = 7 * 24 * 3600


class ArchiveFolders:
    """Folders of extracted archives, shared by all systems of this checkout.

    An archive that ships `.pyc` files is left as it is; others are compiled once, because the folders are
    read by every cold start and Python must not write into them.
    """

    def __init__(self, root: Path, python: Path) -> None:
        """`root` holds the folders; `python` is the interpreter the code will run under."""
        self._root = root
        self._python = python
        self._extracting = threading.Lock()
        # By object, with the object, so that a layer of 60 MB is not hashed at each cold start.
        self._known: dict[int, tuple[bytes, Path]] = {}

    def folder_of(self, archive: bytes) -> Path:
        """The folder with this archive's content; safe against other processes that want the same."""
        known = self._known.get(id(archive))
        if known is not None and known[1].is_dir():
            return known[1]
        with self._extracting:
            folder = self._extracted(archive)
        self._known[id(archive)] = (archive, folder)
        return folder

    def _extracted(self, archive: bytes) -> Path:
        folder = self._root / hashlib.sha256(archive).hexdigest()[:32]
        if folder.is_dir():
            os.utime(folder)
            return folder
        self._root.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(prefix="unfinished-", dir=self._root))
        try:
            self._extract(archive, unfinished)
            # Appears at once and complete, or not at all: a killed extraction leaves only `unfinished-*`.
            unfinished.rename(folder)
        except OSError:
            shutil.rmtree(unfinished, ignore_errors=True)
            if not folder.is_dir():
                raise
        return folder

    def remove_unused(self) -> None:
        """Delete folders that no function has used for a week, and what killed extractions left."""
        oldest = time.time() - UNUSED_FOR_S
        for folder in self._root.glob("*"):
            limit = time.time() - 3600 if folder.name.startswith("unfinished-") else oldest
            if folder.stat().st_mtime < limit:
                shutil.rmtree(folder, ignore_errors=True)

    def _extract(self, archive: bytes, folder: Path) -> None:
        with zipfile.ZipFile(io.BytesIO(archive)) as content:
            content.extractall(folder)
            is_compiled = any(name.endswith(".pyc") for name in content.namelist())
        folder.chmod(0o755)
        if not is_compiled:
            command: list[str | Path] = [
                self._python,
                "-m",
                "compileall",
                "-q",
                "--invalidation-mode",
                "unchecked-hash",
                folder,
            ]
            # A file that does not compile is the function's own error; it shows when it is imported.
            subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
