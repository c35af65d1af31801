"""Differentially private training: the noise, and the ceiling that it proves."""

from dataclasses import replace

import numpy as np

from ..experiment import Experiment
from ..plots import ATTACK, BASELINE, CEILING, NONMEMBER
from ..privacy import max_advantage, roc_ceiling
from .attackers import CALIBRATED, ENOUGH, OF_2017, numbers
from .controls import roc_axes, slider
from .explorer import Explorer
from .figure import LiveFigure
from .machine import affordable
from .panels import CeilingPanel, axes_in_words, below, draw_tried

# from most noise to none, as on the axis
NOISE = [
    *((f"{z:g}", z) for z in (16.0, 8.0, 4.0, 2.0, 1.0, 0.5)),
    ("clipping only", 0.0),
    ("off", "off"),
]
GRID = np.append(0, np.geomspace(1e-4, 1, 300))  # fine enough for logarithmic axes


def dp_noise():
    """The explorer of notebook 04's second half: differentially private training, and the ceiling
    that it proves.

    >>> import miaedu as mia
    >>> explorer = mia.dp_noise()
    >>> explorer.controls["noise_multiplier"].value = 8.0
    >>> round(explorer.results[0].mu, 2)
    0.97

    The last positions are training with clipped gradients but no noise, and ordinary full-batch
    training. The calibrated attack judges them, and the attack of 2017 beside it. Returns an
    :class:`Explorer`.
    """
    controls = {"noise_multiplier": slider("noise multiplier", NOISE, 2.0), "axes": roc_axes()}
    n_shadows = affordable((1, 2, 4, 8, 16), 16)

    def experiments(noise_multiplier, axes):
        size = {"n_shadows": n_shadows, "n_nonmembers": ENOUGH}
        plain = Experiment(hidden=32, epochs=60, batch_size=None, **size)
        return both_attacks(private(plain, noise_multiplier))

    return Explorer(controls, experiments, NoiseFigure(NOISE), words, numbers)


def both_attacks(experiment):
    """The experiment with the strongest attack of the attacker's view, and with that of 2017."""
    return [replace(experiment, attack=attacker.attack) for attacker in (CALIBRATED, OF_2017)]


def private(experiment, noise_multiplier):
    """The experiment with this noise on clipped gradients, or as it is where the noise is "off"."""
    if noise_multiplier == "off":
        return experiment
    return replace(experiment, clip=1.0, noise_multiplier=noise_multiplier)


def ceiling(result):
    """The proven ceiling as a pair of FPRs and TPRs; None where nothing is proven."""
    return (GRID, roc_ceiling(GRID, result.mu)) if np.isfinite(result.mu) else None


def words(results, values):
    """Accuracy, advantages, and what is proven of them."""
    result = results[0]
    report, e = result.adaptive, result.experiment
    noise = {None: "Without noise", 0.0: "With clipping only"}.get(
        e.noise_multiplier if e.clip else None, f"With noise {e.noise_multiplier:g}"
    )
    return (
        f"{noise} the target is right on {report.test_accuracy:.0%} of new records. "
        f"{advantages(results)} {proven(result)}{axes_in_words(values)}"
    )


def proven(result):
    """What mu proves of the advantage of any attack."""
    if not np.isfinite(result.mu):
        return "Nothing is proven of other attacks."
    return (
        f"Proven ceiling at mu {result.mu:.2f}: an advantage of {max_advantage(result.mu):.2f}, "
        "pooled over retrained targets."
    )


def advantages(results):
    """The advantages of both attacks, as far as they are there, and of the gap attack."""
    attackers = zip((CALIBRATED, OF_2017), results, strict=False)
    found = [f"{who.words} {result.adaptive.advantage:z.2f}" for who, result in attackers]
    return (
        f"Advantage: {', '.join(found)}, the gap attack {results[0].adaptive.gap_advantage:z.2f}."
    )


class NoiseFigure(LiveFigure):
    """Left: the measured ROC under the proven ceiling. Right: what every noise tried so far costs
    and buys."""

    def __init__(self, positions):
        self.positions = positions
        super().__init__()

    def build(self, roc, trend):
        styles = ("-", ATTACK, "calibrated"), (":", "black", "of 2017")
        ceiling = "--", CEILING, "proven ceiling"
        self.roc = CeilingPanel(
            self, roc, "Both attacks under the proven ceiling", *styles, ceiling
        )
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
            ("o-", ATTACK, "advantage: calibrated"),
            ("^:", "black", "advantage: of 2017"),
            ("v--", CEILING, "proven ceiling"),
            ("x:", BASELINE, "advantage: gap attack"),
        )
        self.trends = [
            self.curve(trend, style, colour, ms=5, label=label) for style, colour, label in styles
        ]
        self.here = self.move(trend.axvline(0, color="#999999", lw=1, label="_now"))
        below(trend, 0.25)

    def update(self, results, values):
        """Show the curves of both Results under the ceiling, and remember their figures."""
        result, reports = results[0], [result.adaptive for result in results]
        e, report = result.experiment, result.adaptive
        self.roc.show(reports, ceiling(result), values["axes"])
        noise = "off" if e.clip is None else e.noise_multiplier
        place = [value for _, value in self.positions].index(noise)
        self.tried[place] = (
            report.test_accuracy,
            report.advantage,
            reports[-1].advantage if len(reports) > 1 else np.nan,
            max_advantage(result.mu),
            report.gap_advantage,
        )
        draw_tried(self.trends, self.tried)
        self.here.set_xdata([place, place])
