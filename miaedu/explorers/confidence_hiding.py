"""Confidence hiding: what does it help to hide the confidences?"""

from dataclasses import replace

from ..experiment import Experiment
from ..plots import ATTACK, BASELINE
from .attackers import CALIBRATED, ENOUGH, OF_2017, numbers
from .controls import roc_axes, slider, tick
from .explorer import Explorer
from .figure import LiveFigure
from .machine import affordable
from .panels import RocPanel, axes_in_words, below


def confidence_hiding():
    """The explorer of notebook 04's first half: what does it help to hide the confidences? No
    network is trained again.

    >>> import miaedu as mia
    >>> explorer = mia.confidence_hiding()
    >>> explorer.controls["labels_only"].value = True
    >>> explorer.results[0].experiment.hide
    ('labels_only',)

    The functions are applied in the order of the controls. The calibrated attack judges them, and
    the attack of 2017 beside it: adapted, both ask as often as the control says about each record,
    and average the answers. Returns an :class:`Explorer`.
    """
    controls = {
        "top_k": slider("top k", ["off", 5, 3, 2, 1], "off"),
        "rounded": slider("decimals", ["off", 3, 2, 1, 0], "off"),
        "softened": slider("temperature", ["off", 2.0, 5.0, 20.0], "off"),
        "noisy": slider("noise (scale)", ["off", 0.01, 0.03, 0.1, 0.3], "off"),
        "labels_only": tick("labels only"),
        "n_queries": slider("queries a record", [1, 4, 16], 1),
        "axes": roc_axes(),
    }
    n_shadows = affordable((1, 2, 4), 4)

    def experiments(labels_only, n_queries, axes, **numbers):
        hide = tuple((name, value) for name, value in numbers.items() if value != "off")
        hide += ("labels_only",) * labels_only
        plain = Experiment(hidden=32, n_shadows=n_shadows, n_nonmembers=ENOUGH)
        hiding = replace(plain, hide=hide, n_queries=n_queries if hide else 1)
        return [
            replace(e, attack=attacker.attack)
            for e in (hiding, plain)
            for attacker in (CALIBRATED, OF_2017)
        ]

    figure = HidingFigure()
    return Explorer(controls, experiments, figure, words, numbers, more=["n_queries", "axes"])


def words(results, values):
    """The advantage of each attacker, and the accuracy that is left to customers."""
    now = results[0].adaptive
    attackers = []
    for result, attacker in zip(results, (CALIBRATED, OF_2017), strict=False):
        found = f"{attacker.words} {result.adaptive.advantage:z.2f}"
        if result.experiment.hide:
            found += f" ({result.naive.advantage:z.2f} if it does not adapt to the hiding)"
        attackers.append(found)
    queries = results[0].experiment.n_queries
    often = f" Adapted, they average {queries} answers about each record." * (queries > 1)
    return (
        f"The target is right on {now.test_accuracy:.0%} of new records. Advantage: "
        f"{', '.join(attackers)}, the gap attack {now.gap_advantage:z.2f}.{often}"
        f"{axes_in_words(values)}"
    )


class HidingFigure(LiveFigure):
    """Left: the ROC curves of both attacks, and of the one of 2017 where it does not adapt. Right:
    what hiding costs and buys."""

    ROWS = (
        "target's accuracy\non new records",
        "advantage of the\ngap attack",
        "attack of 2017,\nnot adapted",
        "attack of 2017,\nadapted",
        "calibrated attack,\nadapted",
    )

    def build(self, roc, cost):
        styles = (
            ("-", ATTACK, "calibrated, adapted"),
            ("--", "black", "of 2017, adapted"),
            (":", "black", "of 2017, not adapted"),
        )
        self.roc = RocPanel(self, roc, "ROC curves of both attacks", *styles)
        cost.set_title("What hiding costs and buys")
        cost.set(xlim=(-0.12, 1), ylim=(-0.6, 4.6), xlabel="share, from 0 to 1")
        cost.set_yticks(range(5), self.ROWS)
        cost.grid(axis="x", color="#dddddd")
        self.plain = self.curve(
            cost, "o", BASELINE, ms=10, mfc="none", mew=1.5, label="without hiding"
        )
        self.now = self.curve(cost, "D", "black", ms=8, label="now")
        below(cost)

    def update(self, results, values):
        """Show the Results with hiding, of the calibrated attack and of that of 2017, beside the
        two without (all but the first may come later)."""
        now = results[:2]
        curves = [report.roc() for report in (*(r.adaptive for r in now), now[-1].naive)]
        self.roc.show([now[0].adaptive], *curves[: 1 + 2 * (len(now) > 1)], axes=values["axes"])
        for markers, pair in zip((self.now, self.plain), (now, results[2:]), strict=True):
            shares = _shares(*pair) if len(pair) == 2 else []
            markers.set_data(shares, range(len(shares)))


def _shares(calibrated, of_2017):
    """The rows of the right panel, from the Results of both attacks."""
    report = calibrated.adaptive
    return [
        report.test_accuracy,
        report.gap_advantage,
        of_2017.naive.advantage,
        of_2017.adaptive.advantage,
        report.advantage,
    ]
