"""What goes wrong during one run, and how often: all drawn from the seed."""

import random
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Weather:
    """Chances of each kind of fault at each effect, and the times of the queues.

    Args:
        kill_ratio: the process is gone before or after the effect.
        refuse_ratio: the effect does not happen, and the caller is told so.
        lose_ratio: the effect happens, and its answer never comes.
        stall_ratio: the process stands still for up to a minute.
        duplicate_ratio: a message comes once more.
        unacknowledged_ratio: the work is done, and the message comes again all the same.
        visibility_s: how long a received message is hidden; short ones come while the work is under way.
        delay_s: the longest delay of a message; order is lost by it.
        gap_s: the mean time between two changes of the bucket; a storm has none.
        change_count: how many changes there are.
        key_count: how many documents they meet.
    """

    kill_ratio: float = 0.0
    refuse_ratio: float = 0.0
    lose_ratio: float = 0.0
    stall_ratio: float = 0.0
    duplicate_ratio: float = 0.0
    unacknowledged_ratio: float = 0.0
    visibility_s: float = 720.0
    delay_s: float = 0.0
    gap_s: float = 1.0
    change_count: int = 0
    key_count: int = 2

    @classmethod
    def drawn(cls, chance: random.Random) -> "Weather":
        """Half of all kinds of faults in each run, so that every pair of kinds is met."""

        def sometimes(*choices: float) -> float:
            return chance.choice(choices) if chance.random() < 0.5 else 0.0

        return cls(
            kill_ratio=sometimes(0.005, 0.02),
            refuse_ratio=sometimes(0.01, 0.04),
            lose_ratio=sometimes(0.01, 0.04),
            stall_ratio=sometimes(0.01, 0.03),
            duplicate_ratio=sometimes(0.1, 0.4),
            unacknowledged_ratio=sometimes(0.1),
            visibility_s=chance.choice((720.0, 720.0, 60.0, 5.0)),
            delay_s=chance.choice((0.5, 10.0, 300.0)),
            gap_s=chance.choice((0.01, 0.5, 20.0)),
            change_count=chance.randint(4, 12),
            key_count=chance.randint(1, 2),
        )


CALM = Weather()
