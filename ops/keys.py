"""`ops keys`: the state of the keys that sign access tokens, and a disabled one switched on again."""

from argparse import ArgumentParser
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ops.at_hand import at_hand
from ops.changes import audited
from ops.deployment import Deployment
from ops.faults import EXIT_OK, EXIT_UNWELL, OpsFault, UsageFault
from ops.session import Session
from ops.sources import iso

SIGNING_KEY_OUTPUT = "SigningKeyId"
ENABLED, PENDING_DELETION = "Enabled", "PendingDeletion"


@dataclass(frozen=True, kw_only=True)
class SigningKey:
    """A key as KMS describes it. `state` is KMS's; `deleted_at` ISO 8601, empty when nobody deletes it."""

    key_id: str
    state: str
    created_at: str
    deleted_at: str = ""

    @property
    def is_usable(self) -> bool:
        """True when KMS signs with it."""
        return self.state == ENABLED


def add_list_arguments(parser: ArgumentParser) -> None:
    """`ops keys list` has no options of its own."""
    parser.epilog = "exit codes: 0 every key signs, 1 failed, 2 asked wrongly, 3 a key does not sign"


def add_enable_arguments(parser: ArgumentParser) -> None:
    """The options of `ops keys enable`."""
    parser.add_argument("key", metavar="KEY_ID", help="as `ops keys list` shows it")
    parser.add_argument("--yes", action="store_true", help="really enable it")


def run_list(session: Session) -> int:
    """Shows the deployment's signing keys."""
    deployment = session.deployment()
    keys = [_described(deployment, key_id) for key_id in _key_ids(deployment)]
    _show(session, keys)
    return EXIT_OK if all(key.is_usable for key in keys) else EXIT_UNWELL


def run_enable(session: Session) -> int:
    """Lets KMS sign with the key again; a planned deletion of it is called off.

    Raises:
        UsageFault: `key_unknown` for a key that signs no tokens of this deployment; `yes_missing`.
    """
    options, deployment = session.options, session.deployment()
    known = _key_ids(deployment)
    if options.key not in known:
        detail = f"{options.key!r} signs no tokens of this deployment; its keys: {', '.join(known)}."
        raise UsageFault("key_unknown", detail)
    before = _described(deployment, options.key)
    if not before.is_usable:
        if not options.yes:
            command = at_hand(f"python -m ops keys enable {options.key} --yes", options)
            raise UsageFault("yes_missing", f"{_warning(before)} To do it: {command}")
        _enable(deployment, before)
        done = f"The signing key {options.key} is enabled"
        audited(deployment, "key.enable", options.key, done=done)
    _show(session, [_described(deployment, options.key)])
    return EXIT_OK


def _key_ids(deployment: Deployment) -> tuple[str, ...]:
    return (deployment.output(SIGNING_KEY_OUTPUT),)


def _described(deployment: Deployment, key_id: str) -> SigningKey:
    found: dict[str, Any] = deployment.client("kms").describe_key(KeyId=key_id)["KeyMetadata"]
    deleted_at = found.get("DeletionDate")
    return SigningKey(
        key_id=key_id,
        state=str(found["KeyState"]),
        created_at=iso(found["CreationDate"]),
        deleted_at=iso(deleted_at) if isinstance(deleted_at, datetime) else "",
    )


def _warning(key: SigningKey) -> str:
    planned = f" and its deletion on {key.deleted_at} is called off" if key.deleted_at else ""
    return (
        f"Access tokens would be signed with {key.key_id} again{planned}. It is {key.state}: make sure that "
        "nobody switched it off on purpose, for example because somebody signs tokens of their own with it."
    )


def _enable(deployment: Deployment, key: SigningKey) -> None:
    client = deployment.client("kms")
    if key.state == PENDING_DELETION:
        # KMS leaves the key disabled.
        client.cancel_key_deletion(KeyId=key.key_id)
    client.enable_key(KeyId=key.key_id)
    if not (after := _described(deployment, key.key_id)).is_usable:
        raise OpsFault("not_enabled", f"KMS says that {key.key_id} is {after.state} now; look again soon.")


def _show(session: Session, keys: list[SigningKey]) -> None:
    rows = [vars(key) | {"is_usable": key.is_usable} for key in keys]
    lines = [
        f"{key.key_id}  {key.state}  made {key.created_at}"
        + (f"  deleted on {key.deleted_at}" if key.deleted_at else "")
        for key in keys
    ]
    session.terminal.result(rows, lines)
