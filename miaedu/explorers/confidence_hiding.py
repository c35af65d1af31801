"""Confidence hiding: what does it help to hide the confidences?"""

from dataclasses import replace

from ..experiment import Experiment
from ..plots import ATTACK, BASELINE
from ..words import describe
from .controls import slider, tick
from .explorer import Explorer
from .figure import LiveFigure
from .machine import affordable
from .panels import RocPanel, below


def confidence_hiding():
    """The explorer of notebook 04's first half: what does it help to hide the confidences? No
    network is trained again.

    >>> import miaedu as mia
    >>> explorer = mia.confidence_hiding()
    >>> explorer.controls["labels_only"].value = True
    >>> explorer.results[0].experiment.hide
    ('labels_only',)

    The functions are applied in the order of the controls. Returns an :class:`Explorer`.
    """
    controls = {
        "top_k": slider("top k", ["off", 5, 3, 2, 1], "off"),
        "rounded": slider("decimals", ["off", 3, 2, 1, 0], "off"),
        "softened": slider("temperature", ["off", 2.0, 5.0, 20.0], "off"),
        "noisy": slider("noise (scale)", ["off", 0.01, 0.03, 0.1, 0.3], "off"),
        "labels_only": tick("labels only"),
    }
    n_shadows = affordable((1, 2, 4, 8), 8)

    def experiments(labels_only, **numbers):
        hide = tuple((name, value) for name, value in numbers.items() if value != "off")
        plain = Experiment(hidden=32, n_shadows=n_shadows)
        return [replace(plain, hide=hide + ("labels_only",) * labels_only), plain]

    return Explorer(
        controls, experiments, HidingFigure(), words, lambda results: describe(results[0])
    )


def words(results, values):
    """The advantage of each attacker, and the accuracy that is left to customers."""
    now = results[0]
    attackers = [("the gap attack", now.adaptive.gap_advantage)]
    if now.experiment.hide:
        attackers.insert(0, ("the attacker who adapts to the hiding", now.adaptive.advantage))
        attackers.insert(1, ("the one who does not", now.naive.advantage))
    else:
        attackers.insert(0, ("the attacker", now.adaptive.advantage))
    found = ", ".join(f"{name} {advantage:z.2f}" for name, advantage in attackers)
    return (
        f"The target is right on {now.adaptive.test_accuracy:.0%} of new records. Advantage: "
        f"{found}."
    )


class HidingFigure(LiveFigure):
    """Left: the ROC curves of the naive and the adaptive attacker. Right: what hiding costs and
    buys."""

    ROWS = (
        "target's accuracy\non new records",
        *(
            f"advantage of the\n{attacker}"
            for attacker in ("gap attack", "naive attacker", "adaptive attacker")
        ),
    )

    def build(self, roc, cost):
        styles = ("-", ATTACK, "adaptive"), ("--", "black", "naive")
        self.roc = RocPanel(self, roc, "ROC curves of both attackers", *styles)
        cost.set_title("What hiding costs and buys")
        cost.set(xlim=(-0.12, 1), ylim=(-0.6, 3.6), xlabel="share, from 0 to 1")
        cost.set_yticks(range(4), self.ROWS)
        cost.grid(axis="x", color="#dddddd")
        self.plain = self.curve(
            cost, "o", BASELINE, ms=10, mfc="none", mew=1.5, label="without hiding"
        )
        self.now = self.curve(cost, "D", "black", ms=8, label="now")
        below(cost)

    def update(self, results, values):
        """Show the Result with hiding, the first, beside the one without, the second (it may come
        later)."""
        now = results[0]
        self.roc.show([now.adaptive], now.adaptive.roc(), now.naive.roc())
        for markers, r in zip((self.now, self.plain), results, strict=False):
            shares = (
                r.adaptive.test_accuracy,
                r.adaptive.gap_advantage,
                r.naive.advantage,
                r.adaptive.advantage,
            )
            markers.set_data(shares, range(4))
