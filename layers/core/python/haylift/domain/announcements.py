"""What is told of a change to those who have no login: tags on the object, and an event."""

from collections.abc import Mapping

from haylift.domain.documents import DocumentRecord
from haylift.domain.history import StateChange, changes_of

STATE_TAG = "haylift-state"
REASON_TAG = "haylift-reason"
REVISION_TAG = "haylift-revision"
OWN_TAGS = (STATE_TAG, REASON_TAG, REVISION_TAG)

MAX_TAGS = 10
"""S3's limit for an object."""


def is_change(before: DocumentRecord | None, after: DocumentRecord) -> bool:
    """Says whether a write changed the state; another stage or percent of it is no change."""
    return before is None or (before.state, before.revision) != (after.state, after.revision)


def newest_of_version(heard: DocumentRecord, row: DocumentRecord | None) -> StateChange:
    """What the tags of the heard version shall say, as far as the ledger's row knows by now.

    While the newest revision is about the same version, that revision's state; of a version that was
    replaced since, the last state of the revision that was heard of.
    """
    told = StateChange(state=heard.state, revision=heard.revision, at=heard.updated_at, reason=heard.reason)
    if row is None:
        return told
    if row.version_id == heard.version_id and row.revision >= heard.revision:
        return StateChange(state=row.state, revision=row.revision, at=row.updated_at, reason=row.reason)
    known = [change for change in changes_of(row) if change.revision == heard.revision]
    return known[-1] if known else told


def tagged(tags: Mapping[str, str], change: StateChange) -> dict[str, str] | None:
    """The version's tags with ours in them; None when those that are there tell of a newer revision.

    What others put stays. With their tags at S3's limit ours are left out, the least telling first.
    """
    known = tags.get(REVISION_TAG, "")
    if known.isdecimal() and int(known) > change.revision:
        return None
    theirs = {name: text for name, text in tags.items() if name not in OWN_TAGS}
    ours = {STATE_TAG: change.state.value}
    if change.reason:
        ours[REASON_TAG] = change.reason
    ours[REVISION_TAG] = str(change.revision)
    room = max(0, MAX_TAGS - len(theirs))
    return theirs | dict(list(ours.items())[:room])
