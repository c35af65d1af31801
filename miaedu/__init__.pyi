from .attacks import (
    RMIA as RMIA,
)
from .attacks import (
    CalibratedAttack as CalibratedAttack,
)
from .attacks import (
    GapAttack as GapAttack,
)
from .attacks import (
    LabelOnlyAttack as LabelOnlyAttack,
)
from .attacks import (
    LiRA as LiRA,
)
from .attacks import (
    ShadowAttack as ShadowAttack,
)
from .attacks import (
    ThresholdAttack as ThresholdAttack,
)
from .blackbox import BlackBox as BlackBox
from .canary import CanaryAudit as CanaryAudit
from .canary import canary_audit as canary_audit
from .data import (
    load_census as load_census,
)
from .data import (
    load_clinic as load_clinic,
)
from .data import (
    load_digits as load_digits,
)
from .data import (
    load_purchases as load_purchases,
)
from .data import (
    load_tumours as load_tumours,
)
from .dataset import Dataset as Dataset
from .dataset import World as World
from .dataset import split as split
from .environment import check_environment as check_environment
from .exercises import check as check
from .exercises import hint as hint
from .exercises import solution as solution
from .experiment import Experiment as Experiment
from .experiment import Result as Result
from .experiment import run as run
from .experiment import sweep as sweep
from .explorers import (
    Explorer as Explorer,
)
from .explorers import (
    base_rate as base_rate,
)
from .explorers import (
    confidence_hiding as confidence_hiding,
)
from .explorers import (
    control_room as control_room,
)
from .explorers import (
    dp_noise as dp_noise,
)
from .explorers import (
    overfitting as overfitting,
)
from .explorers import (
    save_page as save_page,
)
from .explorers import (
    shadow_count as shadow_count,
)
from .explorers import (
    threshold as threshold,
)
from .hiding import (
    labels_only as labels_only,
)
from .hiding import (
    noisy as noisy,
)
from .hiding import (
    rounded as rounded,
)
from .hiding import (
    softened as softened,
)
from .hiding import (
    top_k as top_k,
)
from .metrics import Report as Report
from .metrics import evaluate as evaluate
from .network import MLP as MLP
from .network import Networks as Networks
from .plots import (
    alt_text as alt_text,
)
from .plots import (
    mark_guess as mark_guess,
)
from .plots import (
    plot_ceiling as plot_ceiling,
)
from .plots import (
    plot_frontier as plot_frontier,
)
from .plots import (
    plot_roc as plot_roc,
)
from .privacy import (
    epsilon as epsilon,
)
from .privacy import (
    max_advantage as max_advantage,
)
from .privacy import (
    max_auc as max_auc,
)
from .privacy import (
    noise_for as noise_for,
)
from .privacy import (
    roc_ceiling as roc_ceiling,
)
from .shadow import ShadowModels as ShadowModels
from .synthesis import label_by_querying as label_by_querying
from .words import describe as describe
