"""Users, sample documents and first questions of a fresh local system, by the operator's own commands."""

import json
import secrets
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from local import toolchain
from local.faults import LocalFault
from local.layout import Layout
from local.steps import kept, step

TENANTS = ("acme", "globex")
ROLES = ("admin", "editor", "reader")
QUESTIONS = "questions.json"
NUMBER_OF_QUESTIONS = 3


@dataclass(frozen=True)
class User:
    """A login of the local system."""

    username: str
    password: str
    tenant: str
    role: str


def users_of(layout: Layout) -> list[User]:
    """The logins that the system has, or new ones for a fresh system.

    Those on file hold even before they are seeded: a killed run may still be adding them.
    """
    if layout.outputs.exists():
        return [User(**user) for user in json.loads(layout.outputs.read_text(encoding="utf-8"))["users"]]
    return [User(f"{t}-{r}", secrets.token_urlsafe(12), t, r) for t in TENANTS for r in ROLES]


def add_users(layout: Layout, users: Sequence[User]) -> None:
    """Create the users, once per state of the system."""
    if layout.seeded.exists():
        kept(f"{len(users)} users are there")
        return
    with step(f"add {len(users)} users of {len(TENANTS)} tenants"):
        _ops(layout, ["user", "import", "-", "--update"], text=json.dumps(as_records(users)), is_quiet=True)
    layout.seeded.touch()


def require_folder(folder: Path) -> None:
    """`LocalFault` when the folder to upload does not exist."""
    if not folder.exists():
        raise LocalFault(
            f"There is no folder {folder} to upload: give another one with SAMPLES=DIR, or SAMPLES=none."
        )


def upload(layout: Layout, folder: Path, tenant: str) -> None:
    """Upload a folder and wait until every file is searchable or rejected; progress is shown."""
    with step(f"upload {folder} and wait until it is searchable"):
        _ops(layout, ["upload", str(folder), "--tenant", tenant, "--wait"])


def ask(layout: Layout, folder: Path, tenant: str) -> None:
    """Ask the first questions that the uploaded folder brings along, if it does."""
    questions = questions_of(folder)
    if not questions:
        print(f"\nNo questions are asked: {folder} has no {QUESTIONS}.")
    for question in questions:
        print(
            f"\n$ {toolchain.BIN.relative_to(toolchain.ROOT)}/python -m ops ask {json.dumps(question)}",
            flush=True,
        )
        _ops(layout, ["ask", question, "--tenant", tenant])


def questions_of(folder: Path) -> list[str]:
    """The first three questions of the folder's `questions.json`; none without that file."""
    try:
        found = json.loads((folder / QUESTIONS).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [str(entry["question"]) for entry in found[:NUMBER_OF_QUESTIONS]]


def _ops(layout: Layout, command: Sequence[str], *, text: str | None = None, is_quiet: bool = False) -> None:
    words = [str(toolchain.BIN / "python"), "-m", "ops", *command, "--state-dir", str(layout.state)]
    pipe = subprocess.PIPE if is_quiet else None
    done = subprocess.run(
        words, cwd=toolchain.ROOT, input=text, stdout=pipe, stderr=subprocess.STDOUT if is_quiet else None,
        text=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise LocalFault(f"`python -m ops {' '.join(command)}` failed.\n{done.stdout or ''}".rstrip())


def as_records(users: Sequence[User]) -> list[dict[str, str]]:
    """The users as `outputs.json` has them."""
    return [asdict(user) for user in users]
