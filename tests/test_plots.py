"""Figures and words: what is drawn and said is what was found, and drawing leaves no trace
elsewhere."""

import re
from dataclasses import replace

import matplotlib as mpl
import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.text import Text
from nbclient import NotebookClient
from scipy.stats import norm
from sklearn.metrics import roc_auc_score, roc_curve

import miaedu as mia
from miaedu import CanaryAudit, Experiment
from miaedu.experiment import CHOICES
from miaedu.plots import mark_guess

SMALL = Experiment(n_members=150, n_items=60, hidden=16, epochs=15, n_shadows=3)
HIDDEN = replace(SMALL, hide=(("softened", 5.0),))
PRIVATE = replace(SMALL, clip=1.0, noise_multiplier=3.0)
AUDIT = CanaryAudit(
    mu=0.42, epsilon=1.1, delta=1e-5, tpr=0.4, fpr=0.2, n_runs=1000, level=0.95, promised=1.29
)


def frontier():
    """Records of two countermeasures, as `sweep` gives them."""
    hidden = [replace(SMALL, hide=(("softened", t),)) for t in (2.0, 20.0)]
    return {
        name: mia.sweep(sweep, progress=False)
        for name, sweep in (
            ("L2", [replace(SMALL, l2=l2) for l2 in (0.0, 0.01, 0.1)]),
            ("softening", hidden),
        )
    }


def repetitions(e, n):
    return [mia.run(replace(e, random_state=seed)) for seed in range(n)]


PICTURES = {
    "roc": lambda ax=None: mia.plot_roc(mia.run(SMALL).report, ax),
    "roc log": lambda ax=None: mia.plot_roc(mia.run(SMALL).report, ax, log=True),
    "roc of two": lambda ax=None: mia.plot_roc(
        [mia.run(HIDDEN).naive, mia.run(HIDDEN).adaptive], ax
    ),
    "ceiling": lambda ax=None: mia.plot_ceiling(mia.run(PRIVATE), AUDIT, ax),
    "ceiling log": lambda ax=None: mia.plot_ceiling(mia.run(PRIVATE), ax=ax, log=True),
    "ceiling of many": lambda ax=None: mia.plot_ceiling(repetitions(PRIVATE, 5), ax=ax),
    "frontier": lambda ax=None: mia.plot_frontier(frontier(), ax),
}
each_picture = pytest.mark.parametrize("draw", PICTURES.values(), ids=PICTURES)


@pytest.fixture(autouse=True)
def no_figures_left():
    yield
    plt.close("all")


def axes():
    """Axes of a figure that pyplot knows nothing of."""
    return Figure(figsize=(5, 4)).add_subplot()


def state():
    """Matplotlib's settings, but for the backend, which is chosen when a first figure needs one."""
    return {name: value for name, value in mpl.rcParams.items() if name != "backend"}


def line(ax, label):
    found = [line for line in ax.lines if label in str(line.get_label())]
    assert len(found) == 1, f"{label} among {[line.get_label() for line in ax.lines]}"
    return found[0]


# Drawing


@each_picture
def test_drawing_on_given_axes_touches_nothing_else(draw):
    settings, open_ones = state(), plt.get_fignums()
    ax = axes()
    assert draw(ax) is ax
    assert plt.get_fignums() == open_ones and state() == settings
    assert ax.figure.axes == [ax]


@each_picture
def test_without_axes_one_figure_is_made_and_settings_stay(draw):
    settings = state()
    ax = draw()
    assert plt.get_fignums() == [ax.figure.number] and state() == settings


@each_picture
def test_letters_are_large_enough_and_the_paper_is_white(draw):
    ax = draw()
    ax.figure.canvas.draw()
    texts = [
        text for text in ax.figure.findobj(Text) if text.get_text().strip() and text.get_visible()
    ]
    assert len(texts) > 8 and min(text.get_fontsize() for text in texts) >= 9
    assert {to_hex(part.get_facecolor()) for part in (ax, ax.figure)} == {"#ffffff"}
    assert ax.get_xlabel() and ax.get_ylabel() and ax.get_legend()


@each_picture
def test_nothing_of_the_picture_is_cut_off(draw):
    ax = draw()
    ax.figure.canvas.draw()
    paper, drawn = ax.figure.bbox, ax.get_tightbbox()
    # a pixel
    assert (
        drawn.x0 >= -1 and drawn.y0 >= -1 and drawn.x1 <= paper.x1 + 1 and drawn.y1 <= paper.y1 + 1
    )


@pytest.mark.parametrize("name", ["roc", "roc log", "roc of two", "ceiling", "ceiling log"])
def test_chance_is_drawn(name):
    x, y = line(PICTURES[name](axes()), "chance").get_data()
    np.testing.assert_array_equal(x, y)
    assert max(x) == 1


@pytest.mark.parametrize("name", ["roc of two", "frontier", "ceiling"])
def test_lines_differ_by_more_than_their_colour(name):
    ax = PICTURES[name](axes())
    looks = [
        (
            line.get_linestyle(),
            line.get_marker(),
            line.get_fillstyle(),
            line.get_markerfacecolor() == "none",
        )
        for line in ax.lines
        if not str(line.get_label()).startswith("_")
    ]
    assert len(set(map(str, looks))) == len(looks)


# ROC curves


@pytest.mark.parametrize(
    "e",
    [SMALL, replace(SMALL, attack="threshold"), replace(SMALL, attack="gap"), PRIVATE],
    ids=repr,
)
@pytest.mark.parametrize("log", [False, True])
def test_the_curve_is_scikit_learns(e, log):
    report = mia.run(e).report
    ax = mia.plot_roc(report, axes(), log=log)
    fpr, tpr, _ = roc_curve(report.members, report.scores, drop_intermediate=False)
    np.testing.assert_allclose(line(ax, report.name).get_data(), [fpr, tpr], atol=1e-12)


def test_the_legend_names_the_attack_its_auc_and_its_interval():
    report = mia.run(SMALL).report
    label = line(mia.plot_roc(report, axes()), report.name).get_label()
    assert numbers(label) == two_digits(
        roc_auc_score(report.members, report.scores), *report.interval("auc")
    )


@pytest.mark.parametrize("log", [False, True])
def test_the_gap_attack_stands_where_its_rates_are(log):
    report = mia.run(SMALL).report
    x, y = line(mia.plot_roc(report, axes(), log=log), "gap attack").get_data()
    assert (x[0], y[0]) == (
        report.right[~report.members].mean(),
        report.right[report.members].mean(),
    )


def test_logarithmic_axes_mark_the_smallest_rate_that_can_be_seen():
    report = mia.run(SMALL).report
    ax = mia.plot_roc(report, axes(), log=True)
    assert ax.get_xscale() == ax.get_yscale() == "log"
    floor = line(ax, "smallest visible FPR, 1/150")
    assert list(floor.get_xdata()) == [1 / 150, 1 / 150]
    assert ax.get_xlim()[0] < 1 / 150 < 1 < ax.get_xlim()[1] and ax.get_ylim()[1] > 1
    plain = mia.plot_roc(report, axes())
    assert plain.get_xscale() == plain.get_yscale() == "linear"


def test_several_reports_are_several_curves_under_their_own_names():
    result = mia.run(HIDDEN)
    ax = mia.plot_roc([result.naive, result.adaptive], axes())
    for report in (result.naive, result.adaptive):
        expected = roc_curve(report.members, report.scores, drop_intermediate=False)[1]
        np.testing.assert_allclose(
            line(ax, f"{report.name}: AUC {report.auc:.2f}").get_ydata(), expected
        )


def test_an_attack_has_its_look_wherever_it_stands_and_whatever_its_report_is_called():
    old, new = (mia.run(replace(SMALL, attack=name)).report for name in ("shadow", "calibrated"))
    shown = {"attack of 2017, here": old, "calibrated attack": new}
    for names in (list(shown), list(shown)[::-1]):
        ax = mia.plot_roc({name: shown[name] for name in names}, axes())
        drawn = [line(ax, name) for name in shown]
        looks = [(curve.get_color(), curve.get_linestyle()) for curve in drawn]
        assert looks == [("black", "--"), ("#009E73", "-")]
        for curve, report in zip(drawn, shown.values(), strict=True):
            assert curve.get_xdata() == pytest.approx(report.roc()[0])


# The ceiling


@pytest.mark.parametrize("log", [False, True])
def test_the_ceiling_is_drawn_over_the_measured_curve(log):
    result = mia.run(PRIVATE)
    ax = mia.plot_ceiling(result, ax=axes(), log=log)
    x, y = line(ax, "proven ceiling").get_data()
    np.testing.assert_allclose(y[:-1], norm.cdf(norm.ppf(x[:-1]) + 15**0.5 / 3))
    assert min(x) <= (1 / len(result.report.scores)) and max(x) == 1
    fpr, tpr, _ = roc_curve(result.report.members, result.report.scores, drop_intermediate=False)
    np.testing.assert_allclose(line(ax, "measured").get_ydata(), tpr, atol=1e-12)
    assert len(ax.collections) == 1, "what no attack can reach is shaded"


def test_what_is_promised_and_what_is_measured_stand_above_the_ceiling():
    result = mia.run(PRIVATE)
    alone, both = (
        mia.plot_ceiling(result, audit, axes()).get_title(loc="left") for audit in (None, AUDIT)
    )
    promise = [
        f"{15**0.5 / 3:.2f}",
        f"{mia.epsilon(noise_multiplier=3.0, steps=15, delta=1e-5):.1f}",
        "1e-5",
    ]
    assert numbers(alone) == promise and alone.startswith("promised: mu")
    assert (
        numbers(both) == [*promise, "0.42", "1.10"]
        and "measured by the audit: mu at least 0.42" in both
    )


def test_each_repetition_has_its_curve_under_one_ceiling():
    results = repetitions(PRIVATE, 4)
    ax = mia.plot_ceiling(results, ax=axes())
    for result in results:
        tpr = roc_curve(result.report.members, result.report.scores, drop_intermediate=False)[1]
        assert any(
            len(line.get_ydata()) == len(tpr) and np.allclose(line.get_ydata(), tpr)
            for line in ax.lines
        )
    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert names == ["chance", "measured, one a target", "gap attack", "proven ceiling"], (
        "one name each"
    )
    right = {(r.report.test_accuracy, r.report.train_accuracy) for r in results}
    assert right == {
        (x, y) for line in ax.lines if line.get_marker() == "o" for x, y in line.get_xydata()
    }
    # A floor that holds for all of them: the fewest non-members decide.
    least = min((~result.report.members).sum() for result in results)
    assert (
        f"1/{least}"
        in line(mia.plot_ceiling(results, ax=axes(), log=True), "smallest visible").get_label()
    )


# The frontier


def test_the_frontier_shows_for_each_countermeasure_what_it_costs_and_buys():
    records = frontier()
    ax = mia.plot_frontier(records, axes())
    for name, rows in records.items():
        best = (
            line(ax, name)
            if name == "L2"
            else next(line for line in ax.lines if line.get_label() == name)
        )
        assert list(best.get_xdata()) == [row["test_accuracy"] for row in rows]
        assert list(best.get_ydata()) == [
            max(row["advantage"], row["gap_advantage"]) for row in rows
        ]
    naive = line(ax, "softening, naive attacker")
    assert list(naive.get_ydata()) == [row["naive_advantage"] for row in records["softening"]]
    assert naive.get_linestyle() == ":" and len(ax.get_legend().get_texts()) == 3
    assert "accuracy" in ax.get_xlabel() and "advantage" in ax.get_ylabel()
    assert any(set(line.get_ydata()) == {0} for line in ax.lines), (
        "no advantage at all is drawn, as a line"
    )


def test_a_guess_is_a_dashed_line_and_no_guess_is_none():
    ax = mia.plot_roc(mia.run(SMALL).report, axes())
    before = len(ax.lines)
    assert mark_guess(ax, None) is ax and len(ax.lines) == before
    guess = line(mark_guess(ax, 0.25), "your guess: 0.25")
    assert set(guess.get_ydata()) == {0.25} and guess.get_linestyle() == "--"
    assert set(line(mark_guess(axes(), 3, axis="x"), "your guess: 3").get_xdata()) == {3}


# Words


def numbers(text):
    """The numbers in a text, as they are written, but for the fixed ones of the phrases "95 %" and
    "of 100"."""
    text = re.sub(r"95 %|[oO]f 100 ", "", text)
    return re.findall(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e-\d+)?", text)


def measured(report):
    """What a report's words must say, worked out from its scores alone."""
    called, members = report.scores >= report.threshold, report.members
    tpr, fpr = called[members].mean(), called[~members].mean()
    train, test = report.right[members].mean(), report.right[~members].mean()
    found = dict(tpr=tpr, fpr=fpr, train=train, test=test)
    return found | dict(
        auc=roc_auc_score(members, report.scores), advantage=tpr - fpr, gap=train - test
    )


def shares(found):
    return [f"{100 * found[name]:.0f}" for name in ("tpr", "fpr", "train", "test")]


def two_digits(*values):
    return [f"{value:.2f}" for value in values]


@pytest.mark.parametrize(
    "e",
    [
        SMALL,
        replace(SMALL, n_shadows=1),
        replace(SMALL, attack="threshold"),
        replace(SMALL, data="digits"),
    ],
    ids=repr,
)
def test_the_words_of_one_result_are_its_numbers(e):
    report, words = mia.run(e).report, mia.describe(mia.run(e))
    found, (low, high) = measured(report), report.interval("auc")
    expected = two_digits(found["auc"], low, high, found["advantage"], found["gap"])
    assert numbers(words) == [str(e.n_shadows), *expected, *shares(found)]
    shadows = "1 shadow model" if e.n_shadows == 1 else "3 shadow models"
    assert words.startswith(f"With {shadows}, the {e.attack} attack reaches AUC")
    assert "adapted" not in words and "promise" not in words


def test_the_words_of_an_attack_without_shadows_name_none():
    words = mia.describe(mia.run(replace(SMALL, attack="gap")))
    assert words.startswith("The gap attack reaches AUC") and "shadow" not in words
    assert "the label-only attack" in mia.describe(mia.run(replace(SMALL, attack="label_only")))


@pytest.mark.parametrize("pool", CHOICES["pool"])
def test_the_words_say_what_the_shadow_models_learned_from(pool):
    words = mia.describe(mia.run(replace(SMALL, pool=pool)))
    start = words.partition(", the shadow attack")[0]
    if pool == "real":
        assert start == "With 3 shadow models"
    else:
        told = {"synthesized": "synthesized", "uniform": "blindly"}.get(pool, pool)
        assert start.startswith("With 3 shadow models of ") and told in start
    gap = mia.describe(mia.run(replace(SMALL, pool=pool, attack="gap")))
    assert gap.startswith("The gap attack reaches")


def test_the_words_of_hiding_tell_of_both_attackers():
    result = mia.run(HIDDEN)
    adaptive, naive = measured(result.adaptive), measured(result.naive)
    low, high = result.adaptive.interval("auc")
    expected = two_digits(adaptive["auc"], low, high, adaptive["advantage"])
    expected += two_digits(naive["auc"], naive["advantage"], adaptive["gap"])
    words = mia.describe(result)
    assert numbers(words) == ["3", *expected, *shares(adaptive)]
    assert "adapted to the hiding, reaches" in words and "not adapted, AUC" in words


def test_the_words_of_repetitions_are_their_means_and_their_spread():
    results = repetitions(SMALL, 3)
    found = [measured(result.report) for result in results]
    mean = {name: np.mean([one[name] for one in found]) for name in found[0]}
    aucs = [one["auc"] for one in found]
    expected = [
        "3",
        *two_digits(mean["auc"], min(aucs), max(aucs)),
        "3",
        *two_digits(mean["advantage"], mean["gap"]),
    ]
    assert numbers(mia.describe(results)) == expected + shares(mean)
    assert "over 3 repetitions" in mia.describe(results)


def test_the_words_of_private_training_tell_the_promise_and_whom_it_is_for():
    words = mia.describe(mia.run(PRIVATE))
    mu = 15**0.5 / 3
    promise = [
        "3",
        "15",
        f"{mu:.2f}",
        f"{mia.epsilon(noise_multiplier=3.0, steps=15, delta=1e-5):.1f}",
        "1e-5",
        f"{norm.cdf(mu / 2**0.5):.2f}",
        f"{2 * norm.cdf(mu / 2) - 1:.2f}",
    ]
    assert numbers(words)[-7:] == promise
    assert "a coin" in words and "pooled over retrained targets" in words
    assert "nothing is promised" in mia.describe(mia.run(replace(SMALL, clip=1.0)))


@pytest.mark.parametrize("e", [SMALL, HIDDEN, PRIVATE, replace(SMALL, attack="gap")], ids=repr)
def test_words_are_sentences(e):
    words = mia.describe(mia.run(e))
    assert words[0].isupper() and words.endswith(".") and "nan" not in words and "  " not in words


def swept():
    """Two positions of a knob, two repetitions each, whose means can be worked out by hand."""
    common = {"attack": "shadow", "test_accuracy": 0.5, "naive_advantage": 0.0}
    common |= {"auc": 0.7, "mu": 2.0}
    rows = ((0.0, 0.4, 0.1), (0.0, 0.2, 0.3), (0.1, 0.1, 0.0), (0.1, 0.3, 0.2))
    return [
        common | {"l2": l2, "advantage": advantage, "gap_advantage": gap}
        for l2, advantage, gap in rows
    ]


def test_plot_sweep_draws_the_mean_of_the_repetitions_of_each_position_and_says_it():
    ax = mia.plot_sweep(swept(), "l2", ["ceiling", "leak", "gap_advantage"], xlabel="price")
    drawn = {line.get_label(): line.get_ydata() for line in ax.lines if line.get_label()[0] != "_"}
    # the larger of both advantages is .4, .3, .1, .3; the ceiling of mu 2 is 2 Phi(1) - 1
    assert drawn["advantage, attack of 2017 or gap attack"] == pytest.approx([0.35, 0.2])
    assert drawn["advantage, gap attack"] == pytest.approx([0.2, 0.1])
    assert drawn["proven ceiling"] == pytest.approx([0.6827, 0.6827], abs=1e-4)
    dots = [line.get_ydata() for line in ax.lines if line.get_marker() == "."]
    assert [sorted(values) for values in dots[2:4]] == [[0.3, 0.4], [0.1, 0.3]]
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["0.0", "0.1"]
    words = ax.figure._repr_html_()
    assert "Means for price 0.0, 0.1; proven ceiling 0.68, 0.68;" in words


def test_plot_sweep_draws_the_calibrated_attack_beside_another_one():
    calibrated = [record | {"attack": "calibrated", "advantage": 0.5} for record in swept()]
    ax = mia.plot_sweep(swept() + calibrated, "l2", ["leak", "calibrated"])
    drawn = {line.get_label(): line.get_ydata() for line in ax.lines if line.get_label()[0] != "_"}
    assert drawn["advantage, calibrated attack"] == pytest.approx([0.5, 0.5])
    assert drawn["advantage, attack of 2017 or gap attack"] == pytest.approx([0.35, 0.2])
    with pytest.raises(ValueError, match="to draw both, got shadow"):
        mia.plot_sweep(swept(), "l2", ["leak", "calibrated"])


def test_plot_sweep_names_a_measure_that_it_does_not_know():
    with pytest.raises(ValueError, match="measures must be among auc, .*, got 'f1'"):
        mia.plot_sweep(swept(), "l2", ["f1"])


@pytest.mark.slow
def test_a_first_picture_by_plot_sweep_leaves_later_pictures_of_a_notebook_shown():
    first = (
        "import matplotlib.pyplot as plt\nimport miaedu as mia\n"
        "records = mia.sweep([mia.Experiment(n_shadows=1)], progress=False)\n"
        "ax = mia.plot_sweep(records, 'l2', ['leak'])"
    )
    sources = first, "fig, ax = plt.subplots()", "fig, ax = plt.subplots()"
    notebook = nbformat.v4.new_notebook(cells=list(map(nbformat.v4.new_code_cell, sources)))
    NotebookClient(notebook, kernel_name="python3", timeout=120).execute()
    shown = [any("image/png" in o.get("data", {}) for o in c.outputs) for c in notebook.cells]
    assert shown == [True, True, True]
