"""Falsely accused: are they always the same people?"""

import numpy as np

from ..exposure import ManyTargets, expose
from ..plots import ATTACK, BASELINE
from .attackers import MENU
from .controls import menu, slider
from .explorer import Explorer
from .figure import LiveFigure
from .machine import affordable
from .panels import NOW

COUNTS = (64, 128, 256, 512, 1024)
SHADOWS = (1, 2, 4, 8, 16)
TENTH = 10  # of 100 people


def falsely_accused():
    """The second explorer of notebook 01: who is flagged falsely, over many targets?

    >>> import miaedu as mia
    >>> explorer = mia.falsely_accused()
    >>> explorer.controls["attack"].value = "calibrated", "attacker"
    >>> "bear" in explorer.words and "chance would give them 10%" in explorer.words
    True

    Each target learns from a random half of the same 1,000 people. They are ordered on one half of
    the targets, and drawn on the other. All attacks are compared at 1 % false alarms, pooled over
    all targets and people. Returns an :class:`Explorer`.
    """
    controls = {
        "attack": menu("attack", MENU),
        "n_targets": slider("targets", COUNTS, affordable(COUNTS, 256)),
    }
    n_shadows = affordable(SHADOWS, 16)

    def experiments(attack, n_targets):
        settings = {**attack._asdict(), "n_shadows": n_shadows, "n_targets": n_targets}
        return [ManyTargets(hidden=32, **settings)]

    return Explorer(controls, experiments, AccusedFigure(), words, numbers, carry_out=expose)


def words(results, values):
    """What the top tenth bear, and what chance would give them."""
    exposure = results[0]
    people = exposure.members.shape[1]
    tenth = people * TENTH // 100
    borne, by_chance = (
        curve[tenth] for curve in (exposure.share_of_alarms, exposure.share_by_chance)
    )
    never = int((exposure.half(1).flagged_out == 0).sum())
    return (
        f"With {100 * exposure.fpr:.0f} false alarm in 100, {values['attack'].words} flags "
        f"{exposure.tpr:.0%} of the members. The tenth of {people:,} people accused most often in "
        f"one half of the {len(exposure.members):,} targets bear {borne:.0%} of all false alarms "
        f"in the other half; chance would give them {by_chance:.0%}. {never} are never flagged "
        "falsely there."
    )


def numbers(results):
    """How surely people are told, and the most exposed."""
    exposure = results[0]
    people = exposure.members.shape[1]
    rows = exposure.most_exposed(people * TENTH // 100)
    auc, flagged_in, flagged_out = (
        np.mean([row[name] for row in rows]) for name in ("auc", "flagged_in", "flagged_out")
    )
    return (
        f"The target's answer alone tells whether it learned from a person: over the targets, by "
        f"an AUC of {np.median(exposure.auc):.2f} for the person in the middle, and of {auc:.2f} "
        f"for the most exposed tenth, chosen on one half of the targets and judged on the other. "
        f"The attack flags these in {flagged_in:.0%} of the targets with them and in "
        f"{flagged_out:.1%} of those without. On average, targets that learned from a person are "
        f"right about them {100 * exposure.memorisation.mean():.0f} times in 100 more often "
        "(memorisation)."
    )


class AccusedFigure(LiveFigure):
    """Left: what share of the false alarms the first of the people bear. Right: how often ten of
    them at a time are flagged falsely."""

    def build(self, shares, rates):
        shares.set_title("Who bears the false alarms")
        shares.set(xlim=(0, 100), ylim=(0, 101), ylabel="of 100 false alarms")
        self.borne = self.curve(shares, "-", ATTACK, lw=2, label="this attack")
        self.by_chance = self.curve(shares, "--", BASELINE, lw=2, label="chance")
        self.here = self.curve(shares, "D", **NOW | {"label": "the first tenth"})
        shares.legend(loc="lower right")
        rates.set_title("How often they are flagged falsely")
        rates.set(xlim=(0, 20), ylim=(0, 61), ylabel="of 100 targets without them")
        rates.set_xticks(range(0, 21, 5))
        self.each = self.curve(rates, "-", ATTACK, lw=2, label="ten people at a time")
        self.alike = self.curve(rates, "--", BASELINE, lw=2, label="if all were alike")
        rates.legend(loc="upper right")
        shares.set_xlabel("of 100 people, the most often accused first")
        rates.set_xlabel("the first 20 of these 100 people")
        for ax in (shares, rates):
            ax.grid(color="#dddddd")

    def update(self, results, values):
        """Show this Exposure: people ordered on one half of its targets, drawn on the other."""
        exposure = results[0]
        percent = np.linspace(0, 100, exposure.members.shape[1] + 1)
        self.borne.set_data(percent, 100 * exposure.share_of_alarms)
        self.by_chance.set_data(percent, 100 * exposure.share_by_chance)
        tenth = np.searchsorted(percent, TENTH)
        self.here.set_data([percent[tenth]], [100 * exposure.share_of_alarms[tenth]])
        rates = 100 * exposure.half(1).flagged_out[exposure.accused]
        tens = rates.reshape(-1, 10).mean(axis=1)
        self.each.set_data(np.linspace(0, 100, len(tens) + 1).repeat(2)[1:-1], tens.repeat(2))
        self.alike.set_data([0, 100], [100 * exposure.fpr] * 2)
