"""The stage cache: what an experiment's stages have made is kept, each by the settings that decide
it."""

import threading
from collections import OrderedDict
from contextlib import contextmanager
from types import SimpleNamespace

import numpy as np

LIMIT = 64 * 2**20  # bytes


class Cache:
    """The most recently used values, as long as the arrays in them stay within `limit` bytes."""

    def __init__(self, limit):
        self.limit, self.bytes = limit, 0
        self.kept, self.lock = OrderedDict(), threading.Lock()

    def get(self, key, make):
        with self.lock:
            if key in self.kept:
                self.kept.move_to_end(key)
                return self.kept[key][0]
        value = make()
        size = _nbytes(value)
        with self.lock:
            if key not in self.kept and size <= self.limit:
                self.kept[key] = value, size
                self.bytes += size
            while self.bytes > self.limit:
                self.bytes -= self.kept.popitem(last=False)[1][1]
        return value


@contextmanager
def more_room(limit):
    """Within it, stages are kept in a cache of their own, of `limit` bytes, which is gone at the
    end: for experiments whose stages are too large for the ordinary one."""
    global cache
    ordinary, cache = cache, Cache(limit)
    try:
        yield
    finally:
        cache = ordinary


def _nbytes(value, seen=None):
    """The bytes of the arrays in a value; what it holds twice, or holds in itself, counts once."""
    seen = set() if seen is None else seen
    if id(value) in seen:
        return 0
    seen.add(id(value))
    if isinstance(value, np.ndarray):
        return value.nbytes
    parts = value if isinstance(value, (list, tuple, dict)) else getattr(value, "__dict__", {})
    parts = parts.values() if isinstance(parts, dict) else parts
    return sum(_nbytes(part, seen) for part in parts)


cache = Cache(LIMIT)


def stage(experiment, function, fields, *inputs):
    """A stage of an experiment, lazily: call what is returned to have it.

    `function(seen, *inputs)` makes it, from the values of those `fields` alone, which are the key
    under which it is kept, and from `inputs`, earlier stages that it calls where it needs them.
    """
    seen = SimpleNamespace(**{name: getattr(experiment, name) for name in fields})
    key = (function.__name__, *vars(seen).values())
    return lambda: cache.get(key, lambda: function(seen, *inputs))
