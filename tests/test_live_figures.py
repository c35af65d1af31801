"""What the explorers draw, say and run, held to the scores of the attacks: one table, from what the
legend calls an artist to what it must show."""

import re
import sys
import xml.etree.ElementTree as ET
from dataclasses import replace
from io import StringIO
from types import SimpleNamespace

import matplotlib as mpl
import numpy as np
import pytest
from course import each, each_explorer
from matplotlib.axis import Axis
from matplotlib.collections import QuadMesh
from matplotlib.colors import to_hex
from matplotlib.text import Text
from scipy.stats import norm
from sklearn.metrics import roc_auc_score, roc_curve

import miaedu as mia
from miaedu.explorers.browser import text_of
from miaedu.explorers.figure import AS_SVG
from miaedu.explorers.page import options
from miaedu.explorers.shadow_count import tpr_at_low_fpr

# the name in the package is the function's
one_record_module = sys.modules["miaedu.explorers.one_record"]
TEXT = "{http://www.w3.org/2000/svg}text"


# What must be drawn, from scores alone. `past` holds (results, values) of each picture so far.


def rates(report, threshold=None):
    """Hits and false alarms as shares."""
    flagged = report.scores >= (report.threshold if threshold is None else threshold)
    return flagged[report.members].mean(), flagged[~report.members].mean()


def advantage(report):
    hits, alarms = rates(report)
    return hits - alarms


def accuracies(report):
    """Of the target on members and on non-members."""
    return report.right[report.members].mean(), report.right[~report.members].mean()


def gap(report):
    on_members, on_others = accuracies(report)
    return on_members - on_others


def roc(report):
    return roc_curve(report.members, report.scores, drop_intermediate=False)[:2]


def least(past):
    """The smallest FPR that the records can show, where the ROC axes are logarithmic; else 0."""
    results, values = now(past)
    if values.get("axes") != "log":
        return 0
    return 1 / min((~result.adaptive.members).sum() for result in results)


def seen(curve):
    """A ROC curve as far as its axes show it: logarithmic ones from the smallest FPR on."""

    def points(past):
        (fpr, tpr), floor = map(np.asarray, curve(past)), least(past)
        if not floor or not len(fpr):
            return fpr, tpr
        beyond = fpr > floor * (1 + 1e-9)
        return [floor, *fpr[beyond]], [tpr[~beyond].max(), *tpr[beyond]]

    return points


def chance(past):
    low = least(past) / 2  # both axes begin there
    return [low, 1], [low, 1]


def on_log_axes(points):
    """`points` of a panel whose axes are always logarithmic."""

    def of_log_axes(past):
        results, values = now(past)
        return points([*past[:-1], (results, {**values, "axes": "log"})])

    return of_log_axes


def now(past):
    """The present results and values."""
    return past[-1]


def adaptive(past, number=0):
    return now(past)[0][number].adaptive


def gap_dots(past):
    pairs = [accuracies(result.adaptive) for result in now(past)[0]]
    return [on_others for _, on_others in pairs], [on_members for on_members, _ in pairs]


def gap_dot(past):
    on_members, on_others = accuracies(adaptive(past))
    return [on_others], [on_members]


def histogram(side):
    def shares(past):
        report = adaptive(past)
        scores = report.scores[report.members == (side == "members")]
        edges = np.linspace(0, 1, 21)
        upper = np.append(edges[1:-1], np.inf)  # the last bin holds its upper edge
        return [
            np.mean((low <= scores) & (scores < high))
            for low, high in zip(edges[:-1], upper, strict=True)
        ]

    return shares


def first_of_100(column, rate):
    """The places of so many of 100 people: rows of ten from the top."""

    def places(past):
        count = round(100 * rate(adaptive(past)))
        return [column + i % 10 for i in range(count)], [9 - i // 10 for i in range(count)]

    return places


def over_epochs(rate):
    """A rate, of 100, at each epoch that was tried at the present size."""

    def points(past):
        size = lambda e: (e.hidden, e.n_members)  # noqa: E731
        here = size(now(past)[0][0].experiment)
        tried = {
            result.experiment.epochs: 100 * rate(result.adaptive)
            for results, _ in past
            for result in results
            if size(result.experiment) == here
        }
        return sorted(tried), [tried[epochs] for epochs in sorted(tried)]

    return points


def operating_point(past):
    """False alarms and hits of the explorer base_rate."""
    report, (_, values) = adaptive(past), now(past)
    if values["alarms"] == "as learned":
        hits, alarms = rates(report)
        return alarms, hits
    allowed = values["alarms"] / 100
    fpr, tpr = roc(report)
    return allowed, tpr[fpr <= allowed].max()


def worth(past, share=None):
    """Of 100 records flagged, how many are members, by counting in a crowd of 10 million."""
    alarms, hits = operating_point(past)
    members = 1e7 * (now(past)[1]["share"] if share is None else share)
    right, wrong = members * hits, (1e7 - members) * alarms
    return 100 * right / (right + wrong)


def crowd(past):
    count = round(4 * worth(past))
    return [i % 20 for i in range(count)], [19 - i // 20 for i in range(count)]


def worth_curve(past):
    shares = np.geomspace(8e-4, 0.5, 200)
    return shares, worth(past, shares)


def aucs(results):
    return [roc_auc_score(r.adaptive.members, r.adaptive.scores) for r in results]


def tpr_together(results):
    """At 1 % false alarms, over the records of all repetitions."""
    reports = [result.adaptive for result in results]
    members, scores = (
        np.concatenate([getattr(report, name) for report in reports])
        for name in ("members", "scores")
    )
    fpr, tpr, _ = roc_curve(members, scores, drop_intermediate=False)
    return tpr[fpr <= 0.01].max()


def by_count(past, attack=None, view=None):
    """Results by the number of shadow models, of one attack (that of now), with the labels of
    now."""
    wanted = replace(now(past)[0][0].experiment, n_shadows=1)
    if attack:
        wanted = replace(wanted, attack=attack, view=view)
    return {
        results[0].experiment.n_shadows: results
        for results, _ in past
        if replace(results[0].experiment, n_shadows=1) == wanted
    }


def measured(past, results):
    return np.mean(aucs(results)) if now(past)[1]["measure"] == "auc" else tpr_together(results)


def auc_dots(past):
    if now(past)[1]["measure"] != "auc":
        return [], []
    found = by_count(past)
    return [n for n in found for _ in found[n]], [auc for n in found for auc in aucs(found[n])]


def over_counts(attack, view="attacker"):
    def points(past):
        labels = now(past)[0][0].experiment.labels
        found = by_count(past, attack, view) if (view, labels) != ("auditor", "queried") else {}
        return sorted(found), [measured(past, found[n]) for n in sorted(found)]

    return points


def measured_now(past):
    results, _ = now(past)
    return [results[0].experiment.n_shadows], [measured(past, results)]


# Of many targets: their members, and the attack's scores and threshold


def alarms_of(exposure, which):
    """False alarms, and targets without them, for each person, in every other target."""
    flagged, out = exposure.scores[which::2] >= exposure.threshold, ~exposure.members[which::2]
    return (flagged & out).sum(axis=0), out.sum(axis=0)


def accused_first(exposure):
    alarms, targets = alarms_of(exposure, 0)
    return sorted(range(len(alarms)), key=lambda i: -alarms[i] / targets[i])


def borne(past):
    exposure = now(past)[0][0]
    alarms = alarms_of(exposure, 1)[0][accused_first(exposure)]
    shares = [100 * alarms[:n].sum() / alarms.sum() for n in range(len(alarms) + 1)]
    return np.linspace(0, 100, len(shares)), shares


def first_tenth(past):
    places, shares = borne(past)
    return [10], [shares[list(places).index(10)]]


def tens_accused(past):
    exposure = now(past)[0][0]
    alarms, targets = alarms_of(exposure, 1)
    order = accused_first(exposure)
    places, rates = [], []
    for start in range(0, len(order), 10):
        ten = order[start : start + 10]
        places += [100 * start / len(order), 100 * (start + 10) / len(order)]
        rates += [100 * np.mean(alarms[ten] / targets[ten])] * 2
    return places, rates


def pooled_alarms(past):
    exposure = now(past)[0][0]
    flagged = exposure.scores[~exposure.members] >= exposure.threshold
    return [0, 100], [100 * flagged.mean()] * 2


# Of one record: what many models say of it, and what this target says


def share_in_bins(inside):
    def shares(past):
        (found,), edges = now(past)[0], [n / 2 - 10 for n in range(45)]
        phi = found.phi[found.members == inside].clip(-10, 12)
        upper = [*edges[1:-1], np.inf]  # the last bin holds its upper edge
        return [
            np.mean((low <= phi) & (phi < high))
            for low, high in zip(edges[:-1], upper, strict=True)
        ]

    return shares


def flag_it(past):
    (found,) = now(past)[0]
    rows = [
        row
        for row, (who, score) in zip((2.2, 1.2, 0.2), found.scores.items(), strict=True)
        if score >= found.thresholds[who]
    ]
    return [0.4] * len(rows), rows


def hits_at_one_percent(report):
    fpr, tpr = roc(report)
    return tpr[fpr <= 0.01].max()


def tried_low(attack, view="attacker"):
    """The hits at 1 % false alarms of one attacker, over the number of shadow models."""

    def points(past):
        found = {}
        for (result,), _ in past:
            e = result.experiment
            if (e.attack, e.view) == (attack, view):
                found[e.n_shadows] = hits_at_one_percent(result.report)
        return sorted(found), [found[count] for count in sorted(found)]

    return points


def ends_of_the_interval(past):
    return adaptive(past).interval("tpr_at", 0.01)


def hiding_row(number):
    def shares(past):
        calibrated, of_2017 = now(past)[0][number : number + 2]
        return [
            accuracies(of_2017.adaptive)[1],
            gap(of_2017.adaptive),
            advantage(of_2017.naive),
            advantage(of_2017.adaptive),
            advantage(calibrated.adaptive),
        ], range(5)

    return shares


def mu(experiment):
    return np.sqrt(experiment.epochs) / experiment.noise_multiplier


def is_proven(experiment):
    return experiment.clip is not None and experiment.noise_multiplier > 0


def ceiling(past):
    experiment = now(past)[0][0].experiment
    if not is_proven(experiment):
        return [], []
    fpr = np.append(0, np.geomspace(1e-4, 1, 300))
    return fpr, norm.cdf(norm.ppf(fpr) + mu(experiment))


NOISES = [16.0, 8.0, 4.0, 2.0, 1.0, 0.5, 0.0, "off"]


def noise_place(experiment):
    return NOISES.index("off" if experiment.clip is None else experiment.noise_multiplier)


def over_noise(measure, number=0):
    def points(past):
        tried = {}
        for results, _ in past:
            tried[noise_place(results[0].experiment)] = measure(results[number])
        return sorted(tried), [tried[place] for place in sorted(tried)]

    return points


def most(result):
    """The largest advantage under the ceiling: at its point of slope one."""
    e = result.experiment
    return 2 * norm.cdf(mu(e) / 2) - 1 if is_proven(e) else 1.0


def trade(past, number=0):
    report = adaptive(past, number)
    return [accuracies(report)[1]], [advantage(report)]


def trail(past):
    points = [trade(past[: i + 1]) for i in range(len(past) - 1)]
    return [x for (x,), _ in points], [y for _, (y,) in points]


ORANGE, BLUE, GREEN, GREY, PINK, BLACK = (
    "#d55e00",
    "#0072b2",
    "#009e73",
    "#555555",
    "#cc79a7",
    "#000000",
)
CONFIDENCES = {
    ("left", "members", ORANGE): histogram("members"),
    ("left", "non-members", BLUE): histogram("non-members"),
}
ROC_AXES = {
    ("left", "chance", GREY): chance,
    ("left", "_least", GREY): lambda past: [least(past)] * 2 if least(past) else [],
}
TABLE = {
    "overfitting": {
        **CONFIDENCES,
        ("left", "flagged from here on", GREEN): lambda past: [adaptive(past).threshold] * 2,
        ("right", "members it gets right", ORANGE): over_epochs(lambda r: accuracies(r)[0]),
        ("right", "non-members it gets right", BLUE): over_epochs(lambda r: accuracies(r)[1]),
        ("right", "hits: members flagged", GREEN): over_epochs(lambda r: rates(r)[0]),
        ("right", "false alarms", GREY): over_epochs(lambda r: rates(r)[1]),
        ("right", "_now", "#999999"): lambda past: [now(past)[1]["epochs"]] * 2,
    },
    "base_rate": {
        ("left", "a member", ORANGE): crowd,
        ("right", "_worth", GREEN): worth_curve,
        ("right", "now", BLACK): lambda past: ([now(past)[1]["share"]], [worth(past)]),
    },
    "falsely_accused": {
        ("left", "this attack", GREEN): borne,
        ("left", "chance", GREY): lambda past: (
            np.linspace(0, 100, 1001),
            100 * now(past)[0][0].share_by_chance,
        ),
        ("left", "the first tenth", BLACK): first_tenth,
        ("right", "ten people at a time", GREEN): tens_accused,
        ("right", "if all were alike", GREY): pooled_alarms,
    },
    "threshold": {
        **CONFIDENCES,
        ("left", "flagged from here on", GREEN): lambda past: [now(past)[1]["threshold"]] * 2,
        ("right", "chance", GREY): chance,
        ("right", "_least", GREY): lambda past: [],
        ("right", "every threshold", GREEN): lambda past: roc(adaptive(past)),
        ("right", "gap attack", GREY): gap_dot,
        ("right", "this threshold", BLACK): lambda past: [
            [rate] for rate in rates(adaptive(past), now(past)[1]["threshold"])[::-1]
        ],
    },
    "shadow_count": {
        **ROC_AXES,
        ("left", "_repetition 0", GREEN): seen(lambda past: roc(adaptive(past, 0))),
        ("left", "_repetition 1", GREEN): seen(lambda past: roc(adaptive(past, 1))),
        ("left", "_repetition 2", GREEN): seen(lambda past: roc(adaptive(past, 2))),
        ("left", "gap attack", GREY): gap_dots,
        ("right", "one repetition", GREEN): auc_dots,
        ("right", "attack of 2017", BLACK): over_counts("shadow"),
        ("right", "calibrated", GREEN): over_counts("calibrated"),
        ("right", "LiRA, auditor's view", GREEN): over_counts("lira", "auditor"),
        ("right", "now", BLACK): measured_now,
    },
    "confidence_hiding": {
        **ROC_AXES,
        ("left", "calibrated, adapted", GREEN): seen(lambda past: roc(adaptive(past))),
        ("left", "of 2017, adapted", BLACK): seen(lambda past: roc(adaptive(past, 1))),
        ("left", "of 2017, not adapted", BLACK): seen(lambda past: roc(now(past)[0][1].naive)),
        ("left", "gap attack", GREY): gap_dot,
        ("right", "without hiding", GREY): hiding_row(2),
        ("right", "now", BLACK): hiding_row(0),
    },
    "dp_noise": {
        **ROC_AXES,
        ("left", "calibrated", GREEN): seen(lambda past: roc(adaptive(past))),
        ("left", "of 2017", BLACK): seen(lambda past: roc(adaptive(past, 1))),
        ("left", "proven ceiling", PINK): seen(ceiling),
        ("left", "gap attack", GREY): gap_dot,
        ("right", "target's accuracy", BLUE): over_noise(lambda r: accuracies(r.adaptive)[1]),
        ("right", "advantage: calibrated", GREEN): over_noise(lambda r: advantage(r.adaptive)),
        ("right", "advantage: of 2017", BLACK): over_noise(lambda r: advantage(r.adaptive), 1),
        ("right", "proven ceiling", PINK): over_noise(most),
        ("right", "advantage: gap attack", GREY): over_noise(lambda r: gap(r.adaptive)),
        ("right", "_now", "#999999"): lambda past: [noise_place(now(past)[0][0].experiment)] * 2,
    },
    "control_room": {
        **ROC_AXES,
        ("left", "calibrated", GREEN): seen(lambda past: roc(adaptive(past))),
        ("left", "of 2017", BLACK): seen(lambda past: roc(adaptive(past, 1))),
        ("left", "proven ceiling", PINK): seen(ceiling),
        ("left", "gap attack", GREY): gap_dot,
        ("right", "tried before, calibrated", GREY): trail,
        ("right", "now, of 2017", BLACK): lambda past: trade(past, 1),
        ("right", "now, calibrated", BLACK): trade,
    },
    "low_fpr": {
        **{key: on_log_axes(points) for key, points in ROC_AXES.items()},
        ("left", "this attack", GREEN): on_log_axes(seen(lambda past: roc(adaptive(past)))),
        ("left", "95% interval", BLACK): lambda past: ([0.01] * 2, ends_of_the_interval(past)),
        ("left", "gap attack", GREY): gap_dot,
        ("right", "attack of 2017", BLACK): tried_low("shadow"),
        ("right", "calibrated", GREEN): tried_low("calibrated"),
        ("right", "LiRA, attacker's view", GREY): tried_low("lira"),
        ("right", "LiRA, auditor's view", GREEN): tried_low("lira", "auditor"),
        ("right", "now", BLACK): lambda past: (
            [now(past)[1]["n_shadows"]],
            [hits_at_one_percent(adaptive(past))],
        ),
        ("right", "95% interval", BLACK): lambda past: (
            [now(past)[1]["n_shadows"]] * 2,
            ends_of_the_interval(past),
        ),
    },
    "one_record": {
        ("left", "_record", ""): lambda past: now(past)[0][0].x.reshape(8, 8),
        ("left", "flags it", GREEN): flag_it,
        ("right", "models with it", ORANGE): share_in_bins(True),
        ("right", "models without it", BLUE): share_in_bins(False),
        ("right", "this target", BLACK): lambda past: [np.clip(now(past)[0][0].told, -10, 12)] * 2,
    },
}
# the explorer of notebook 00 has another panel
PEOPLE = {
    ("left", "member, flagged", ORANGE): first_of_100(0, lambda report: rates(report)[0]),
    ("left", "non-member, flagged", BLUE): first_of_100(11, lambda report: rates(report)[1]),
}
TABLE["people"] = PEOPLE | {
    key: TABLE["overfitting"][key] for key in list(TABLE["overfitting"])[3:]
}


def drawn(figure):
    """What moves: (side, what the legend calls it, colour) -> its data; legend entries left out."""
    found = {}
    for artist in figure.moving.values():
        side = "left" if artist.get_figure() is figure.figures[0] else "right"
        if artist.axes is None or isinstance(artist, (Axis, Text)) or artist in in_legend(figure):
            continue
        if hasattr(artist, "get_xdata"):
            data = artist.get_data()
            vertical = "_now", "_least", "flagged from here on", "this target"
            if artist.get_label() in vertical:
                assert list(data[1]) == [0, 1]
                data = data[0] if artist.get_visible() else []
            colour = to_hex(artist.get_color())
        elif isinstance(artist, QuadMesh):
            data, colour = artist.get_array(), ""
        else:
            data, colour = artist.get_data().values, to_hex(artist.get_edgecolor())
        found[side, artist.get_label(), colour] = data
    return found


def in_legend(figure):
    """The entries of both legends: they move where a curve is not always there."""
    legends = [panel.axes[0].get_legend() for panel in figure.figures]
    return [
        entry
        for legend in legends
        if legend is not None
        for entry in (*legend.get_texts(), *legend.legend_handles)
    ]


def journey(explorer):
    """Move each control to its ends and back, and the first one once more, on logarithmic axes if
    there are such; yields what there was so far, at each stop."""
    past = [(explorer.results, explorer.values())]
    yield past
    moves = [
        (name, value)
        for name, control in explorer.controls.items()
        for value in ends(control, name)
    ]
    if "axes" in explorer.controls:
        moves.append(moves[0])
    for name, value in moves:
        control = explorer.controls[name]
        if value != control.value:
            control.value = value
            assert explorer.message == "", (name, value)
            past.append((explorer.results, explorer.values()))
            yield past


def ends(control, name):
    """The first, middle and last value of a control."""
    values = (
        [value for _, value in options(control)] if hasattr(control, "index") else [True, False]
    )
    if name == "n_targets":  # more of them take longer, and differ in nothing else
        values = [value for value in values if value <= 256]
    return dict.fromkeys([values[0], values[len(values) // 2], values[-1]])


@each(TABLE)
def test_each_moving_artist_shows_what_its_legend_says_of_the_scores(name, a_fast_machine):
    explorer = mia.overfitting(more=False) if name == "people" else getattr(mia, name)()
    stops = 0
    for past in journey(explorer):
        found = drawn(explorer.figure)
        assert set(found) == set(TABLE[name]), "every moving artist stands in the table"
        for key, expected in TABLE[name].items():
            shown = [np.asarray(part, float) for part in _pairs(found[key])]
            wanted = [np.asarray(part, float) for part in _pairs(expected(past))]
            assert len(shown) == len(wanted)
            for a, b in zip(shown, wanted, strict=True):
                np.testing.assert_allclose(a, b, atol=1e-6, err_msg=f"{key} at {past[-1][1]}")
        stops += 1
    assert stops > 3


def _pairs(data):
    """Data as a list of arrays: x and y, or one alone."""
    data = list(data)
    return data if data and np.ndim(data[0]) else [data]


@pytest.mark.parametrize("name", ["shadow_count", "confidence_hiding", "dp_noise", "control_room"])
def test_logarithmic_axes_begin_below_the_smallest_fpr_and_name_it(name, one_of_each):
    explorer = one_of_each(name)
    explorer.reset()
    panel, moving = explorer.figure.figures[0], explorer.figure.moving.items()
    left = [gid for gid, artist in moving if artist.get_figure() is panel]
    linear = {gid: explorer.frame["parts"][gid] for gid in left}
    roc_panel, axes = panel.axes[0], explorer.controls["axes"]
    nonmembers = (~explorer.results[0].adaptive.members).sum()
    named = f"smallest visible FPR: 1/{nonmembers}"
    for label, scale, ends, ticks in (
        ("logarithmic", "log", (0.5 / nonmembers, 1.05), ["0.01", "0.1", "1"]),
        ("linear", "linear", (-0.01, 1.01), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
    ):
        axes.index = [text for text, _ in options(axes)].index(label)
        assert roc_panel.get_xscale() == roc_panel.get_yscale() == scale
        assert roc_panel.get_xlim() == roc_panel.get_ylim() == pytest.approx(ends)
        for axis in (roc_panel.xaxis, roc_panel.yaxis):
            markup = alone(explorer.frame["parts"][axis.get_gid()])
            texts = [text.text for text in markup.iter("{http://www.w3.org/2000/svg}text")]
            assert sorted(set(texts) & set(ticks)) == ticks
            assert not {"0.01", "0.2"} <= set(texts), "the ticks of one kind alone"
        assert (named in explorer.picture) == (scale == "log")
    assert linear.items() <= explorer.frame["parts"].items(), "back to the same picture"


def test_the_roc_axes_are_drawn_when_they_change_and_not_with_every_move(monkeypatch, one_of_each):
    explorer, drawn_axes = one_of_each("dp_noise"), []
    draw = Axis.draw
    monkeypatch.setattr(Axis, "draw", lambda *args: drawn_axes.append(draw(*args)))
    for noise in (4.0, 8.0):
        explorer.controls["noise_multiplier"].value = noise
    assert drawn_axes == []
    explorer.controls["axes"].value = "log"
    assert len(drawn_axes) == 2
    explorer.reset()


@pytest.mark.slow
def test_the_axis_of_shadow_counts_is_that_of_its_measure_and_holds_all_its_marks(a_fast_machine):
    explorer = mia.shadow_count()
    trend = explorer.figure.figures[1].axes[0]
    explorer.figure.png()  # as where it is displayed
    for past in journey(explorer):
        measure = now(past)[1]["measure"]
        ends, name = {"auc": ((0.5, 1), "AUC"), "tpr": ((0, 0.5), "TPR at 1% FPR")}[measure]
        assert trend.get_ylim() == ends
        for line in trend.lines:
            heights = np.asarray(line.get_ydata(), float)
            assert ((ends[0] <= heights) & (heights <= ends[1])).all(), "a mark beyond the axis"
        texts = list(alone(explorer.frame["parts"][trend.yaxis.get_gid()]).iter(TEXT))
        ticks, label = [text for text in texts if text.text != name], texts[-1]
        assert label.text == name and len(ticks) == 6
        assert {float(text.text) for text in ticks} == set(np.linspace(*ends, 6).round(1))
        # the foot of the upright label, left of the ticks: three letters of 10.5 units, 0.55 as
        # wide as high, which end at their x
        assert float(label.get("x")) < float(ticks[0].get("x")) - 3 * 0.55 * 10.5


# beside the ROC curves' legend, dp_noise names the ceiling in its second one, of all noises tried
@pytest.mark.parametrize("name, elsewhere", [("dp_noise", 1), ("control_room", 0)])
def test_the_legend_names_a_ceiling_only_where_one_is_drawn(name, elsewhere, a_fast_machine):
    explorer = getattr(mia, name)()
    for noise, there in ((2.0, True), ("off", False), (0.0, False), (8.0, True)):
        explorer.controls["noise_multiplier"].value = noise
        assert explorer.picture.count(">proven ceiling<") == elsewhere + there


@each_explorer
def test_parts_drawn_alone_are_those_of_the_whole_drawing(name, a_fast_machine):
    explorer = getattr(mia, name)()
    explorer.figure.png()  # as where it is displayed: what comes is as if it had not been
    for past in journey(explorer):
        if len(past) == 3:
            break
    figure, parts = explorer.figure, explorer.frame["parts"]
    whole = {}
    for panel in figure.figures:
        out = StringIO()
        with mpl.rc_context(AS_SVG):
            panel.savefig(out, format="svg", metadata={"Date": None})
        for group in ET.fromstring(out.getvalue()).iter("{http://www.w3.org/2000/svg}g"):
            whole[group.get("id")] = group
    moving = {gid for gid, artist in figure.moving.items() if artist.get_visible()}
    assert moving and moving <= set(whole)
    for gid in moving:
        assert outline(alone(parts[gid])) == outline(whole[gid]), gid


def alone(markup):
    return ET.fromstring(
        '<g xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">'
        f"{markup}</g>"
    )


def outline(group):
    """Elements and attributes below a group, in order, whatever stands between; without the ids
    that matplotlib counts through a drawing."""
    for part in group.iter():
        if re.fullmatch(r"\w+_\d+", part.get("id", "")):
            del part.attrib["id"]
    return [
        (part.tag, sorted(part.attrib.items()), (part.text or "").strip()) for part in group.iter()
    ][1:]


@each_explorer
def test_the_picture_is_svg_whose_references_are_kept(name, a_fast_machine):
    explorer = getattr(mia, name)()
    picture = ET.fromstring(f"<div>{explorer.picture}</div>")
    assert [panel.tag for panel in picture] == ["{http://www.w3.org/2000/svg}svg"] * 2
    assert "<style" not in explorer.picture, "a style sheet would hold for the whole page"
    groups = {group.get("id") for group in picture.iter("{http://www.w3.org/2000/svg}g")}
    assert set(explorer.frame["parts"]) <= groups, "each part has its place"
    ids = re.findall(r'\bid="([^"]+)"', explorer.picture)
    for name in re.findall(r'url\(#([^)]+)\)|href="#([^"]+)"', explorer.picture):
        assert "".join(name) in ids
    texts = ["".join(text.itertext()) for text in picture.iter("{http://www.w3.org/2000/svg}text")]
    assert len(texts) > 10, "text is text"


@each_explorer
def test_letters_are_nine_points_at_the_narrowest_two_panels_are_shown(name, a_fast_machine):
    narrowest = float(re.search(r"flex: 1 1 (\d+)px", text_of("figure.css"))[1])
    for panel in getattr(mia, name)().figure.figures:
        panel.savefig(StringIO(), format="svg")
        texts = [t for t in panel.findobj(Text) if t.get_text().strip() and t.get_visible()]
        scale = narrowest / 96 / panel.get_figwidth()
        assert len(texts) > 2 and min(text.get_fontsize() for text in texts) * scale >= 8.95


# What must be said


def said(result):
    report = result.adaptive
    (hits, alarms), (on_members, on_others) = rates(report), accuracies(report)
    return SimpleNamespace(
        flagged=f"Of 100 members the attack flags {100 * hits:.0f}, "
        f"of 100 non-members {100 * alarms:.0f}.",
        right=f"right on {on_members:.0%} of its members and on {on_others:.0%} of the non-members",
        new=f"right on {on_others:.0%} of new records",
        advantage=f"{advantage(report):z.2f}",
        gap=f"{gap(report):z.2f}",
        naive=f"{advantage(result.naive):z.2f}",
    )


def hiding_words(past):
    results = now(past)[0]
    found = []
    for result, name in zip(results[:2], ("the calibrated attack", "the attack of 2017")):
        s = said(result)
        not_adapted = f" ({s.naive} if it does not adapt to the hiding)"
        found.append(f"{name} {s.advantage}{not_adapted * bool(result.experiment.hide)}")
    s = said(results[0])
    return [s.new, f"Advantage: {', '.join(found)}, the gap attack {s.gap}."]


def both(past):
    """What is said of the advantages of both attacks."""
    calibrated, of_2017 = map(said, now(past)[0])
    return (
        f"Advantage: the calibrated attack {calibrated.advantage}, the attack of 2017 "
        f"{of_2017.advantage}, the gap attack {calibrated.gap}."
    )


def accused_words(past):
    (exposure,), values = now(past)
    never = (alarms_of(exposure, 1)[0] == 0).sum()
    hits = (exposure.scores[exposure.members] >= exposure.threshold).mean()
    return [
        f"With 1 false alarm in 100, {NAMES[' '.join(values['attack'])]} flags {hits:.0%}",
        f"bear {first_tenth(past)[1][0]:.0f}% of all false alarms",
        f"of the {values['n_targets']:,} targets",
        "chance would give them 10%",
        f"{never} are never flagged falsely there.",
    ]


def noise_words(past):
    (result, _), values = now(past)
    s, noise = said(result), values["noise_multiplier"]
    start = {"off": "Without noise", 0.0: "With clipping only"}.get(noise, f"With noise {noise}")
    proven = proven_words(result) or "Nothing is proven of other attacks."
    return [start.removesuffix(".0"), s.new, both(past), proven]


def proven_words(result):
    """What is said of the ceiling, or nothing where there is none."""
    e = result.experiment
    if not is_proven(e):
        return ""
    return (
        f"Proven ceiling at mu {mu(e):.2f}: an advantage of {most(result):.2f}, pooled over "
        "retrained targets."
    )


def shadow_words(past):
    results, values = now(past)
    found = aucs(results)
    means = [np.mean([f(r.adaptive) for r in results]) for f in (advantage, gap)]
    n = results[0].experiment.n_shadows
    return [
        f"With {n} shadow model{'' if n == 1 else 's'} {values['attack'].words}",
        f"reaches AUC {np.mean(found):.2f}, from {min(found):.2f} to {max(found):.2f} in 3 rep",
        f"flags {tpr_together(results):.0%} of the members at 1% false alarms, all repetitions",
        f"Its advantage is {means[0]:z.2f}; the gap attack's",
        f"is {means[1]:z.2f}.",
    ]


def base_rate_words(past):
    alarms, hits = operating_point(past)
    rarity = round(1 / now(past)[1]["share"])
    return [
        f"Of 100 members the attack flags {100 * hits:.0f}, of 100 non-members {100 * alarms:.0f}.",
        f"Where 1 in {rarity:,} is a member, about {worth(past):.1f} of 100 records it flags are",
    ]


def threshold_words(past):
    (result,), values = now(past)
    hits, alarms = rates(result.adaptive, values["threshold"])
    return [
        f"From a confidence of {values['threshold']:.2f} on the attack flags {100 * hits:.0f} of "
        f"100 members and {100 * alarms:.0f} of 100 non-members."
    ]


def overfitting_words(past):
    s, epochs = said(now(past)[0][0]), now(past)[1]["epochs"]
    return [f"After {epochs} epoch{'' if epochs == 1 else 's'} the target is {s.right}.", s.flagged]


def room_words(past):
    result = now(past)[0][0]
    s, proven = said(result), proven_words(result)
    return [s.new, s.flagged.replace("the attack", "the calibrated attack"), both(past), proven]


NAMES = {
    "shadow attacker": "the attack of 2017",
    "calibrated attacker": "the calibrated attack",
    "lira attacker": "LiRA in the attacker's view",
    "lira auditor": "LiRA in the auditor's view",
}


def low_words(past):
    report, values = adaptive(past), now(past)[1]
    low, high = ends_of_the_interval(past)
    on_members, on_others = accuracies(report)
    return [
        f"With {values['n_shadows']} shadow models {NAMES[' '.join(values['attack'])]}",
        f"flags {hits_at_one_percent(report):.1%} of the members at 1% false alarms (95% interval "
        f"{low:.1%} to {high:.1%})",
        f"its AUC is {roc_auc_score(report.members, report.scores):.2f}",
        "no FPR below 1 in 1,000",
        f"The gap attack flags {on_members:.0%}, at {on_others:.0%} false alarms.",
    ]


def record_words(past):
    (found,), values = now(past)
    later = slice(1, None, 2)
    auc = roc_auc_score(found.members[later], found.phi[later])
    flag = [NAMES[" ".join(who)] for who in found.scores]
    flag = [
        name
        for name, (who, score) in zip(flag, found.scores.items(), strict=True)
        if score >= found.thresholds[who]
    ]
    return [
        f"This {found.label} is number {values['place']} of 900 by exposure",
        f"by an AUC of {auc:.2f}",
        "It is in the training set" if values["inside"] else "It is not in the training set",
        *(flag or ["no attack flags it"]),
        "flag it" if len(flag) > 1 else "flags it",
    ]


WORDS = {
    "low_fpr": low_words,
    "one_record": record_words,
    "overfitting": overfitting_words,
    "base_rate": base_rate_words,
    "threshold": threshold_words,
    "falsely_accused": accused_words,
    "shadow_count": shadow_words,
    "confidence_hiding": hiding_words,
    "dp_noise": noise_words,
    "control_room": room_words,
}


@each_explorer
def test_the_words_say_what_the_scores_say_in_three_lines(name, a_fast_machine):
    explorer = getattr(mia, name)()
    for past in journey(explorer):
        for part in WORDS[name](past):
            assert part in explorer.words, (part, explorer.words)
        assert ("The ROC axes are logarithmic." in explorer.words) == (least(past) > 0)
        # some 110 letters a line below two panels
        assert len(explorer.words) <= 330
        assert "-0.00" not in explorer.words + explorer.numbers


@pytest.mark.parametrize("name", ["confidence_hiding", "dp_noise", "control_room"])
def test_folded_away_is_what_both_attacks_flag_at_one_percent_false_alarms(name, one_of_each):
    explorer = one_of_each(name)
    explorer.reset()
    next(iter(explorer.controls.values())).index = 1
    found = []
    for result, attack in zip(explorer.results, ("the calibrated attack", "the attack of 2017")):
        report = result.adaptive
        assert (~report.members).sum() == 1000, "so that ten false alarms stand behind 1 %"
        low, high = report.interval("tpr_at", 0.01)
        hits = hits_at_one_percent(report)
        assert low <= hits <= high
        span = f"(95% interval {low:.0%} to {high:.0%})"
        found.append(f"{attack} flags {hits:.0%} of the members {span}")
    at_few = "At no more than 1% false alarms among 1,000 non-members, "
    assert explorer.numbers.endswith(f" {at_few}{', '.join(found)}.")
    assert explorer.numbers.startswith(mia.describe(explorer.results[0]))
    explorer.reset()


# What must be run: (control, what the reader reads at its position) -> fields of the experiment

RUN = {
    ("shadow_count", "labels", "true"): {"labels": "true"},
    ("shadow_count", "labels", "asked of the target"): {"labels": "queried"},
    ("shadow_count", "n_shadows", "16"): {"n_shadows": 16},
    ("shadow_count", "attack", "calibrated"): {"attack": "calibrated", "view": "attacker"},
    ("shadow_count", "attack", "LiRA, auditor's view"): {"attack": "lira", "view": "auditor"},
    ("falsely_accused", "attack", "of 2017"): {"attack": "shadow"},
    ("falsely_accused", "attack", "calibrated"): {"attack": "calibrated"},
    ("falsely_accused", "attack", "LiRA, attacker's view"): {"attack": "lira"},
    ("falsely_accused", "n_targets", "64"): {"n_targets": 64},
    ("confidence_hiding", "top_k", "3"): {"hide": (("top_k", 3),)},
    ("confidence_hiding", "rounded", "0"): {"hide": (("rounded", 0),)},
    ("confidence_hiding", "softened", "5.0"): {"hide": (("softened", 5.0),)},
    ("confidence_hiding", "noisy", "0.1"): {"hide": (("noisy", 0.1),)},
    # where nothing is hidden, nobody adapts, and nobody asks twice
    ("confidence_hiding", "n_queries", "16"): {"hide": (), "n_queries": 1},
    ("dp_noise", "noise_multiplier", "off"): {"clip": None, "noise_multiplier": 0.0},
    ("dp_noise", "noise_multiplier", "clipping only"): {"clip": 1.0, "noise_multiplier": 0.0},
    ("dp_noise", "noise_multiplier", "16"): {"clip": 1.0, "noise_multiplier": 16.0},
    ("control_room", "hide", "nothing"): {"hide": ()},
    ("control_room", "hide", "all but the top 3"): {"hide": (("top_k", 3),)},
    ("control_room", "hide", "all but 1 decimal"): {"hide": (("rounded", 1),)},
    ("control_room", "hide", "contrast: temperature 5"): {"hide": (("softened", 5.0),)},
    ("control_room", "hide", "all but the label"): {"hide": ("labels_only",)},
    ("control_room", "noise_multiplier", "0.5"): {"clip": 1.0, "noise_multiplier": 0.5},
    ("control_room", "epochs", "20"): {"epochs": 20},
    ("low_fpr", "n_shadows", "64"): {"n_shadows": 64},
    ("low_fpr", "attack", "of 2017"): {"attack": "shadow", "view": "attacker"},
    ("low_fpr", "attack", "LiRA, auditor's view"): {"attack": "lira", "view": "auditor"},
    ("overfitting", "hidden", "128"): {"hidden": 128},
    ("overfitting", "n_members", "1000"): {"n_members": 1000},
    ("overfitting", "epochs", "32"): {"epochs": 32},
}
# where nothing is moved
ALWAYS = {
    "overfitting": {"attack": "threshold", "hidden": 32, "data": "purchases"},
    "base_rate": {"attack": "shadow", "data": "clinic", "n_members": 1000, "epochs": 32},
    "threshold": {"attack": "threshold", "hidden": 32, "data": "purchases"},
    "shadow_count": {"attack": "shadow", "hidden": 32, "data": "purchases"},
    "falsely_accused": {"view": "attacker", "hidden": 32, "data": "purchases", "n_members": 500},
    "confidence_hiding": {"hidden": 32, "clip": None},
    # one step an epoch, so that the promise is that of the epochs
    "dp_noise": {"batch_size": None, "epochs": 60},
    "control_room": {"batch_size": None},
    "low_fpr": {"hidden": 32, "data": "purchases", "n_members": 1000},
    "one_record": {"data": "digits", "n_members": 450, "hidden": 32, "n_targets": 512},
}


@pytest.mark.slow
@pytest.mark.parametrize("case", RUN, ids=" ".join)
def test_the_label_that_a_reader_chooses_is_the_setting_that_is_run(case, one_of_each):
    name, control, label = case
    explorer = one_of_each(name)
    explorer.reset()
    knob = explorer.controls[control]
    knob.index = [text for text, _ in options(knob)].index(label)
    experiment = explorer.results[0].experiment
    for field, value in RUN[case].items():
        assert getattr(experiment, field) == value
    for field, value in ALWAYS[name].items():
        assert field == control or getattr(experiment, field) == value


@each_explorer
def test_an_explorer_starts_with_the_settings_of_its_lesson(name, one_of_each):
    explorer = one_of_each(name)
    explorer.reset()
    for result in explorer.results:
        for field, value in ALWAYS[name].items():
            assert getattr(result.experiment, field) == value
    seeds = {result.experiment.random_state for result in explorer.results}
    assert seeds == ({0, 1, 2} if name == "shadow_count" else {0})


@pytest.mark.parametrize("name", ["confidence_hiding", "dp_noise", "control_room"])
def test_the_calibrated_attack_judges_and_that_of_2017_stands_beside_it(name, one_of_each):
    explorer = one_of_each(name)
    explorer.reset()
    experiments = [result.experiment for result in explorer.results]
    for calibrated, of_2017 in zip(experiments[::2], experiments[1::2], strict=True):
        assert calibrated.attack == "calibrated" and calibrated.view == "attacker"
        assert of_2017 == replace(calibrated, attack="shadow")


def test_an_auditor_has_the_true_labels_whatever_the_menu_says(one_of_each):
    explorer = one_of_each("shadow_count")
    explorer.reset()
    explorer.controls["labels"].value = "queried"
    explorer.controls["attack"].value = dict(options(explorer.controls["attack"]))[
        "LiRA, auditor's view"
    ]
    assert explorer.message == "" and explorer.results[0].experiment.labels == "true"


def test_a_tpr_at_few_false_alarms_needs_enough_non_members_and_one_way_of_judging():
    reports = [
        mia.run(mia.Experiment(hidden=8, n_shadows=1, random_state=s)).report for s in (0, 1)
    ]
    assert np.isnan(tpr_at_low_fpr(reports[:1])), "500 of the 1,000 that are needed"
    assert tpr_at_low_fpr(reports) > 0
    other = replace(reports[1], mode="online")
    assert np.isnan(tpr_at_low_fpr([reports[0], other]))


def test_who_adapts_to_the_noise_averages_as_many_answers_as_the_slider_says():
    explorer = mia.confidence_hiding()
    explorer.controls["n_queries"].value = 4
    assert "average" not in explorer.words
    explorer.controls["noisy"].value = 0.3
    queries = [result.experiment.n_queries for result in explorer.results]
    assert queries == [4, 4, 1, 1], "both attacks, with hiding and without"
    assert "Adapted, they average 4 answers about each record." in explorer.words


def test_labels_alone_are_a_tick():
    explorer = mia.confidence_hiding()
    explorer.controls["labels_only"].value = True
    hidden = [result.experiment.hide for result in explorer.results]
    assert hidden == [("labels_only",)] * 2 + [()] * 2, "beside them, those without hiding"


def test_a_share_is_what_its_label_says():
    shares = dict(options(mia.base_rate().controls["share"]))
    for label, share in shares.items():
        assert share == pytest.approx(1 / int(label.removeprefix("1 in ").replace(",", "")))
    assert list(shares.values()) == sorted(shares.values()), "to the right, as on the axis"


def test_the_steps_of_the_threshold_are_of_one_size():
    thresholds = dict(options(mia.threshold().controls["threshold"]))
    assert set(np.diff(list(thresholds.values())).round(9)) == {0.02}
    assert all(float(label) == value for label, value in thresholds.items())


def test_at_another_size_the_same_epochs_are_shown(a_fast_machine):
    explorer = mia.overfitting()
    for epochs in (1, 8, 32):
        explorer.controls["epochs"].value = epochs
    explorer.controls["n_members"].value = 200
    line = explorer.figure.trends[0]
    assert list(line.get_xdata()) == [1, 4, 8, 32]
    explorer.controls["epochs"].value = 2
    assert [result.experiment.epochs for result in explorer.results] == [2], "nothing is run twice"


@pytest.mark.slow
def test_one_record_is_judged_by_models_like_the_target_and_put_in_or_taken_out(one_of_each):
    explorer = one_of_each("one_record")
    explorer.reset()
    world = seeds = None
    for place, inside in ((3, False), (3, True), (200, True), (200, False)):
        explorer.controls["place"].value, explorer.controls["inside"].value = place, inside
        (found,) = explorer.results
        many = mia.ManyTargets(data="digits", n_members=450, hidden=32, n_targets=512, attack="gap")
        exposure = mia.expose(many)
        row = exposure.most_exposed(place)[-1]
        assert explorer.code == many.code
        assert np.array_equal(found.phi, exposure.phi[:, row["record"]])
        assert np.array_equal(found.members, exposure.members[:, row["record"]])
        assert found.auc == pytest.approx(row["auc"])

        seeds = mia.experiment.seeds_of(0)
        world = mia.split(mia.load_digits(), n_members=450, random_state=seeds.split)
        X, y = (np.concatenate(part) for part in zip(world.members, world.nonmembers, strict=True))
        members = np.arange(900) < 450
        members[row["record"]] = inside
        target = mia.MLP(hidden=32, random_state=seeds.target).fit(X[members], y[members])
        p = target.predict_proba(X[row["record"]][None])[0].astype(float)
        true = y[row["record"]]
        phi = np.log(p[true]) - np.log(np.delete(p, true).sum())
        assert found.told == pytest.approx(phi, rel=1e-3, abs=1e-3)
        # LiRA by SciPy: with 256 models on each side, four pseudo-counts are next to nothing
        sides = [
            norm(side.mean(), side.std())
            for side in (found.phi[found.members], found.phi[~found.members])
        ]
        ratio = sides[0].logpdf(phi) - sides[1].logpdf(phi)
        score = list(found.scores.values())[-1]
        assert score == pytest.approx(ratio, rel=0.05, abs=0.3)


def test_the_first_training_of_one_record_shows_its_progress_in_a_notebook(monkeypatch):
    shown = []
    bar = SimpleNamespace(update=lambda html: shown.append(html.data))
    monkeypatch.setattr(one_record_module, "get_ipython", lambda: SimpleNamespace(kernel=None))
    monkeypatch.setattr(one_record_module, "display", lambda *_, display_id: bar)

    def work(progress):
        progress(0.25)
        return "done"

    assert one_record_module.with_progress(work) == "done"
    assert "<progress value='0.25'>25%" in shown[0] and shown[-1] == "", "nothing is left of it"
    monkeypatch.setattr(one_record_module, "get_ipython", lambda: None)
    assert one_record_module.with_progress(lambda progress: progress) is None, "a plain script"
