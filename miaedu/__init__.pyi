from .attacks import (
    CalibratedAttack as CalibratedAttack,
    GapAttack as GapAttack,
    LabelOnlyAttack as LabelOnlyAttack,
    LiRA as LiRA,
    RMIA as RMIA,
    ShadowAttack as ShadowAttack,
    ThresholdAttack as ThresholdAttack,
)
from .blackbox import BlackBox as BlackBox
from .canary import CanaryAudit as CanaryAudit, canary_audit as canary_audit
from .data import (
    load_census as load_census,
    load_clinic as load_clinic,
    load_digits as load_digits,
    load_purchases as load_purchases,
    load_tumours as load_tumours,
)
from .dataset import Dataset as Dataset, World as World, split as split
from .environment import check_environment as check_environment
from .exercises import check as check, hint as hint, solution as solution
from .experiment import Experiment as Experiment, Result as Result, run as run, sweep as sweep
from .explorers import (
    Explorer as Explorer,
    base_rate as base_rate,
    confidence_hiding as confidence_hiding,
    control_room as control_room,
    dp_noise as dp_noise,
    overfitting as overfitting,
    save_page as save_page,
    shadow_count as shadow_count,
    threshold as threshold,
)
from .hiding import (
    labels_only as labels_only,
    noisy as noisy,
    rounded as rounded,
    softened as softened,
    top_k as top_k,
)
from .metrics import Report as Report, evaluate as evaluate
from .network import MLP as MLP, Networks as Networks
from .plots import (
    alt_text as alt_text,
    mark_guess as mark_guess,
    plot_ceiling as plot_ceiling,
    plot_frontier as plot_frontier,
    plot_roc as plot_roc,
)
from .privacy import (
    epsilon as epsilon,
    max_advantage as max_advantage,
    max_auc as max_auc,
    noise_for as noise_for,
    roc_ceiling as roc_ceiling,
)
from .shadow import ShadowModels as ShadowModels
from .synthesis import label_by_querying as label_by_querying
from .words import describe as describe
