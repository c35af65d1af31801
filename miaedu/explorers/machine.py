"""How many shadow models an explorer starts with: as many as this machine trains in time."""

import time
from functools import lru_cache

import numpy as np

from ..network import MLP

AFFORDABLE = 2.0  # seconds of training that an explorer may begin with


@lru_cache(maxsize=1)
def seconds_per_network():
    """How long this machine trains one shadow model of an explorer, in a collection; measured once.

    >>> seconds_per_network() == seconds_per_network() > 0
    True
    """
    X, everyone = np.random.default_rng(0).random((500, 200), np.float32), np.ones((4, 500), bool)
    for epochs in (1, 60):  # the first call sets up threads, which is not to be counted
        began = time.monotonic()
        MLP(hidden=32, epochs=epochs, batch_size=None, random_state=0).fit_many(
            X, np.arange(500) % 10, everyone
        )
    return (time.monotonic() - began) / 4


def affordable(counts, wanted, repetitions=1):
    """`wanted` shadow models, or the largest of `counts` below it that this machine trains in
    time."""
    seconds = repetitions * seconds_per_network()
    return max(
        (count for count in counts if count <= wanted and count * seconds <= AFFORDABLE),
        default=min(counts),
    )
