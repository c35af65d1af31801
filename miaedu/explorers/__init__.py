"""The explorers, a file each: its controls, its experiments, its figure and its words. Beside them
are the parts that they share."""

from .base_rate import base_rate
from .confidence_hiding import confidence_hiding
from .control_room import control_room
from .dp_noise import dp_noise
from .explorer import Explorer as Explorer
from .falsely_accused import falsely_accused
from .low_fpr import low_fpr
from .one_record import one_record
from .overfitting import overfitting
from .page import save_page as save_page
from .shadow_count import shadow_count
from .threshold import threshold

# The explorers in the order of the course; each list of explorers elsewhere is this one.
EXPLORERS = [
    overfitting,
    base_rate,
    falsely_accused,
    threshold,
    shadow_count,
    confidence_hiding,
    dp_noise,
    control_room,
    low_fpr,
    one_record,
]
