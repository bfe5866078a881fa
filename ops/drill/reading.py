"""Something to find while drills run: without documents no question is ever hard."""

import time
import uuid

from ops.api import ApiClient
from ops.drill import uploads
from ops.drill.ground import Ground
from ops.drill.traffic import Users
from ops.faults import OpsFault

SEARCHABLE_WITHIN_S = 120.0
LOOK_EVERY_S = 1.0
TEXT = """# Handbook of the drill {word}

## Uploading

Documents are uploaded into the bucket, under the name of their tenant, and searched a few seconds later.

## Searching

A search goes by words and by meaning. How documents are uploaded and searched in each case is said here.
"""


def lay_out(ground: Ground, users: Users) -> None:
    """Uploads one file that every question of a drill finds, and waits until it is searchable.

    Raises:
        OpsFault: `drill_file_missing` when it is not; then nothing was broken yet.
    """
    login = next(iter(users.of_tenant()), None)
    if login is None:
        return
    word = f"w{uuid.uuid4().hex[:10]}"
    uploads.put(ground, f"{uploads.READING}{word}.md", TEXT.format(word=word).encode())
    ends_at = time.monotonic() + SEARCHABLE_WITHIN_S
    with ApiClient(ground.deployment.api_url, ground.session.world.transport) as api:
        api.login(login.username, login.password)
        while not api.post("/v1/search", {"query": word, "mode": "keyword", "top_k": 1})["results"]:
            if time.monotonic() > ends_at:
                detail = f"A new file is not searchable after {SEARCHABLE_WITHIN_S:.0f} s: see `ops status`."
                raise OpsFault("drill_file_missing", detail)
            ground.pause(LOOK_EVERY_S)


def take_away(ground: Ground) -> None:
    """Removes what was laid out, by this command or by one that was killed."""
    uploads.remove_all(ground, (uploads.READING,))
