"""The packages that read pictures of text: had when they are first asked for, kept for every system here."""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from local.faults import LocalFault
from local.steps import step
from local.toolchain import ROOT

LOCK = ROOT / "requirements" / "ocr.txt"
KEPT = ROOT / ".tools" / "ocr"
UV = ROOT / ".tools" / "uv" / "bin" / "uv"


def packages() -> Path:
    """The folder of the locked packages; they are downloaded (some 130 MB) when it is not there.

    Raises:
        LocalFault: they could not be had, with what to do next.
    """
    folder = KEPT / hashlib.sha256(LOCK.read_bytes()).hexdigest()[:16]
    if not folder.exists():
        with step("packages for OCR"):
            _install(folder)
    return folder


def _install(folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(dir=folder.parent))
    options = ["-q", "--no-deps", "--require-hashes", "--only-binary", ":all:", "--python", sys.executable]
    command = [str(UV), "pip", "install", *options, "--target", str(work), "-r", str(LOCK)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        shutil.rmtree(work, ignore_errors=True)
        raise LocalFault(
            f"The packages for OCR could not be installed:\n{done.stderr.strip()}\n"
            "Check that the package registry can be reached, or go on without: `make up OCR=off`."
        )
    if folder.exists():  # somebody else's command was first
        shutil.rmtree(work, ignore_errors=True)
    else:
        os.replace(work, folder)  # noqa: PTH105  # atomic, for a command beside this one
