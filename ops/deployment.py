"""Finds what is deployed: the local system by its state folder, AWS by CloudFormation's outputs."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any

import boto3
from botocore.config import Config
from haylift.domain.documents import Lane
from haylift.domain.identity import Role, is_tenant_name

from functions.dispatch.contract import BULK_INTAKE, INTAKE
from ops.faults import OpsFault, UsageFault
from ops.waiting import Waiting

LOCAL_STAGE = "local"
STAGES = (LOCAL_STAGE, "dev", "prod")
INTAKES = (INTAKE, BULK_INTAKE)
QUEUES = (*INTAKES, *(lane.value for lane in Lane))
"""Of ingestion, in the order of an upload's way."""

DEFAULT_STATE_DIR = ".local"
OUTPUTS_FILE = "outputs.json"


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long a call of AWS may take (s), and how often it is tried."""

    connect_s: float
    read_s: float
    attempts: int


PATIENT = Patience(connect_s=3.0, read_s=10.0, attempts=2)
"""For readers and changers of settings: an endpoint that accepts and never answers is told in 25 s."""

UPLOADING = Patience(connect_s=5.0, read_s=60.0, attempts=4)
"""A file of 50 MiB goes over an uploader's own line."""

_MAKES_CLIENTS = Lock()

TENANT_RULE = "it has 1 to 40 characters of a-z, 0-9 and inner hyphens."

EMULATOR_CREDENTIALS = ("test", "test")
"""The emulator accepts any; fixed ones keep a developer's real credentials out of local requests."""


@dataclass(frozen=True, kw_only=True)
class Login:
    """A user of the local system, as the launcher seeded it."""

    username: str
    password: str = field(repr=False)
    tenant: str
    role: Role


def queue_output(queue: str) -> str:
    """The stack output with the address of a queue of ingestion.

    >>> queue_output("intake-bulk")
    'IntakeBulkQueueUrl'
    """
    return f"{queue.title().replace('-', '')}QueueUrl"


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """One stage of Haylift and how to reach its parts.

    Args:
        outputs: CloudFormation's outputs of all stacks of the stage, by key.
        users: logins, known of the local system only.
        aws_endpoint_url: the emulator's address; None on AWS.
        patience: of clients that ask for no other.
        waiting: told of calls that take long; None: nobody is.
    """

    stage: str
    region: str | None
    outputs: Mapping[str, str]
    users: tuple[Login, ...] = ()
    aws_endpoint_url: str | None = None
    patience: Patience = PATIENT
    waiting: Waiting | None = field(default=None, repr=False, compare=False)

    def output(self, key: str) -> str:
        """A stack's output.

        Raises:
            OpsFault: `output_missing` when the stage was deployed without it.
        """
        if key not in self.outputs:
            detail = f"The stacks of stage {self.stage} give no output {key}; deploy the stage again."
            raise OpsFault("output_missing", detail)
        return self.outputs[key]

    @property
    def api_url(self) -> str:
        """The API's address without a slash at the end."""
        return self.output("ApiUrl").rstrip("/")

    def tenant(self, asked: str | None) -> str:
        """The tenant asked for, or the local system's first one.

        Raises:
            UsageFault: `invalid_tenant`; `tenant_missing` on AWS, where no tenant is the usual one.
        """
        if asked is not None:
            if not is_tenant_name(asked):
                raise UsageFault("invalid_tenant", f"{asked!r} is no tenant's name: {TENANT_RULE}")
            return asked
        if not self.users:
            raise UsageFault("tenant_missing", f"Name the tenant with --tenant in stage {self.stage}.")
        return self.users[0].tenant

    def login(self, *, tenant: str | None, username: str | None) -> Login:
        """The named user, or the tenant's user with the smallest role.

        Raises:
            UsageFault: `login_unknown` when the local system's file has none that fits.
        """
        if username is not None:
            found = [user for user in self.users if user.username == username]
        else:
            tenant = self.tenant(tenant)
            roles = list(Role)
            found = sorted(
                (user for user in self.users if user.tenant == tenant),
                key=lambda user: roles.index(user.role),
            )
        if not found:
            wanted = f"user {username}" if username is not None else f"tenant {tenant}"
            known = ", ".join(f"{user.username} of {user.tenant}" for user in self.users) or "none"
            detail = f"No login of {wanted} is on file (known: {known}); give --user and --password."
            raise UsageFault("login_unknown", detail)
        return found[0]

    def client(self, service: str, patience: Patience | None = None) -> Any:
        """A boto3 client of this stage with explicit time-outs and bounded retries."""
        is_watched = patience in (None, self.patience)
        patience = patience or self.patience
        config = Config(
            connect_timeout=patience.connect_s,
            read_timeout=patience.read_s,
            retries={"total_max_attempts": patience.attempts, "mode": "standard"},
        )
        # A session may be shared by threads, but not while it makes a client.
        with _MAKES_CLIENTS:
            client = self._session.client(  # type: ignore[call-overload]  # the stubs list each name
                service, endpoint_url=self.aws_endpoint_url, config=config
            )
        if self.waiting is not None and is_watched:
            self.waiting.watch(client, patience.read_s)
        return client

    @cached_property
    def _session(self) -> boto3.Session:
        """One for all clients: each new one reads the SDK's descriptions of services anew."""
        key_id, secret = EMULATOR_CREDENTIALS if self.aws_endpoint_url else (None, None)
        return boto3.Session(key_id, secret, region_name=self.region)


def find_deployment(
    stage: str,
    *,
    state_dir: Path,
    region: str | None,
    patience: Patience = PATIENT,
    waiting: Waiting | None = None,
) -> Deployment:
    """The deployment of `stage`, whose clients have this patience.

    Raises:
        OpsFault: `not_deployed` when nothing is up; the text says what to run.
        UsageFault: `region_missing` on AWS.
    """
    if stage == LOCAL_STAGE:
        return replace(local_deployment(state_dir), patience=patience, waiting=waiting)
    known_region = region or boto3.Session().region_name
    if not known_region:
        raise UsageFault("region_missing", "Name the region with --region or AWS_DEFAULT_REGION.")
    unknown = Deployment(stage=stage, region=known_region, outputs={}, patience=patience, waiting=waiting)
    found = aws_deployment(stage, unknown.client("cloudformation"))
    return replace(found, patience=patience, waiting=waiting)


def local_deployment(state_dir: Path) -> Deployment:
    """The local system whose state lies in `state_dir`.

    Raises:
        OpsFault: `not_deployed` without its outputs file, `outputs_damaged` with a broken one.
    """
    file = state_dir / OUTPUTS_FILE
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
        users = tuple(
            Login(
                username=user["username"],
                password=user["password"],
                tenant=user["tenant"],
                role=Role(user["role"]),
            )
            for user in document["users"]
        )
        named = {"ApiUrl": document["api_url"], "UploadBucketName": document["upload_bucket"]}
        return Deployment(
            stage=LOCAL_STAGE,
            region=document["region"],
            outputs={**document.get("outputs", {}), **named},
            users=users,
            aws_endpoint_url=document["aws_endpoint_url"],
        )
    except FileNotFoundError as fault:
        detail = (
            f"No local system is up ({file} is missing): run `make up` first, "
            "or name the folder of one that is with --state-dir."
        )
        raise OpsFault("not_deployed", detail) from fault
    except (ValueError, KeyError, TypeError) as fault:
        raise OpsFault("outputs_damaged", f"{file} cannot be read: run `make up` again.") from fault


def aws_deployment(stage: str, cloudformation: Any) -> Deployment:
    """The stage as its stacks `haylift-<stage>-*` describe it.

    Raises:
        OpsFault: `not_deployed` when the account and region hold no such stack.
    """
    region = cloudformation.meta.region_name
    outputs: dict[str, str] = {}
    for page in cloudformation.get_paginator("describe_stacks").paginate():
        for stack in page["Stacks"]:
            if stack["StackName"].startswith(f"haylift-{stage}-"):
                outputs |= {item["OutputKey"]: item["OutputValue"] for item in stack.get("Outputs", [])}
    if not outputs:
        detail = f"No stack haylift-{stage}-* is deployed in {region}: deploy the stage first (README.md)."
        raise OpsFault("not_deployed", detail)
    return Deployment(stage=stage, region=region, outputs=outputs)
