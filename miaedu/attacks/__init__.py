"""The attacks, a file each. Each learns from shadow models, whose members are known, and then
scores records against a black box.

All share the shape of :class:`~miaedu.attacks.contract.Attack`: ``attack.fit(shadows, hide=())``,
adaptive when it is given the target's own hiding functions; ``attack.score(black_box, X, y)``,
higher for a likelier member; and ``attack.threshold_``, learned from the shadow models alone.
"""

from .calibrated import CalibratedAttack
from .contract import (
    Answers,
    Attack,
    best_threshold,
    check_learned,
    sizes_that_differ,
    true_class_confidence,
)
from .gap import GapAttack
from .label_only import LabelOnlyAttack
from .lira import LiRA
from .rmia import RMIA
from .shadow import ShadowAttack, features
from .threshold import ThresholdAttack

# The attacks by the name that an Experiment gives them; each list of attacks elsewhere is this one.
ATTACKS = {
    "shadow": ShadowAttack,
    "threshold": ThresholdAttack,
    "label_only": LabelOnlyAttack,
    "calibrated": CalibratedAttack,
    "lira": LiRA,
    "rmia": RMIA,
    "gap": GapAttack,
}
