"""Several operating system processes that try a limit at once."""

import multiprocessing
from collections.abc import Callable
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Barrier

PROCESSES = 4
START_TIMEOUT_S = 60

type Worker = Callable[[str, int, Barrier], int]
"""Tries an address so many times after all have come to the barrier; gives how often it was let in."""


def admitted_in_parallel(worker: Worker, address: str, tries_each: int) -> int:
    """How many tries of all processes together were let in."""
    spawning = multiprocessing.get_context("spawn")
    barrier = spawning.Barrier(PROCESSES, timeout=START_TIMEOUT_S)
    counts: SimpleQueue[int] = spawning.SimpleQueue()
    arguments = (worker, address, tries_each, barrier, counts)
    processes = [spawning.Process(target=_work, args=arguments) for _ in range(PROCESSES)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(START_TIMEOUT_S)
    assert [process.exitcode for process in processes] == [0] * PROCESSES
    admitted = sum(counts.get() for _ in processes)
    counts.close()
    return admitted


def _work(
    worker: Worker, address: str, tries_each: int, barrier: Barrier, counts: "SimpleQueue[int]"
) -> None:
    counts.put(worker(address, tries_each, barrier))
