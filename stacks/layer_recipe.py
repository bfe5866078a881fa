"""How the Lambda layers are made: without Docker, once per lock file and platform, byte for byte the same.

Each layer becomes one zip under `.build/layers`, named by the digest of everything it is made from. A later
synth finds it there and needs no network. Modules are compiled with unchecked hashes, because archives carry
no useful times: with stale times Python compiles anew at each cold start, 2.6 times slower imports.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CACHE = ROOT / ".build" / "layers"
CORE = "core"
PYTHON_VERSION = "3.13"

PAGES = "pages"
PAGES_SOURCE = ROOT / "node_modules" / "swagger-ui-dist"
PAGES_PACKAGE = "swagger_ui_dist"
PAGES_FILES = (
    "LICENSE",
    "NOTICE",
    "swagger-ui-bundle.js",
    "swagger-ui-bundle.js.LICENSE.txt",
    "swagger-ui.css",
)
"""Of the npm package that package-lock.json pins; the reference function reads them as package data."""

LOWER_LAYERS = {"api": (), "search": ("api",), "parsing": ("api", "search")}
"""What lies below a dependency layer: packages pinned there are not packed again."""

ZIP_TIME = (1980, 1, 1, 0, 0, 0)
UNUSED_FOLDERS = {"tests", "test", "bin", "__pycache__"}
UNUSED_SUFFIXES = {".pyi", ".pyx", ".pxd", ".c", ".h", ".pyc"}
UNUSED_FILES = {"RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json", ".lock"}


@dataclass(frozen=True, kw_only=True)
class BundleTarget:
    """What the packages in the layers are built for.

    Args:
        architecture: `arm64` or `x86_64`, as Lambda calls them.
        platform: uv's `--python-platform`, or None for the machine that bundles.
    """

    architecture: str
    platform: str | None


class BundlingFailed(Exception):
    """A layer cannot be made; the text says what to do next."""


def layer_archive(name: str, target: BundleTarget) -> Path:
    """The zip of a layer, made now unless it is in the cache.

    Args:
        name: `core` (own code), `pages` (Swagger UI) or a dependency layer (`api`, `search`, `parsing`).

    Raises:
        BundlingFailed: no uv, another Python, uv could not install the packages, or npm has not.
    """
    platform = target.platform or f"{sys.platform}-{target.architecture}"
    digest = _digest(name, platform)
    archive = CACHE / f"{name}-{platform}-{digest[:16]}.zip"
    with _only_one(archive.with_suffix(".lock")):
        if not archive.exists():
            _make(name, target, archive)
            if _digest(name, platform) != digest:  # edited meanwhile: the name would lie about the content
                archive.unlink()
    return archive if archive.exists() else layer_archive(name, target)


def unpacked_bytes(archive: Path) -> int:
    """The size of a layer's files on Lambda, which limits function and layers together to 262 MB."""
    with zipfile.ZipFile(archive) as packed:
        return sum(entry.file_size for entry in packed.infolist())


def requirements_of(name: str) -> str:
    """The locked requirements of a dependency layer without those of the layers below, hashes included."""
    below = {package for lower in LOWER_LAYERS[name] for package in _locked(lower)}
    return "".join(text for package, text in _locked(name).items() if package not in below)


def _locked(name: str) -> dict[str, str]:
    """The requirements of a lock file by package name, each with its hashes."""
    lock = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
    entries = re.findall(r"^([A-Za-z0-9._-]+)==.*(?:\n[ \t].*)*\n?", lock, flags=re.MULTILINE)
    texts = [m.group(0) for m in re.finditer(r"^[A-Za-z0-9._-]+==.*(?:\n[ \t].*)*\n?", lock, re.MULTILINE)]
    return {
        package: "".join(f"{line}\n" for line in text.splitlines() if not line.lstrip().startswith("#"))
        for package, text in zip(entries, texts, strict=True)
    }


def _digest(name: str, platform: str) -> str:
    digest = hashlib.sha256(f"{name}\0{platform}\0{PYTHON_VERSION}\0".encode())
    digest.update(Path(__file__).read_bytes())
    if name in LOWER_LAYERS:
        digest.update(requirements_of(name).encode())
        return digest.hexdigest()
    for path in _sources() if name == CORE else _page_files():
        digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _sources() -> list[Path]:
    files = (ROOT / "layers" / CORE / "python").rglob("*")
    return sorted(path for path in files if path.is_file() and path.suffix != ".pyc")


def _page_files() -> list[Path]:
    files = [PAGES_SOURCE / name for name in PAGES_FILES]
    if not all(path.is_file() for path in files):
        raise BundlingFailed("Swagger UI is not in node_modules: run `make setup`.")
    return files


def _copy_pages(folder: Path) -> None:
    folder.mkdir(parents=True)
    for path in _page_files():
        shutil.copy(path, folder)


def _make(name: str, target: BundleTarget, archive: Path) -> None:
    if sys.version_info[:2] != tuple(int(part) for part in PYTHON_VERSION.split(".")):
        raise BundlingFailed(
            f"Layers hold compiled modules of Python {PYTHON_VERSION}, this is {sys.version}."
        )
    with tempfile.TemporaryDirectory(dir=CACHE, prefix=f"{name}-") as work:
        packages = Path(work) / "layer" / "python"
        if name == CORE:
            shutil.copytree(ROOT / "layers" / CORE / "python", packages)
        elif name == PAGES:
            _copy_pages(packages / PAGES_PACKAGE)
        else:
            _install(name, target, packages)
        _trim(packages)
        _compile(packages)
        _pack(packages.parent, Path(work) / archive.name)
        os.replace(Path(work) / archive.name, archive)  # noqa: PTH105  # atomic, next to the readers
    unpacked_mb, packed_mb = unpacked_bytes(archive) / 1e6, archive.stat().st_size / 1e6
    sys.stderr.write(f"layer {name}: {unpacked_mb:.1f} MB unpacked, {packed_mb:.1f} MB packed\n")


def _install(name: str, target: BundleTarget, packages: Path) -> None:
    requirements = packages.parent.parent / "requirements.txt"
    requirements.write_text(requirements_of(name), encoding="utf-8")
    platform = ["--python-platform", target.platform] if target.platform else []
    command = [
        *[_uv(), "pip", "install", "-q", "--no-deps", "--require-hashes", "--only-binary", ":all:"],
        *["--link-mode", "copy", "--python", sys.executable, "--python-version", PYTHON_VERSION, *platform],
        *["--target", str(packages), "-r", str(requirements)],
    ]
    _run(
        command,
        f"The packages of layer {name} could not be installed; check that the registry can be reached.",
    )


def _trim(packages: Path) -> None:
    for path in sorted(packages.rglob("*"), reverse=True):
        if path.is_dir() and path.name in UNUSED_FOLDERS:
            shutil.rmtree(path)
        elif path.is_file() and (path.suffix in UNUSED_SUFFIXES or path.name in UNUSED_FILES):
            path.unlink()


def _compile(packages: Path) -> None:
    command = [sys.executable, "-m", "compileall", "-q", "-j", "1", "--invalidation-mode", "unchecked-hash"]
    # The folder of this machine must not be in the bytes: on Lambda a layer lies under /opt.
    paths = ["-s", str(packages.parent), "-p", "/opt", str(packages)]
    _run([*command, *paths], "A module of the layer does not compile.")


def _pack(folder: Path, archive: Path) -> None:
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as packed:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), ZIP_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o100644 << 16
            packed.writestr(entry, path.read_bytes())


def _uv() -> str:
    named = os.environ.get("HAYLIFT_UV")
    candidates = [named, str(ROOT / ".tools" / "uv" / "bin" / "uv"), shutil.which("uv")]
    for candidate in candidates:
        if candidate and Path(candidate).is_file():
            return candidate
    raise BundlingFailed("Bundling needs uv: run `make setup`, or name it in HAYLIFT_UV.")


def _run(command: list[str], advice: str) -> None:
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode != 0:
        raise BundlingFailed(f"{advice}\n{done.stdout}{done.stderr}")


@contextmanager
def _only_one(lock_file: Path) -> Iterator[None]:
    """Two synths at once make a layer once."""
    lock_file.parent.mkdir(parents=True, exist_ok=True)
    with lock_file.open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
