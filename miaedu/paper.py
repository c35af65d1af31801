"""The paper's numbers beside ours: Shokri et al. 2017 as transcribed in data/paper.json, and what
``miaedu reproduce`` has measured, in data/reproduced.json."""

import json
from collections import defaultdict
from math import nan
from pathlib import Path

import numpy as np
from scipy import stats

from .places import course
from .plots import ATTACK, BASELINE, alt_text, drawing, new_axes

PAPER, OURS = "paper.json", "reproduced.json"
MARKS = {  # of what is drawn: its name, its look, and how far beside the row's line it stands
    "": ("attack of 2017, here", "^", "black", 0.0),
    "calibrated_": ("calibrated attack, here", "o", ATTACK, -0.2),
    "gap_": ("gap attack, here", "x", BASELINE, 0.2),
}


def paper_table(name):
    """The rows of one of the paper's tables, as transcribed for this course: a dict each.

    >>> import miaedu as mia
    >>> mia.paper_table("table-2")[-2]["row"], mia.paper_table("table-2")[-2]["precision"]
    ('purchases, 100 classes', 0.935)

    `name`: "table-2", "table-3", "table-3-hospital", "data-quality" or "sizes"; another one is a
    ValueError. How sure each number is: data/paper.json. Source: Shokri et al. 2017, Tables II and
    III, sections V and VI.
    """
    tables = _transcribed()
    check_name(name, tables)
    return tables[name]["rows"]


def _transcribed():
    """The paper's tables, by name, as they stand in the file."""
    return json.loads(course("data", PAPER).read_text(encoding="utf-8"))["tables"]


def our_draws(name, path=None):
    """What was measured for one table, a number a draw: {row: {measure: array}}.

    >>> import miaedu as mia
    >>> len(mia.our_draws("table-2")["purchases, 100 classes"]["precision"])
    10

    `name`: "table-2", "table-2-full", "table-3", "shadow-count" or "data-quality"; one that the
    file lacks is a ValueError. Measures: those of :func:`measure_row`. `path`: a file that
    ``miaedu reproduce`` has made; by default the course's own.
    """
    path = course("data", OURS) if path is None else Path(path)
    rows = json.loads(path.read_text(encoding="utf-8"))["rows"]
    check_name(name, list(dict.fromkeys(row["part"] for row in rows)))
    found = defaultdict(lambda: defaultdict(list))
    for row in rows:
        if row["part"] == name:
            for measure in [key for key in row if key not in ("part", "row", "seed")]:
                found[row["row"]][measure].append(row[measure])
    return {
        row: {measure: np.array(values) for measure, values in measures.items()}
        for row, measures in found.items()
    }


def our_table(name, path=None):
    """The mean of each measure over draws, and the ends of its 95 % interval: {row: {measure:
    (mean, low, high)}}.

    >>> import miaedu as mia
    >>> mean, low, high = mia.our_table("table-2")["purchases, 100 classes"]["precision"]
    >>> low < mean < high
    True

    The interval is Student's, over draws of data, split and networks. Of a single draw, it is that
    of the precision over records, and nan for other measures. `name`, `path`: as in
    :func:`our_draws`.
    """
    return {
        row: {measure: _mean(measures, measure) for measure in measures}
        for row, measures in our_draws(name, path).items()
    }


def _mean(measures, measure):
    values = measures[measure]
    mean = float(values.mean())
    if len(values) > 1:
        half = stats.t.ppf(0.975, len(values) - 1) * stats.sem(values)
        return mean, float(mean - half), float(mean + half)
    ends = [measure.replace("precision", end) for end in ("low", "high")]
    if measure.endswith("precision") and ends[0] in measures:
        return mean, *(float(measures[end][0]) for end in ends)
    return mean, nan, nan


def plot_beside_paper(name, measure="precision", path=None, *, guess=False):
    """Draw one measure of each row: the paper's number beside ours, of the attack of 2017, the
    calibrated attack and the gap attack, with 95 % intervals; returns the Axes.

    >>> import miaedu as mia
    >>> ax = mia.plot_beside_paper("table-2")
    >>> [text.get_text() for text in ax.get_legend().get_texts()][:2]
    ['the paper', 'attack of 2017, here']

    `name`, `path`: as in :func:`our_table`. `measure`: "precision", "accuracy" or "recall"; the gap
    attack has a precision alone. A row that the paper lacks has no mark of it. With `guess` ours
    are left out, to be guessed.
    """
    if measure not in ("precision", "accuracy", "recall"):
        raise ValueError(f"measure must be one of precision, accuracy, recall, got {measure!r}")
    paper, ours = in_paper(name), our_table(name, path)
    shared = [row for row in ours if row in paper]
    with drawing():
        ax = new_axes(8, 1.2 + 0.42 * len(ours))
        if shared:
            values, places = [paper[row][measure] for row in shared], map(list(ours).index, shared)
            ax.plot(values, list(places), "D", c="black", mfc="none", ms=8, label="the paper")
        for prefix, (label, marker, colour, shift) in MARKS.items():
            if prefix + measure in next(iter(ours.values())) and not guess:
                means, lows, highs = zip(*(row[prefix + measure] for row in ours.values()))
                places = np.arange(len(ours)) + shift
                ax.hlines(places, lows, highs, color=colour, lw=2)
                ax.plot(means, places, marker, color=colour, label=label)
        ax.axvline(0.5, color=BASELINE, ls=":", lw=1)
        ax.set_yticks(range(len(ours)), list(ours))
        ax.invert_yaxis()
        ax.set_xlabel(f"{measure} of the attack, where half of the records are members")
        ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
    alt_text(ax, words_beside_paper(name, measure, path, guess=guess))
    return ax


def words_beside_paper(name, measure="precision", path=None, *, guess=False):
    """What :func:`plot_beside_paper` shows, as a text.

    >>> words_beside_paper("table-2", guess=True)[:63]
    "The attack's precision. purchases, 2 classes: paper 0.51; purch"
    """
    paper, parts = in_paper(name), []
    for row, values in our_table(name, path).items():
        told = [f"paper {paper[row][measure]:.2f}"] if row in paper else []
        if not guess:
            told.append(f"here {values[measure][0]:.2f}")
        parts.append(f"{row}: {', '.join(told)}")
    return f"The attack's {measure}. {'; '.join(parts)}."


def side_by_side(name, path=None):
    """The lines of a table: the precision of the attack of 2017 in the paper and in the course's
    file, with its interval; and in another file, if there is one.

    >>> print(side_by_side("table-2")[0])
    table-2: precision                paper  course  interval
    """
    paper, ours, theirs = in_paper(name), our_table(name), our_table(name, path) if path else {}
    title, width = f"{name}: precision", max(32, *(len(row) + 1 for row in ours))
    yours = "yours" if path else ""
    lines = [f"{title:<{width}}{'paper':>7}{'course':>8}  {'interval':<16}{yours}"]
    for row, measures in ours.items():
        mean, low, high = measures["precision"]
        printed = f"{paper[row]['precision']:7.3f}" if row in paper else f"{'-':>7}"
        line = f"{row:<{width}}{printed}{mean:8.3f}  {f'{low:.3f} to {high:.3f}':<16}"
        lines.append(line + (f"{theirs[row]['precision'][0]:.3f}" if row in theirs else ""))
    return [line.rstrip() for line in lines]


def in_paper(name):
    """The paper's rows of one of our tables, by name; none where it has no such table."""
    rows = _transcribed().get(name.removesuffix("-full"), {"rows": []})["rows"]
    return {row["row"]: row for row in rows}


def check_name(name, known):
    """Raise a ValueError that lists the tables there are, unless `name` is one of them."""
    if name not in known:
        raise ValueError(f"name must be one of {', '.join(known)}, got {name!r}")
