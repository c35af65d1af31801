"""Differentially private training: the noise, and the ceiling that it proves."""

from dataclasses import replace

import numpy as np

from ..experiment import Experiment
from ..plots import ATTACK, BASELINE, CEILING, NONMEMBER
from ..privacy import max_advantage, roc_ceiling
from .controls import slider
from .explorer import Explorer
from .figure import LiveFigure
from .machine import affordable
from .panels import CeilingPanel, below, draw_tried

# from most noise to none, as on the axis
NOISE = [
    *((f"{z:g}", z) for z in (16.0, 8.0, 4.0, 2.0, 1.0, 0.5)),
    ("clipping only", 0.0),
    ("off", "off"),
]
GRID = np.linspace(0, 1, 300)


def dp_noise():
    """The explorer of notebook 04's second half: differentially private training, and the ceiling
    that it proves.

    >>> import miaedu as mia
    >>> explorer = mia.dp_noise()
    >>> explorer.controls["noise_multiplier"].value = 8.0
    >>> round(explorer.results[0].mu, 2)
    0.97

    The last positions are training with clipped gradients but no noise, and ordinary full-batch
    training. Returns an :class:`Explorer`.
    """
    controls = {"noise_multiplier": slider("noise multiplier", NOISE, 2.0)}
    n_shadows = affordable((1, 2, 4, 8, 16), 16)

    def experiments(noise_multiplier):
        plain = Experiment(hidden=32, epochs=60, batch_size=None, n_shadows=n_shadows)
        return [private(plain, noise_multiplier)]

    return Explorer(controls, experiments, NoiseFigure(NOISE), words)


def private(experiment, noise_multiplier):
    """The experiment with this noise on clipped gradients, or as it is where the noise is "off"."""
    if noise_multiplier == "off":
        return experiment
    return replace(experiment, clip=1.0, noise_multiplier=noise_multiplier)


def ceiling(result):
    """The proven ceiling as a pair of FPRs and TPRs; None where nothing is proven."""
    return (GRID, roc_ceiling(GRID, result.mu)) if np.isfinite(result.mu) else None


def words(results, values):
    """Accuracy, advantage, and what is proven of it."""
    result = results[0]
    report, e = result.adaptive, result.experiment
    noise = {None: "Without noise", 0.0: "With clipping only"}.get(
        e.noise_multiplier if e.clip else None, f"With noise {e.noise_multiplier:g}"
    )
    proven = (
        f"It is proven that none has more than {max_advantage(result.mu):.2f} on average."
        if np.isfinite(result.mu)
        else "Nothing is proven of other attacks."
    )
    return (
        f"{noise} the target is right on {report.test_accuracy:.0%} of new records. The attack's "
        f"advantage is {report.advantage:z.2f}, the gap attack's {report.gap_advantage:z.2f}. "
        f"{proven}"
    )


class NoiseFigure(LiveFigure):
    """Left: the measured ROC under the proven ceiling. Right: what every noise tried so far costs
    and buys."""

    def __init__(self, positions):
        self.positions, self.tried = positions, {}
        super().__init__()

    def build(self, roc, trend):
        styles = ("-", ATTACK, "this target"), ("--", CEILING, "ceiling, on average")
        self.roc = CeilingPanel(self, roc, "The attack under the proven ceiling", *styles)
        trend.set_title("What the noise costs and buys")
        trend.set(xlim=(-0.5, len(self.positions) - 0.5), xlabel="noise multiplier")
        trend.set(ylim=(-0.1, 1.05), ylabel="share, from 0 to 1")
        trend.set_xticks(
            range(len(self.positions)),
            [label.replace("clipping", "clip").replace(" ", "\n") for label, _ in self.positions],
        )
        trend.grid(axis="y", color="#dddddd")
        styles = (
            ("s-", NONMEMBER, "target's accuracy"),
            ("o-", ATTACK, "attack's advantage"),
            ("v--", CEILING, "proven limit to it"),
            ("x:", BASELINE, "gap attack's"),
        )
        self.trends = [
            self.curve(trend, style, colour, ms=5, label=label) for style, colour, label in styles
        ]
        self.here = self.move(trend.axvline(0, color="#999999", lw=1, label="_now"))
        below(trend, 0.25)

    def update(self, results, values):
        """Show this Result's curve and ceiling, and remember its figures."""
        result = results[0]
        e, report = result.experiment, result.adaptive
        self.roc.show(report, ceiling(result))
        noise = "off" if e.clip is None else e.noise_multiplier
        place = [value for _, value in self.positions].index(noise)
        self.tried[place] = (
            report.test_accuracy,
            report.advantage,
            max_advantage(result.mu),
            report.gap_advantage,
        )
        draw_tried(self.trends, self.tried)
        self.here.set_xdata([place, place])
