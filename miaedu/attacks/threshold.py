"""ThresholdAttack: flag from a confidence in the true class on."""

from .contract import Attack, true_class_confidence


class ThresholdAttack(Attack):
    """Flag a record when the confidence in its true class is high enough; the threshold comes from
    the shadow models.

    >>> import miaedu as mia
    >>> world = mia.split(mia.load_purchases(random_state=0), n_members=500, random_state=0)
    >>> api = mia.BlackBox(mia.MLP(random_state=0).fit(*world.members))
    >>> shadows = mia.ShadowModels(mia.MLP(), n_models=2, random_state=1).fit(*world.pool)
    >>> bool(mia.ThresholdAttack().fit(shadows).score(api, *world.members).max() <= 1)
    True

    The same as a threshold on the log loss. It gives scores, and so an AUC, without shadow models
    too: before ``fit``, ``threshold_`` is None. Source: Yeom et al. 2018, section 3.3.
    """

    threshold_ = None

    def _learn(self, shadows, confidences, saw):
        return true_class_confidence(confidences, shadows.y, shadows.classes_)

    def _score(self, answers):
        return true_class_confidence(answers.confidences, answers.y, answers.classes)
