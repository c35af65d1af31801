"""What LiRA and RMIA share: they compare the target with shadow models that held the record and
with others that did not, or with the latter alone."""

from .contract import Attack

ENOUGH = 2  # models with each record, and without it


class TwoModes(Attack):
    """An attack that compares a target with shadow models with and without the record (online), or
    with those without it alone (offline).

    All records of one call are judged in one mode, since two kinds of scores have no common order:
    online where every record has at least two shadow models with it and two without, offline
    elsewhere. ``modes_`` holds both, each an attack of its own; ``facing(answers)`` is the one that
    judges. Scores are centred on the learned threshold: ``threshold_`` is 0 in either mode.

    A subclass gives three functions. ``_values(confidences, y, classes)`` is what is compared,
    (..., n). ``_learn_mode(mode, values, members, saw)`` learns from the shadow models' values
    (K, n) and returns their scores, none a part of its own reference. ``_score_mode(mode, values,
    by_shadows, saw)`` scores a target's values (n,).
    """

    def _learn(self, shadows, confidences, saw):
        values = self._values(confidences, shadows.y, shadows.classes_)
        self.modes_ = {name: Mode(self, name) for name in ("online", "offline")}
        for mode in self.modes_.values():
            scores = self._learn_mode(mode, values, shadows.members, saw)
            mode._set_threshold(scores, shadows.members, saw)
            mode.centre_, mode.threshold_, mode.hide = mode.threshold_, 0.0, self.hide
            mode._of_nonmembers -= mode.centre_
        return scores - mode.centre_

    def _set_threshold(self, scores, members, saw):
        self.threshold_, self._of_nonmembers = 0.0, self.modes_["offline"]._of_nonmembers

    def facing(self, answers):
        """The mode that judges these :class:`Answers`, an attack of its own."""
        _, saw = answers.by_shadows(self.shadows_)
        n_in = saw.sum(axis=0)
        online = ((n_in >= ENOUGH) & (len(saw) - n_in >= ENOUGH)).all()
        return self.modes_["online" if online else "offline"]


class Mode(Attack):
    """One mode of an attack that has two, with a threshold of its own."""

    def __init__(self, attack, mode):
        super().__init__(attack.n_queries)
        self.attack, self.mode = attack, mode

    def _score(self, answers):
        told, saw = answers.by_shadows(self.attack.shadows_)
        by_shadows = self.attack._values(
            self._hidden(told), answers.y, self.attack.shadows_.classes_
        )
        values = self.attack._values(answers.confidences, answers.y, answers.classes)
        return self.attack._score_mode(self, values, by_shadows, saw) - self.centre_
