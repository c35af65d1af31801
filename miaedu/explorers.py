"""The explorers of the course: the controls of each, the experiments they stand for, and the words
for a finding."""

from dataclasses import replace

from .experiment import Experiment
from .figures import (
    BaseRateFigure,
    ConfidencePanel,
    ControlFigure,
    HidingFigure,
    NoiseFigure,
    OverfittingFigure,
    PeoplePanel,
    ShadowCountFigure,
    ThresholdFigure,
)
from .metrics import base_rate_rates, positives_worth, rates_at
from .words import describe
from .widgets import Explorer, affordable, menu, slider, tick

EPOCHS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)
PRIVATE_EPOCHS = (5, 10, 20, 30, 40, 60)
SHADOWS = (1, 2, 4, 8, 16, 32)
NOISE = [
    ("off", "off"),
    ("clipping only", 0.0),
    *((f"{z:g}", z) for z in (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)),
]


def named(fpr, tpr, attack="attack"):
    """Hits and false alarms in words."""
    return f"Of 100 members the {attack} names {100 * tpr:.0f}, of 100 non-members {100 * fpr:.0f}"


def overfitting(more=True):
    """The explorer of notebook 02, and with ``more=False`` of 00: the longer a model learns, the
    more it gives away.

    >>> import miaedu as mia
    >>> explorer = mia.overfitting(more=False)
    >>> explorer.controls["epochs"].value = 32
    >>> explorer.words.startswith("After 32 epochs")
    True

    One training run serves all epochs. With `more`, network size and number of records can be
    changed too, and confidences are shown in place of people. Returns an :class:`Explorer`.
    """
    controls, n_shadows = {"epochs": slider("epochs", EPOCHS, 4)}, affordable(SHADOWS, 4)
    if more:
        controls |= {
            "hidden": slider("hidden units", (8, 16, 32, 64, 128), 32),
            "n_members": slider("members", (100, 200, 300, 500, 1000), 500),
        }

    def experiments(**values):
        return [
            Experiment(
                **({"hidden": 32} | values),
                snapshots=EPOCHS,
                n_shadows=n_shadows,
                attack="threshold",
            )
        ]

    def words(results, values):
        report = results[0].adaptive
        line = (
            f': it says "member" from a confidence of {report.threshold:.2f} on, a line drawn on shadow models'
            if more
            else ""
        )
        return (
            f"After {values['epochs']} epoch{'s' * (values['epochs'] > 1)} the target is right on "
            f"{report.train_accuracy:.0%} of its members and on {report.test_accuracy:.0%} of the "
            f"non-members. {named(report.fpr, report.recall)}{line}."
        )

    figure = OverfittingFigure(EPOCHS, ConfidencePanel if more else PeoplePanel)
    return Explorer(controls, experiments, figure, words, more=list(controls)[1:])


def threshold():
    """The explorer of notebook 02: drag the line between member and non-member, and see the ROC
    curve it draws.

    >>> import miaedu as mia
    >>> explorer = mia.threshold()
    >>> explorer.controls["threshold"].value = 0.0
    >>> explorer.words.startswith('From a confidence of 0.00 on, 100 of 100 members and 100 of 100')
    True

    Returns an :class:`Explorer`; its one target is trained once.
    """
    percents, n_shadows = (*range(0, 95, 5), *range(95, 101)), affordable(SHADOWS, 4)
    controls = {
        "threshold": slider("threshold", [(f"{t / 100:.2f}", t / 100) for t in percents], 0.5)
    }

    def words(results, values):
        report = results[0].adaptive
        fpr, tpr = rates_at(report, values["threshold"])
        return (
            f"From a confidence of {values['threshold']:.2f} on, {100 * tpr:.0f} of 100 members "
            f"and {100 * fpr:.0f} of 100 non-members are called members. Over all thresholds the "
            f"AUC is {report.auc:.2f}. "
            f"{named(report.test_accuracy, report.train_accuracy, 'gap attack')}."
        )

    def experiments(threshold):
        return [Experiment(hidden=32, n_shadows=n_shadows, attack="threshold")]

    return Explorer(controls, experiments, ThresholdFigure(), words)


def base_rate():
    """The explorer of notebook 01: what is a positive worth where members are rare?

    >>> import miaedu as mia
    >>> explorer = mia.base_rate()
    >>> explorer.controls["share"].value = 0.001
    >>> "1 in 1,000" in explorer.words
    True

    The hits and false alarms are measured on the clinic's records, then carried over to the share
    of members chosen. Returns an :class:`Explorer`.
    """
    shares = [
        (f"1 in {n:,}", 1 / n) for n in (2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000)
    ]
    alarms = slider("false alarms allowed of 100", ["as learned", 20, 10, 5, 2, 1], "as learned")
    controls, n_shadows = (
        {"share": slider("members", shares, 1 / 2), "alarms": alarms},
        affordable(SHADOWS, 4),
    )

    def experiments(share, alarms):
        return [Experiment(data="clinic", n_members=1000, epochs=32, n_shadows=n_shadows)]

    def words(results, values):
        fpr, tpr = base_rate_rates(results[0].adaptive, values["alarms"])
        worth = positives_worth(tpr, fpr, values["share"])
        return (
            f"{named(fpr, tpr)}. Where 1 in {round(1 / values['share']):,} is a member, about "
            f"{100 * worth:.1f} of 100 records it names are members; the others are false alarms."
        )

    return Explorer(controls, experiments, BaseRateFigure(), words)


def shadow_count(repetitions=3):
    """The explorer of notebook 03: what does the number of shadow models buy?

    >>> import miaedu as mia
    >>> sorted(mia.shadow_count(repetitions=1).controls)
    ['labels', 'n_shadows']

    Each position trains that many shadow models, `repetitions` times on other data, and attacks as
    many targets. Returns an :class:`Explorer`.
    """
    counts = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
    controls = {
        "n_shadows": slider("shadow models", counts, affordable(counts, 4, repetitions)),
        "labels": menu(
            "labels of the pool", [("true", "true"), ("asked of the target", "queried")]
        ),
    }

    def experiments(n_shadows, labels):
        one = Experiment(hidden=32, n_shadows=n_shadows, labels=labels)
        return [replace(one, random_state=seed) for seed in range(repetitions)]

    return Explorer(controls, experiments, ShadowCountFigure((1, 2, 4, 8, 16, 32, 64), repetitions))


def confidence_hiding():
    """The explorer of notebook 04's first half: what does it help to hide the confidences? No
    network is trained again.

    >>> import miaedu as mia
    >>> explorer = mia.confidence_hiding()
    >>> explorer.controls["labels_only"].value = True
    >>> explorer.results[0].experiment.hide
    ('labels_only',)

    The functions are applied in the order of the controls. Returns an :class:`Explorer`.
    """
    controls = {
        "top_k": slider("top k", ["off", 5, 3, 2, 1], "off"),
        "rounded": slider("decimals", ["off", 3, 2, 1, 0], "off"),
        "softened": slider("temperature", ["off", 2.0, 5.0, 20.0], "off"),
        "noisy": slider("noise (scale)", ["off", 0.01, 0.03, 0.1, 0.3], "off"),
        "labels_only": tick("labels only"),
    }
    n_shadows = affordable(SHADOWS, 8)

    def experiments(labels_only, **numbers):
        hide = tuple((name, value) for name, value in numbers.items() if value != "off")
        plain = Experiment(hidden=32, n_shadows=n_shadows)
        return [replace(plain, hide=hide + ("labels_only",) * labels_only), plain]

    return Explorer(
        controls, experiments, HidingFigure(), lambda results, values: describe(results[0])
    )


def dp_noise():
    """The explorer of notebook 04's second half: differentially private training, and the ceiling
    that it proves.

    >>> import miaedu as mia
    >>> explorer = mia.dp_noise()
    >>> explorer.controls["noise_multiplier"].value = 8.0
    >>> round(explorer.results[0].mu, 2)
    0.97

    The first positions are ordinary full-batch training, and training with clipped gradients but no
    noise. Returns an :class:`Explorer`.
    """
    controls, n_shadows = (
        {"noise_multiplier": slider("noise multiplier", NOISE, 2.0)},
        affordable(SHADOWS, 16),
    )

    def experiments(noise_multiplier):
        return [
            _private(
                Experiment(hidden=32, epochs=60, batch_size=None, n_shadows=n_shadows),
                noise_multiplier,
            )
        ]

    return Explorer(controls, experiments, NoiseFigure(NOISE))


def control_room():
    """The last explorer of notebook 04: all four knobs of the course on one attack.

    >>> import miaedu as mia
    >>> explorer = mia.control_room()
    >>> sorted(explorer.controls)
    ['epochs', 'hide', 'n_shadows', 'noise_multiplier']

    Full-batch training, so that one step is an epoch and the promise at any epoch is exact. Returns
    an :class:`Explorer`.
    """
    hiding = [
        ("nothing", ()),
        ("all but the top 3", (("top_k", 3),)),
        ("all but 1 decimal", (("rounded", 1),)),
        ("contrast: temperature 5", (("softened", 5.0),)),
        ("all but the label", ("labels_only",)),
    ]
    controls = {
        "epochs": slider("epochs", PRIVATE_EPOCHS, 60),
        "n_shadows": slider("shadow models", SHADOWS, affordable(SHADOWS, 8)),
        "hide": menu("hide", hiding),
        "noise_multiplier": slider("noise multiplier", NOISE, "off"),
    }

    def experiments(noise_multiplier, **values):
        return [
            _private(
                Experiment(hidden=32, batch_size=None, snapshots=PRIVATE_EPOCHS, **values),
                noise_multiplier,
            )
        ]

    return Explorer(controls, experiments, ControlFigure())


def _private(experiment, noise_multiplier):
    return (
        experiment
        if noise_multiplier == "off"
        else replace(experiment, clip=1.0, noise_multiplier=noise_multiplier)
    )
