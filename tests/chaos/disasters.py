"""What befalls workers, brokers and the database: each does harm, waits, and mends what it broke.

Harm comes at any moment, or in the middle of a write. Where somebody is silent for longer than the
group waits, others have its partitions when it comes back.
"""

import random
import time
from collections.abc import Callable, Mapping
from typing import Final

from tests.chaos.site import SESSION_SECONDS, WORKERS, ChaosWorld

#: how long somebody is silent whom the group does not wait for
SILENT_SECONDS: Final = (SESSION_SECONDS + 1.0, SESSION_SECONDS + 3.0)
#: how long somebody is away who is back before anybody else has its partitions
SHORT_SECONDS: Final = (0.0, SESSION_SECONDS / 2)
AWAY_SECONDS: Final = (0.0, 3.0)
#: tries to catch a worker in the act, and what the others need for their share
PAUSES_MAX: Final = 8
OTHERS_SECONDS: Final = 0.7

#: does harm and mends it; the worker that it befalls may be drawn
Disaster = Callable[[ChaosWorld, random.Random], None]


def worker_killed(world: ChaosWorld, dice: random.Random) -> None:
    """SIGKILL, in mid-write; it is back under its name before others have its partitions."""
    worker = dice.choice(WORKERS)
    world.wait_for_a_write()
    world.kill_worker(worker)
    time.sleep(dice.uniform(*SHORT_SECONDS))
    world.start_worker(worker)


def worker_lost(world: ChaosWorld, dice: random.Random) -> None:
    """SIGKILL; others have its partitions when it is back."""
    worker = dice.choice(WORKERS)
    time.sleep(dice.uniform(0, 0.5))
    world.kill_worker(worker)
    time.sleep(dice.uniform(*SILENT_SECONDS))
    world.start_worker(worker)


def worker_paused(world: ChaosWorld, dice: random.Random) -> None:
    """SIGSTOP for longer than the group waits, then SIGCONT: it wakes as a zombie.

    It is caught in the act: with facts that wait for it and that others decide while it sleeps.
    """
    worker = dice.choice(WORKERS)
    try:
        for _ in range(PAUSES_MAX):
            heads = world.bring_many_facts()
            world.pause_worker(worker)
            time.sleep(OTHERS_SECONDS)
            if world.undecided(heads):  # the others have decided theirs by now
                break
            world.wake_worker(worker)
        time.sleep(dice.uniform(*SILENT_SECONDS))
    finally:
        world.wake_worker(worker)


def broker_killed(world: ChaosWorld, dice: random.Random) -> None:
    """SIGKILL of a broker, which is started again: the only one, or one of several."""
    node = dice.choice(world.kafka.nodes).id
    world.wait_for_a_write()
    world.kafka.kill(node)
    time.sleep(dice.uniform(*AWAY_SECONDS))
    world.kafka.start_node(node)
    world.kafka.wait_ready()


def database_killed(world: ChaosWorld, dice: random.Random) -> None:
    """SIGKILL of PostgreSQL and all its processes, in mid-write."""
    world.wait_for_a_write()
    world.postgres.kill()
    time.sleep(dice.uniform(*AWAY_SECONDS))
    world.postgres.start()


def database_stopped(world: ChaosWorld, dice: random.Random) -> None:
    """An immediate shutdown of PostgreSQL: the next start is a recovery."""
    time.sleep(dice.uniform(0, 0.5))
    world.postgres.stop(mode="immediate")
    time.sleep(dice.uniform(*AWAY_SECONDS))
    world.postgres.start()


DISASTERS: Final[Mapping[str, Disaster]] = {
    "worker killed": worker_killed,
    "worker lost": worker_lost,
    "worker paused": worker_paused,
    "broker killed": broker_killed,
    "database killed": database_killed,
    "database stopped": database_stopped,
}


def drawn(cycles: int, dice: random.Random) -> list[str]:
    """Return which disaster comes when: each as often as the others, in any order."""
    names: list[str] = []
    while len(names) < cycles:
        names += dice.sample(list(DISASTERS), len(DISASTERS))
    return names[:cycles]
