"""GapAttack: flag whatever the target is right about. The baseline."""

from .contract import Attack


class GapAttack(Attack):
    """Flag a record when the target is right about it: the baseline every other attack has to beat.

    >>> import miaedu as mia
    >>> world = mia.split(mia.load_purchases(random_state=0), n_members=500, random_state=0)
    >>> api = mia.BlackBox(mia.MLP(random_state=0).fit(*world.members))
    >>> float(mia.GapAttack().score(api, *world.members).mean())
    1.0

    Its advantage is the target's train accuracy minus its test accuracy. It needs no shadow models.
    Source: Yeom et al. 2018, section 3.
    """

    needs_shadows = averages = False
    threshold_ = 0.5

    def __init__(self):
        super().__init__()

    def fit(self, shadows=None, hide=()):
        """Nothing to learn: right is member."""
        return self

    def _score(self, answers):
        return answers.right
