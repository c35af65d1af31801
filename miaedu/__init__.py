"""miaedu: membership inference attacks, taught with real attacks that run while you drag a slider.

The public names are listed in ``__all__``; each is imported when it is first used, so that ``import
miaedu`` is quick and needs neither matplotlib nor ipywidgets.
"""

from importlib import import_module

__version__ = "0.1.0"

_HOME = {
    "data": ["load_census", "load_clinic", "load_digits", "load_purchases", "load_tumours"],
    "dataset": ["Dataset", "World", "split"],
    "privacy": [
        "Audit",
        "audit",
        "epsilon",
        "max_advantage",
        "max_auc",
        "noise_for",
        "roc_ceiling",
    ],
    "network": ["MLP", "Networks"],
    "countermeasures": ["BlackBox", "labels_only", "noisy", "rounded", "softened", "top_k"],
    "shadow": ["ShadowModels"],
    "attacks": ["GapAttack", "LabelOnlyAttack", "ShadowAttack", "ThresholdAttack"],
    "synthesis": ["label_by_querying"],
    "metrics": ["Report", "evaluate"],
    "experiment": ["Experiment", "Result", "run", "sweep"],
    "environment": ["check_environment"],
    "exercises": ["check", "hint", "solution"],
    "plots": ["alt_text", "describe", "mark_guess", "plot_ceiling", "plot_frontier", "plot_roc"],
    "widgets": ["Explorer"],
    "explorers": [
        "base_rate",
        "confidence_hiding",
        "control_room",
        "dp_noise",
        "overfitting",
        "shadow_count",
        "threshold",
    ],
    "page": ["save_page"],
}
_MODULE = {name: module for module, names in _HOME.items() for name in names}
__all__ = sorted(_MODULE)


def __getattr__(name):
    if name in _MODULE:
        return getattr(import_module(f"miaedu.{_MODULE[name]}"), name)
    raise AttributeError(
        f"module 'miaedu' has no attribute {name!r}; its names are {', '.join(__all__)}"
    )


def __dir__():
    return sorted({*globals(), *__all__})
