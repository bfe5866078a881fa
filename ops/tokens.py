"""Access tokens of the local system's users, kept between commands: logins are limited to a few a minute."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FILE = "ops-tokens.json"
SPARE_S = 30.0
"""A token is not used any more so long before it expires."""


@dataclass(frozen=True)
class TokenStore:
    """One file in the state folder that only its owner may read; a damaged or missing one counts as empty."""

    folder: Path

    def get(self, api_url: str, username: str, now_s: float) -> str | None:
        """The user's token if it is still valid for a while."""
        kept = self._read().get(_name(api_url, username))
        if not isinstance(kept, dict) or not isinstance(kept.get("expires_at"), int | float):
            return None
        return str(kept["access_token"]) if kept["expires_at"] - SPARE_S > now_s else None

    def put(self, api_url: str, username: str, token: str, expires_at_s: float) -> None:
        """Keeps the token; a folder that cannot be written to is no failure of the command."""
        kept = self._read() | {_name(api_url, username): {"access_token": token, "expires_at": expires_at_s}}
        unfinished = self.folder / f"{FILE}.{os.getpid()}"
        try:
            unfinished.touch(mode=0o600)
            unfinished.write_text(json.dumps(kept), encoding="utf-8")
            unfinished.replace(self.folder / FILE)
        except OSError:
            unfinished.unlink(missing_ok=True)

    def _read(self) -> dict[str, Any]:
        try:
            kept = json.loads((self.folder / FILE).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return kept if isinstance(kept, dict) else {}


def _name(api_url: str, username: str) -> str:
    return f"{username} {api_url}"
