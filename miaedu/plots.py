"""Static pictures of what `run`, `evaluate` and `sweep` return."""

import base64
import io
from contextlib import contextmanager
from html import escape

import matplotlib as mpl
import numpy as np

from .privacy import max_advantage, roc_ceiling

# Okabe & Ito's colours, which colour-blind readers can tell apart; every line has a style or marker
# of its own as well.
MEMBER, NONMEMBER, ATTACK, BASELINE, CEILING = "#D55E00", "#0072B2", "#009E73", "#555555", "#CC79A7"
STYLE = {
    "font.size": 10,
    "axes.titlesize": 10,
    "legend.fontsize": 9,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "figure.facecolor": "white",
    "axes.facecolor": "white",
    "savefig.facecolor": "white",
    "legend.frameon": False,
    "text.color": "#222222",
}
LINES = ("-", "--", "-.", (0, (1, 1)), (0, (4, 1, 1, 1, 1, 1)))
COLOURS = ATTACK, "#56B4E9", "#E69F00", "#000000", CEILING
POINTS = 2000  # of a curve, at the most
# The attacks that judge in most lessons look alike in every picture, and the first two in the
# explorers', too. A name may say more after it, such as the view.
LOOKS = {
    "attack of 2017": ("black", "--"),
    "calibrated attack": (ATTACK, "-"),
    "LiRA": ("#56B4E9", "-."),
}


@contextmanager
def drawing():
    """The look of every static picture, while it is drawn."""
    import matplotlib.pyplot as plt

    # A notebook's first picture settles where it is shown: leaving the context would undo that.
    plt.draw_if_interactive()
    with mpl.rc_context(STYLE):
        yield


def plot_roc(reports, ax=None, *, log=False):
    """Draw the ROC curve of one or several Reports, with chance and, as a dot, the gap attack;
    returns the Axes.

    >>> import miaedu as mia
    >>> report = mia.run(mia.Experiment(n_shadows=4)).report
    >>> ax = mia.plot_roc(report, log=True)
    >>> ax.get_xscale(), ax.get_ylabel()
    ('log', 'hits: share of members flagged (TPR)')

    `reports`: a :class:`Report`, a list of them, or a dict from the names to show to Reports.
    With `log` both axes are logarithmic, which shows the few records that are surely recognised;
    the vertical line at 1 / n then marks the smallest FPR that n non-members can show. Source of
    the advice: Carlini et al. 2022, section III.
    """
    if not isinstance(reports, dict):
        reports = reports if isinstance(reports, (list, tuple)) else [reports]
        names = [report.name for report in reports]
    else:
        names, reports = list(reports), list(reports.values())
    with drawing():
        ax = new_axes() if ax is None else ax
        floor = 1 / min((~report.members).sum() for report in reports)
        roc_background(ax, floor if log else None)
        for i, (name, report) in enumerate(zip(names, reports)):
            fpr, tpr = _few_points(*report.roc())
            low, high = report.interval("auc")
            label = f"{name}: AUC {report.auc:.2f} ({low:.2f} to {high:.2f})"
            steps = "steps-post" if log else "default"
            known = (look for attack, look in LOOKS.items() if name.startswith(attack))
            colour, line = next(known, (COLOURS[i % 5], LINES[i % 5]))
            ax.plot(fpr, tpr, color=colour, linestyle=line, lw=2, drawstyle=steps, label=label)
        # the gap attack's rates are the target's accuracies: it flags what that is right about
        first = reports[0]
        ax.plot(
            [first.test_accuracy],
            [first.train_accuracy],
            "o",
            color=BASELINE,
            clip_on=False,
            label="gap attack",
        )
        ax.legend(loc="lower right")
    return ax


def _few_points(fpr, tpr):
    """A curve of thousands of points by those that can be told apart on linear and on logarithmic
    axes."""
    if len(fpr) <= POINTS:
        return fpr, tpr
    kept = [
        np.searchsorted(rate, grid).clip(max=len(rate) - 1)
        for rate in (fpr, tpr)
        for grid in (np.linspace(0, 1, POINTS // 4), np.geomspace(1e-6, 1, POINTS // 4))
    ]
    kept = np.unique(np.concatenate([[0], *kept]))
    return fpr[kept], tpr[kept]


def plot_ceiling(results, audit=None, ax=None, *, log=False):
    """Draw the measured ROC of private targets under the proven ceiling; returns the Axes.

    >>> import miaedu as mia
    >>> private = mia.Experiment(n_shadows=2, epochs=10, clip=1.0, noise_multiplier=4.0)
    >>> mia.plot_ceiling(mia.run(private)).get_title(loc="left").startswith("promised: mu 0.79")
    True

    `results`, one private :class:`Result` or repetitions with other random states: the ceiling
    holds for their mean, a single curve may stray above it. `audit`, an :class:`CanaryAudit` of the
    same training: its lower bounds are written beside the promise.
    """
    results = results if isinstance(results, (list, tuple)) else [results]
    mu, grid = results[0].mu, np.geomspace(1e-4, 1, 400)
    with drawing():
        ax = new_axes() if ax is None else ax
        roc_background(ax, 1 / min((~r.adaptive.members).sum() for r in results) if log else None)
        for i, result in enumerate(results):
            label, alpha = None if i else "measured, one a target", 0.8 if len(results) < 4 else 0.4
            ax.plot(*result.adaptive.roc(), color=ATTACK, lw=1, alpha=alpha, label=label)
            gap = result.adaptive.test_accuracy, result.adaptive.train_accuracy
            ax.plot(
                *gap, "o", ms=4, color=BASELINE, clip_on=False, label=None if i else "gap attack"
            )
        ax.plot(
            grid,
            roc_ceiling(grid, mu),
            color=CEILING,
            lw=2.5,
            linestyle="--",
            label="proven ceiling",
        )
        ax.fill_between(
            grid, roc_ceiling(grid, mu), 1.02, color=CEILING, alpha=0.12, hatch="//", lw=0
        )
        title = f"promised: mu {mu:.2f}, epsilon {results[0].epsilon():.1f} at delta 1e-5"
        if audit is not None:
            title += (
                f"\nmeasured by the audit: mu at least {audit.mu:.2f}, epsilon at least "
                f"{audit.epsilon:.2f}"
            )
        ax.set_title(title)
        ax.legend(loc="lower right")
    return ax


def plot_frontier(records, ax=None):
    """Draw what each countermeasure costs, test accuracy, and buys, less advantage; returns the
    Axes.

    >>> import miaedu as mia
    >>> plan = [mia.Experiment(l2=l2, n_shadows=2) for l2 in (0.0, 0.01)]
    >>> records = mia.sweep(plan, progress=False)
    >>> mia.plot_frontier({"L2": records}).get_ylabel()
    "attack's advantage (TPR - FPR)"

    `records`, a dict from a countermeasure's name to the records of :func:`sweep`, in the order of
    its strength. Solid: the adaptive attacker; dotted, where it differs: the naive one, whose curve
    flatters. Right and low is good. The gap attack bounds what labels alone give away.
    """
    with drawing():
        ax = new_axes(6.4, 4.6) if ax is None else ax
        for i, (name, rows) in enumerate(records.items()):
            accuracy, colour = [row["test_accuracy"] for row in rows], COLOURS[i % 5]
            best = [max(row["advantage"], row["gap_advantage"]) for row in rows]
            style = {"color": colour, "marker": "osD^v"[i % 5]}
            ax.plot(accuracy, best, linestyle=LINES[i % 5], label=name, **style)
            if any(row["hide"] for row in rows):
                naive = [row["naive_advantage"] for row in rows]
                ax.plot(
                    accuracy,
                    naive,
                    linestyle=":",
                    mfc="none",
                    label=f"{name}, naive attacker",
                    **style,
                )
        ax.set(xlabel="target's accuracy on new records", ylabel="attack's advantage (TPR - FPR)")
        ax.axhline(0, color=BASELINE, lw=1)
        ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
    return ax


def mark_guess(ax, guess, axis="y"):
    """Draw a reader's prediction, unless it is None, as a dashed line at `guess` of an axis;
    returns the Axes.

    >>> import matplotlib.pyplot as plt
    >>> [len(mark_guess(plt.subplots()[1], guess).lines) for guess in (0.5, None)]
    [1, 0]
    """
    if guess is not None:
        line = ax.axhline if axis == "y" else ax.axvline
        line(guess, color="black", linestyle=(0, (6, 3)), lw=1.5, label=f"your guess: {guess:g}")
        ax.legend()
    return ax


def alt_text(ax, words):
    """Give the figure of `ax` its words, for readers who cannot see it: a notebook then shows it
    with them.

    >>> import matplotlib.pyplot as plt
    >>> figure, ax = plt.subplots()
    >>> alt_text(ax, "an empty pair of axes")
    >>> 'alt="an empty pair of axes"' in figure._repr_html_()
    True
    """
    figure = ax.figure

    def html():
        picture = io.BytesIO()
        figure.savefig(picture, format="png", bbox_inches="tight")
        source = base64.b64encode(picture.getvalue()).decode()
        return f'<img alt="{escape(words)}" src="data:image/png;base64,{source}">'

    figure._repr_html_ = html  # a notebook prefers it to the bare picture


def roc_background(ax, floor=None):
    """Axes, labels and the line of chance; logarithmic from `floor`, the smallest visible FPR, if
    one is given."""
    ax.set(
        xlabel="false alarms: share of non-members\nflagged (FPR)",
        ylabel="hits: share of members flagged (TPR)",
    )
    grid = np.array([0, 1]) if floor is None else np.geomspace(floor / 2, 1, 50)
    ax.plot(grid, grid, color=BASELINE, lw=1, linestyle=":", label="chance")
    if floor is None:
        ax.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), aspect="equal")
    else:
        ax.set(xscale="log", yscale="log", xlim=(floor / 2, 1.05), ylim=(floor / 2, 1.05))
        ax.axvline(
            floor,
            color=BASELINE,
            lw=1,
            linestyle="--",
            label=f"smallest visible FPR, 1/{round(1 / floor)}",
        )


def new_axes(width=5.2, height=4.6):
    """Axes on a white figure, which a notebook shows at the end of its cell."""
    import matplotlib.pyplot as plt

    return plt.figure(figsize=(width, height), layout="constrained").add_subplot()


# each measure's label, colour and line in `plot_sweep`; black is the attack of 2017
SWEPT = {
    "auc": ("AUC of the attack", "black", "^--"),
    "gap_auc": ("AUC of the gap attack", BASELINE, "x:"),
    "test_accuracy": ("accuracy on new records", NONMEMBER, "s--"),
    "ceiling": ("proven ceiling", CEILING, "v-."),
    "naive_advantage": ("advantage, naive attacker", "black", "v:"),
    "advantage": ("advantage, adaptive attacker", "black", "^--"),
    "leak": ("advantage, attack of 2017 or gap attack", "black", "^--"),
    "calibrated": ("advantage, calibrated attack", ATTACK, "o-"),
    "gap_advantage": ("advantage, gap attack", BASELINE, "x:"),
}


def plot_sweep(records, knob, measures, *, ticks=None, xlabel=None):
    """Draw what each position of one knob costs and leaks, with its words; returns the Axes.

    >>> import miaedu as mia
    >>> positions = [mia.Experiment(n_shadows=2, l2=l2) for l2 in (0.0, 0.01)]
    >>> ax = plot_sweep(mia.sweep(positions, progress=False), "l2", ["test_accuracy", "leak"])
    >>> ax.get_xlabel(), [text.get_text() for text in ax.get_legend().get_texts()]
    ('l2', ['accuracy on new records', 'advantage, attack of 2017 or gap attack'])

    `records`, those of :func:`sweep`, in the order in which the positions are drawn; records with
    the same value of `knob`, a field of :class:`Experiment`, are repetitions: the line is their
    mean, a small mark each of them. `measures`, among "auc", "gap_auc", "test_accuracy", "ceiling"
    (the largest advantage that the promise allows), "naive_advantage", "advantage", "leak" (the
    larger of "advantage" and "gap_advantage"), "gap_advantage" and "calibrated": the advantage of
    the records whose ``attack`` is "calibrated", which may stand among those of another attack;
    the other measures are then taken from those. `ticks`, labels of the positions where their
    values will not do.
    """
    if unknown := [name for name in measures if name not in SWEPT]:
        raise ValueError(f"measures must be among {', '.join(SWEPT)}, got {unknown[0]!r}")
    attacks = {record["attack"] for record in records}
    if "calibrated" in measures and not {"calibrated"} < attacks:
        raise ValueError(
            'records must be of attack "calibrated" and of another one, to draw both, got '
            f"{', '.join(sorted(attacks))}"
        )
    positions = {}
    for record in records:
        positions.setdefault(record[knob], []).append(
            record
            | {
                "gap_auc": (1 + record["gap_advantage"]) / 2,
                "ceiling": max_advantage(record["mu"]),
                "leak": max(record["advantage"], record["gap_advantage"]),
            }
        )
    ticks, xlabel = [str(value) for value in ticks or positions], xlabel or knob
    words = [f"{xlabel} {', '.join(ticks)}"]
    with drawing():
        ax = new_axes(6.5, 3.8)
        for name in measures:
            label, colour, line = SWEPT[name]
            line = line[0] if knob == "hide" else line  # no order, no line
            found = [_swept(name, rows) for rows in positions.values()]
            means = [np.mean(values) for values in found]
            inside = "none" if name == "naive_advantage" else colour  # hollow: it flatters
            ax.plot(means, line, color=colour, mfc=inside, lw=2, label=label)
            for x, values in enumerate(found):
                ax.plot([x] * len(values), values, ".", color=colour, ms=4, alpha=0.6)
            words.append(f"{label} {', '.join(f'{mean:.2f}' for mean in means)}")
        lowest = 0.5 if "auc" in measures else -0.03
        ax.set(xlabel=xlabel, ylabel="share, from 0 to 1", ylim=(lowest, 1.03))
        ax.set_xticks(range(len(ticks)), ticks)
        ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.18), ncols=2)
    alt_text(ax, f"Means for {'; '.join(words)}.")
    return ax


def _swept(name, rows):
    """A measure of the repetitions at one position of a knob."""
    if name == "calibrated":
        return [record["advantage"] for record in rows if record["attack"] == name]
    others = [record[name] for record in rows if record["attack"] != "calibrated"]
    return others or [record[name] for record in rows]
