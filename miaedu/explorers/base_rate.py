"""Base rate: what is a positive worth where members are rare?"""

import numpy as np

from ..experiment import Experiment
from ..plots import ATTACK, MEMBER, NONMEMBER
from ..words import flagged
from .controls import slider
from .explorer import Explorer
from .figure import LiveFigure
from .machine import affordable
from .panels import NOW, below

RARITIES = (1000, 500, 200, 100, 50, 20, 10, 5, 2)  # members are 1 in so many, as on the axis
ALARMS = ("as learned", 20, 10, 5, 2, 1)
CROWD = 400  # so many that one member among them shows at the rarest
PLACES = np.array([np.arange(CROWD) % 20, 19 - np.arange(CROWD) // 20])


def base_rate():
    """The explorer of notebook 01: what is a positive worth where members are rare?

    >>> import miaedu as mia
    >>> explorer = mia.base_rate()
    >>> explorer.controls["share"].value = 0.001
    >>> "1 in 1,000" in explorer.words
    True

    The hits and false alarms are measured on the clinic's records, then carried over to the share
    of members chosen. Returns an :class:`Explorer`.
    """
    shares = [(f"1 in {n:,}", 1 / n) for n in RARITIES]
    controls = {
        "share": slider("members", shares, 1 / 2),
        "alarms": slider("false alarms allowed of 100", ALARMS, "as learned"),
    }
    n_shadows = affordable((1, 2, 4), 4)

    def experiments(share, alarms):
        return [Experiment(data="clinic", n_members=1000, epochs=32, n_shadows=n_shadows)]

    return Explorer(controls, experiments, BaseRateFigure(), words)


def words(results, values):
    """What a positive is worth."""
    fpr, tpr = base_rate_rates(results[0].adaptive, values["alarms"])
    worth = positives_worth(tpr, fpr, values["share"])
    return (
        f"{flagged(tpr, fpr)} Where 1 in {round(1 / values['share']):,} is a member, about "
        f"{100 * worth:.1f} of 100 records it flags are members; the others are false alarms."
    )


def base_rate_rates(report, alarms):
    """False alarms and hits, as shares: at the learned threshold, or at the strictest that allows
    `alarms` per 100."""
    if alarms == "as learned":
        return report.fpr, report.recall
    return alarms / 100, report.rates_within(alarms / 100)[1]


def positives_worth(tpr, fpr, share):
    """The share of members among positives, where a `share` of the records asked about are members
    (Bayes' rule).

    >>> round(positives_worth(0.6, 0.4, 0.001), 4)
    0.0015
    """
    return share * tpr / (share * tpr + (1 - share) * fpr)


class BaseRateFigure(LiveFigure):
    """Left: records that the attack flags. Right: how many are members, for every share of
    members."""

    def build(self, crowd, curve):
        crowd.set_title(f"{CROWD} records that the attack flags")
        crowd.set(xlim=(-0.7, 19.7), ylim=(-0.7, 19.7), aspect="equal", xticks=[], yticks=[])
        crowd.spines[:].set_visible(False)
        # all are drawn as false alarms, and the members over them
        crowd.plot(*PLACES, "x", color=NONMEMBER, ms=5.5, mew=1.5, label="a false alarm")
        over = {"ms": 10, "mec": "white", "mew": 1, "clip_on": False}
        self.members = self.curve(crowd, "o", MEMBER, label="a member", **over)
        below(crowd, 0.02)
        curve.set_title("What a positive is worth")
        curve.set(xscale="log", xlim=(8e-4, 0.6), xlabel="share of members among those asked about")
        curve.set(ylim=(0, 102), ylabel="members among 100 positives")
        ticks = 1000, 100, 10, 2
        curve.set_xticks([1 / n for n in ticks], [f"1 in {n:,}" for n in ticks])
        curve.minorticks_off()
        curve.grid(axis="y", color="#dddddd")
        self.shares = np.geomspace(8e-4, 0.5, 200)
        self.worth = self.curve(curve, "-", ATTACK, lw=2, label="_worth")
        self.here = self.curve(curve, "D", **NOW)

    def update(self, results, values):
        """Show what the attack's positives are worth at the share of members that the slider
        gives."""
        fpr, tpr = base_rate_rates(results[0].adaptive, values["alarms"])
        worth = positives_worth(tpr, fpr, values["share"])
        self.members.set_data(*PLACES[:, : round(CROWD * worth)])
        self.worth.set_data(self.shares, 100 * positives_worth(tpr, fpr, self.shares))
        self.here.set_data([values["share"]], [100 * worth])
