"""A graded lab's own draw: from a seed, other data, other numbers, other letters and another order
of parameters than the course has. The seed 0 is the course itself."""

import re
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, wraps
from numbers import Integral
from random import Random

from ..checks import check_number

_seed = ContextVar("seed", default=0)


@contextmanager
def drawn(seed):
    """Within it, truths and texts are those of the variant with this seed.

    >>> with drawn(7):
    ...     moved(1)
    7001
    """
    check_number("seed", seed, Integral, 0)
    before = _seed.set(seed)
    try:
        yield
    finally:
        _seed.reset(before)


def moved(random_state):
    """The random state (below 1,000) that a variant has in the place of the course's."""
    return random_state + 1000 * _seed.get()


def moved_source(source):
    """The same for every ``random_state=`` with a number in a text.

    >>> with drawn(2):
    ...     moved_source("mia.load_purchases(random_state=1)")
    'mia.load_purchases(random_state=2001)'
    """
    return re.sub(r"(?<=random_state=)\d+", lambda found: str(moved(int(found[0]))), source)


def number(in_the_course, *others):
    """One of the `others` in a variant.

    >>> number(0.25, 0.2, 0.3)
    0.25
    """
    if not _seed.get():
        return in_the_course
    return Random(f"{_seed.get()} {in_the_course}").choice(others)


def order_of(parameters):
    """The parameters of a function in a variant's order, which is never the course's.

    >>> with drawn(1):
    ...     order_of(("one", "other"))
    ('other', 'one')
    """
    return tuple(_shuffled(parameters, lambda new: new != list(parameters)))


def letters_of(letters, question):
    """A dict from each of the course's letters of a question to the variant's, which is never the
    same.

    >>> with drawn(1):
    ...     letters_of("ab", "00.q1")
    {'a': 'b', 'b': 'a'}
    """
    found = _shuffled(letters, lambda new: all(map(str.__ne__, new, letters)), question)
    return dict(zip(letters, found))


def _shuffled(values, fits, salt=""):
    """The values in an order that fits; a variant alone shuffles."""
    order = list(values)
    if not _seed.get():
        return order
    random = Random(f"{_seed.get()} {salt} {values}")
    while not fits(order):
        random.shuffle(order)
    return order


def kept(function):
    """Like functools.cache, for each seed."""

    @cache
    def of_seed(seed, *arguments, **named):
        return function(*arguments, **named)

    @wraps(function)
    def look_up(*arguments, **named):
        return of_seed(_seed.get(), *arguments, **named)

    return look_up
