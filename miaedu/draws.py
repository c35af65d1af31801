"""Who is in the training set of a shadow model: random halves, draws of a given size, and draws of
whole groups."""

import numpy as np

TRIES = 20  # of a draw that leaves a class on one side only


def stratified_half(y, random_state):
    """A boolean mask (n,) that is True for a random half of the records, of each class as far as it
    can be: of a class with two records or more, one at least is in and one is out.

    >>> import numpy as np
    >>> half = stratified_half(np.array([0, 0, 0, 0, 1, 1]), random_state=0)
    >>> int(half[:4].sum()), int(half[4:].sum())
    (2, 1)
    """
    rng = np.random.default_rng(random_state)
    # by class, shuffled within; then a coin for each pair of neighbours
    order = np.lexsort((rng.random(len(y)), y))
    mask = np.empty(len(y), bool)
    heads = rng.random((len(y) + 1) // 2) < 0.5
    # the two records of a small class may stand in two pairs, the second of one and the first of
    # the next: then the coins of these fall alike, and the records on different sides
    count = np.unique(y, return_counts=True)[1]
    first = np.cumsum(count) - count
    for place in first[(count == 2) & (first % 2 == 1)]:
        heads[(place + 1) // 2] = heads[place // 2]
    mask[order[::2]] = heads
    mask[order[1::2]] = ~heads[: len(y) // 2]
    return mask


def stratified_draw(y, size, random_state):
    """A boolean mask (n,) that is True for `size` random records, of each class its share to within
    one record; each record is drawn with the same chance.

    >>> import numpy as np
    >>> drawn = stratified_draw(np.array([0] * 6 + [1] * 3), size=3, random_state=0)
    >>> int(drawn[:6].sum()), int(drawn[6:].sum())
    (2, 1)
    """
    rng, n = np.random.default_rng(random_state), len(y)
    # by class, shuffled within; then one every n / size, from a random start
    order = np.lexsort((rng.random(n), y))
    steps = (np.arange(n + 1) * size + rng.integers(n)) // n
    mask = np.empty(n, bool)
    mask[order] = np.diff(steps) > 0
    return mask


def draw_of_groups(groups, size, random_state):
    """A boolean mask (n,) that is True for whole random groups, of about `size` records together;
    for a random half of all records (None), each group is in with probability 1/2.

    >>> import numpy as np
    >>> drawn = draw_of_groups(np.array([0, 0, 1, 1, 2, 2]), size=4, random_state=0)
    >>> drawn.reshape(3, 2).tolist().count([True, True]), int(drawn.sum())
    (2, 4)
    """
    rng = np.random.default_rng(random_state)
    found, unit = np.unique(groups, return_inverse=True)
    order = rng.permutation(len(found))
    filled = np.bincount(unit)[order].cumsum()
    # as many groups as come nearest to the number, but neither none nor all
    wanted = len(groups) / 2 if size is None else size
    count = 1 + np.argmin(np.abs(filled[:-1] - wanted))
    drawn = np.zeros(len(found), bool)
    drawn[order[:count]] = True
    if size is None and rng.random() < 0.5:
        drawn = ~drawn
    return drawn[unit]


def half_of_groups(groups, y, random_state):
    """A boolean mask (n,) like that of :func:`draw_of_groups` for a half, drawn again, up to 20
    times, while a class of two groups or more is missing on one side. Each group is in with
    probability 1/2.

    >>> import numpy as np
    >>> drawn = half_of_groups(np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1]), random_state=0)
    >>> int(drawn.sum())
    2
    """
    codes = np.unique(y, return_inverse=True)[1]
    pairs = np.unique(np.column_stack([codes, np.unique(groups, return_inverse=True)[1]]), axis=0)
    able = np.bincount(pairs[:, 0]) >= 2
    for attempt in range(TRIES):
        drawn = draw_of_groups(groups, None, [random_state, attempt] if attempt else random_state)
        sides = [np.bincount(codes[side], minlength=len(able)) > 0 for side in (drawn, ~drawn)]
        if (sides[0] & sides[1])[able].all():
            return drawn
    return draw_of_groups(groups, None, random_state)
