"""A load that somebody drops all at once."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import override

from ops.deployment import QUEUES
from ops.drill import uploads
from ops.drill.faults import Fault, Impatient, Known
from ops.drill.ground import Ground

UPLOADERS = 8


@dataclass(frozen=True)
class Flooded(Fault):
    """So many small files arrive in the backfill lane within seconds; nothing of the system is changed."""

    files: int

    @override
    def learn(self, ground: Ground) -> Known:
        """Nothing needs to be known: the drills' files are found by their folder."""
        return {}

    @override
    def inject(self, ground: Ground, known: Known) -> None:
        """Uploads them."""
        client = ground.client("s3")

        def put(_: int) -> None:
            word = uuid.uuid4().hex[:12]
            uploads.put(ground, uploads.new_path("small.txt", is_bulk=True), uploads.small_text(word), client)

        with ThreadPoolExecutor(UPLOADERS) as pool:
            list(pool.map(put, range(self.files)))

    @override
    def repair(self, ground: Ground, known: Known) -> None:
        """Removes them, and waits until the queues are empty."""
        uploads.remove_all(ground)
        Impatient(QUEUES).wait_until_empty(ground)
