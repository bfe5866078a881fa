"""The machine's clock."""

import time


class SystemClock:
    """The time of day (`ports.Clock`)."""

    def now(self) -> float:
        """Epoch seconds, UTC."""
        return time.time()
