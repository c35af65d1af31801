"""LiRA: how likely is this answer of models with the record, how likely of models without it?"""

import numpy as np

from . import references
from .contract import log_odds
from .modes import TwoModes


class LiRA(TwoModes):
    """A likelihood ratio for each record: normal distributions of the log odds of its true class,
    over the shadow models with it and over those without it.

    >>> import miaedu as mia
    >>> world = mia.split(mia.load_purchases(random_state=0), n_members=500, random_state=0)
    >>> api = mia.BlackBox(mia.MLP(random_state=0).fit(*world.members))
    >>> shadows = mia.ShadowModels(mia.MLP(), n_models=4, random_state=1).fit(*world.pool)
    >>> report = mia.evaluate(mia.LiRA().fit(shadows), api, world)
    >>> report.mode, report.threshold
    ('offline', 0.0)

    Online, a score is the logarithm of the ratio; offline, where the shadow models never held the
    records, it is how many standard deviations the answer lies above those without the record. Both
    are less the threshold that the shadow models teach, so that a record is flagged from 0 on. A
    record's spread is drawn towards that of all records, by four pseudo-counts. Source: Carlini et
    al. 2022, algorithm 1 and section IV-D.
    """

    def _values(self, confidences, y, classes):
        return log_odds(confidences, y, classes)

    def _learn_mode(self, mode, values, members, saw):
        out, mode.out_ = references.of_the_others(values, ~saw)
        if mode.mode == "offline":
            return standardised(values, out)
        inside, mode.in_ = references.of_the_others(values, saw)
        return log_density(values, inside) - log_density(values, out)

    def _score_mode(self, mode, values, by_shadows, saw):
        out = references.of_all(by_shadows, ~saw, mode.out_)
        if mode.mode == "offline":
            return standardised(values, out)
        inside = references.of_all(by_shadows, saw, mode.in_)
        return log_density(values, inside) - log_density(values, out)


def standardised(values, reference):
    """How many standard deviations `values` lie above their reference."""
    return (values - reference.mean) / reference.spread


def log_density(values, reference):
    """The logarithm of a normal density, less one constant."""
    return -0.5 * standardised(values, reference) ** 2 - np.log(reference.spread)
