"""The deployed system as its users see it: HTTP and S3, nothing else."""

import json
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import httpx
from botocore.config import Config

ROOT = Path(__file__).parents[2]
SEARCHABLE_WITHIN_S = 30
"""A file of up to 1 MB on an idle system is searchable in this time."""


class TimedOut(AssertionError):
    """Something did not happen in its time."""


def eventually[T](ask: Callable[[], T | None], within_s: float, what: str) -> T:
    """Asks again and again until an answer that is not None comes; the one place that waits."""
    deadline = time.monotonic() + within_s
    while (answer := ask()) is None:
        if time.monotonic() > deadline:
            raise TimedOut(f"{what}: not within {within_s} s")
        time.sleep(0.1)
    return answer


@dataclass
class System:
    """One deployed system and its logins."""

    outputs: dict[str, Any]
    state_dir: Path
    http: httpx.Client
    bucket: Any
    tokens: dict[str, str] = field(default_factory=dict)

    @classmethod
    @contextmanager
    def connect(cls, outputs_file: Path) -> Iterator["System"]:
        """Reads what `make up` wrote."""
        outputs = json.loads(outputs_file.read_text())
        s3 = boto3.resource(
            "s3",
            endpoint_url=outputs["aws_endpoint_url"],
            region_name=outputs["region"],
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(s3={"addressing_style": "path"}),
        )
        with httpx.Client(base_url=outputs["api_url"], timeout=35) as client:
            yield cls(outputs, outputs_file.parent, client, s3.Bucket(outputs["upload_bucket"]))
        s3.meta.client.close()

    def user(self, role: str, tenant: str = "acme") -> dict[str, str]:
        """The login of the seeded user of `role`."""
        return next(u for u in self.outputs["users"] if (u["role"], u["tenant"]) == (role, tenant))

    def login(self, username: str, password: str) -> httpx.Response:
        """POST /v1/auth/login."""
        return self.http.post("/v1/auth/login", json={"username": username, "password": password})

    def token(self, role: str = "admin", tenant: str = "acme") -> str:
        """An access token, kept for the run."""
        name = f"{tenant}/{role}"
        if name not in self.tokens:
            user = self.user(role, tenant)
            self.tokens[name] = self.login(user["username"], user["password"]).json()["access_token"]
        return self.tokens[name]

    def request(
        self, method: str, path: str, *, role: str = "admin", tenant: str = "acme", **more: Any
    ) -> httpx.Response:
        """A request with a token; `content_type` for a body that httpx does not name itself."""
        headers = {"Authorization": f"Bearer {self.token(role, tenant)}"}
        if content_type := more.pop("content_type", None):
            headers["Content-Type"] = content_type
        return self.http.request(method, path, headers=headers, **more)

    def search(self, query: str, *, tenant: str = "acme", **more: Any) -> dict[str, Any]:
        """POST /v1/search, which must succeed."""
        response = self.request(
            "POST", "/v1/search", tenant=tenant, role="reader", json={"query": query, **more}
        )
        assert response.status_code == 200, response.text
        return dict(response.json())

    def put(self, path: str, content: bytes, *, tenant: str = "acme", **more: Any) -> str:
        """Drops a file into the bucket; gives its key."""
        key = f"documents/{tenant}/{path}"
        self.bucket.put_object(Key=key, Body=content, **more)
        return key

    def document(self, key: str, *, tenant: str = "acme") -> dict[str, Any] | None:
        """What the API says of the document with this key; None while it does not know it."""
        cursor: str | None = None
        while True:
            query = {"limit": 100} | ({"cursor": cursor} if cursor else {})
            page = self.request("GET", "/v1/documents", tenant=tenant, params=query).json()
            for document in page["documents"]:
                if document["key"] == key:
                    return dict(document)
            if not (cursor := page.get("cursor")):
                return None

    def wait_for(self, key: str, state: str, *, within_s: float = 60, revision: int = 1) -> dict[str, Any]:
        """Waits until the document is in `state` with at least `revision`."""

        def ask() -> dict[str, Any] | None:
            document = self.document(key, tenant=key.split("/")[1])
            if document and document["state"] == state and document["revision"] >= revision:
                return document
            return None

        return eventually(ask, within_s, f"{key} is {state}")

    def searchable(self, path: str, content: bytes, **more: Any) -> dict[str, Any]:
        """Uploads and waits until the file is found."""
        return self.wait_for(self.put(path, content, **more), "SEARCHABLE", within_s=SEARCHABLE_WITHIN_S)

    def ops(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs the operator's command line."""
        command = [sys.executable, "-m", "ops", *arguments, "--state-dir", str(self.state_dir)]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)


def fresh(name: str) -> str:
    """A path that no other test uses."""
    return f"e2e/{uuid.uuid4().hex[:8]}/{name}"


def word() -> str:
    """A word that stands in no document."""
    return "w" + uuid.uuid4().hex[:10].translate(str.maketrans("0123456789", "ghijklmnop"))
