"""Pure figures of what `run` and `evaluate` return, and `describe`: the same thing in words, for captions and alt texts."""
import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

# Okabe & Ito's colours, which colour-blind readers can tell apart; every line has a style or marker of its own as well.
MEMBER, NONMEMBER, ATTACK, BASELINE = "#D55E00", "#0072B2", "#009E73", "#555555"
STYLE = {
    "font.size": 10, "axes.titlesize": 10, "legend.fontsize": 9, "xtick.labelsize": 9, "ytick.labelsize": 9,
    "axes.spines.top": False, "axes.spines.right": False, "axes.titlelocation": "left", "figure.facecolor": "white",
    "axes.facecolor": "white", "savefig.facecolor": "white", "legend.frameon": False, "text.color": "#222222",
}
LINES = ("-", "--", "-.", (0, (1, 1)), (0, (4, 1, 1, 1, 1, 1)))
COLOURS = ATTACK, "#CC79A7", "#56B4E9", "#E69F00", "#000000"


def describe(results):
    """What an experiment found, in words: the caption and the alt text of its picture.

    >>> import miaedu as mia
    >>> print(mia.describe(mia.run(mia.Experiment(n_shadows=4))))  # doctest: +ELLIPSIS
    With 4 shadow models, the shadow attack reaches AUC 0.... (95 % interval 0.... to 0....) ...

    `results` is a :class:`Result`, or several of them, repetitions of one experiment: then the spread is given in place of the interval.
    """
    results = results if isinstance(results, (list, tuple)) else [results]
    e, reports = results[0].experiment, [result.report for result in results]
    shadows = f"With {e.n_shadows} shadow model{'s' * (e.n_shadows > 1)}, the" if e.attack != "gap" else "The"
    if len(results) == 1:
        low, high = reports[0].interval("auc")
        spread = f"95 % interval {low:.2f} to {high:.2f}"
    else:
        low, high = min(r.auc for r in reports), max(r.auc for r in reports)
        spread = f"{low:.2f} to {high:.2f} over {len(reports)} repetitions"
    return (
        f"{shadows} {e.attack} attack reaches AUC {_mean(reports, 'auc'):.2f} ({spread}) and advantage {_mean(reports, 'advantage'):.2f}; "
        f"the gap attack's advantage is {_mean(reports, 'gap_advantage'):.2f}. Of 100 members it names {100 * _mean(reports, 'recall'):.0f}, "
        f"of 100 non-members {100 * _mean(reports, 'fpr'):.0f}. The target is right on {_mean(reports, 'train_accuracy'):.0%} of its members "
        f"and on {_mean(reports, 'test_accuracy'):.0%} of the non-members."
    )


def _mean(reports, name):
    return float(np.mean([getattr(report, name) for report in reports]))


def plot_roc(reports, ax=None, *, log=False):
    """Draw the ROC curve of one or several :class:`Report`\\ s, with chance and, as a dot, the gap attack; returns the Axes.

    >>> import miaedu as mia
    >>> report = mia.run(mia.Experiment(n_shadows=4)).report
    >>> ax = mia.plot_roc(report, log=True)
    >>> ax.get_xscale(), ax.get_xlabel()
    ('log', 'false alarms: share of non-members called members (FPR)')

    With `log` both axes are logarithmic, which shows the few records that are surely recognised; the vertical line at 1 / n then marks the
    smallest FPR that n non-members can show. Source of the advice: Carlini et al. 2022, section III.
    """
    reports = reports if isinstance(reports, (list, tuple)) else [reports]
    with mpl.rc_context(STYLE):
        ax = new_axes() if ax is None else ax
        floor = 1 / max((~report.members).sum() for report in reports)
        roc_background(ax, floor if log else None)
        for i, report in enumerate(reports):
            fpr, tpr = report.roc()
            low, high = report.interval("auc")
            label = f"{report.name}: AUC {report.auc:.2f} ({low:.2f} to {high:.2f})"
            ax.plot(fpr, tpr, color=COLOURS[i % 5], linestyle=LINES[i % 5], lw=2, drawstyle="steps-post" if log else "default", label=label)
        first = reports[0]  # the gap attack says "member" where the target is right: its rates are the target's accuracies
        ax.plot([first.test_accuracy], [first.train_accuracy], "o", color=BASELINE, label="gap attack")
        ax.legend(loc="lower right" if not log else "upper left")
    return ax


def roc_background(ax, floor=None):
    """Axes, labels and the line of chance; logarithmic from `floor`, the smallest FPR that can be seen, if one is given."""
    ax.set(xlabel="false alarms: share of non-members called members (FPR)", ylabel="hits: share of members (TPR)")
    grid = np.array([0, 1]) if floor is None else np.geomspace(floor / 2, 1, 50)
    ax.plot(grid, grid, color=BASELINE, lw=1, linestyle=":", label="chance")
    if floor is None:
        ax.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), aspect="equal")
    else:
        ax.set(xscale="log", yscale="log", xlim=(floor / 2, 1.05), ylim=(floor / 2, 1.05))
        ax.axvline(floor, color=BASELINE, lw=1, linestyle="--", label=f"smallest visible FPR, 1/{round(1 / floor)}")


def new_axes(width=5.2, height=4.6):
    """Axes on a white figure that no notebook shows twice: in a notebook the figure is shown when a cell ends with the Axes."""
    import matplotlib.pyplot as plt

    return plt.figure(figsize=(width, height), layout="constrained").add_subplot()
