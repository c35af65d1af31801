"""What is asked in notebook 05: each typical mistake named, and what cannot be judged."""

from functools import cache

import numpy as np
import pytest
from course import cells, exercise_cell
from scipy.stats import binom, norm
from sklearn.metrics import roc_auc_score, roc_curve

import miaedu as mia
from miaedu.exercises.nb05 import MENU, cases


@cache
def report(n_members=500, n_nonmembers=10_000, attack=mia.CalibratedAttack):
    """The Report of the notebook's cell with other numbers, or of another attack."""
    shoppers = mia.load_purchases(n_records=12_000, random_state=0)
    world = mia.split(shoppers, n_members, n_nonmembers, random_state=0)
    target = mia.MLP(hidden=32, random_state=0).fit(*world.members)
    few = mia.ShadowModels(mia.MLP(hidden=32), 4, random_state=1, train_size=500).fit(*world.pool)
    return mia.evaluate(attack().fit(few), mia.BlackBox(target), world)


@cache
def exposed_tenth():
    """Exercise 05.4 worked out by scikit-learn: the AUC of a digit's phi over some of the
    targets."""
    few = dict(data="digits", n_members=450, hidden=32, n_targets=32, attack="gap", random_state=1)
    exposure = mia.expose(mia.ManyTargets(**few))

    def aucs(targets):
        members, phi = exposure.members[targets], exposure.phi[targets]
        return np.array([roc_auc_score(m, p) for m, p in zip(members.T, phi.T, strict=True)])

    everyone, first, second = aucs(slice(None)), aucs(slice(0, None, 2)), aucs(slice(1, None, 2))
    chosen = np.argsort(-first, kind="stable")[:90]
    return {
        "judged": second[chosen].mean(),
        "headline": np.sort(everyone)[-90:].mean(),
        "chosen": first[chosen].mean(),
        "second": np.sort(second)[-90:].mean(),
        "everybody": everyone.mean(),
    }


def asked(density, cut=2):
    """LiRA's score by SciPy's normal distribution, or what `density` makes of it."""

    def my_lira(phi, saw, told):
        inside, outside = phi[saw], phi[~saw]
        if len(inside) < cut:
            return (told - outside.mean()) / outside.std()
        return density(told, inside) - density(told, outside)

    return my_lira


def log_normal(x, values, ddof=0):
    return norm.logpdf(x, values.mean(), values.std(ddof=ddof))


def offline(score):
    """Right online, and `score(told, outside, phi)` where fewer than two models saw the record."""

    def my_lira(phi, saw, told):
        if saw.sum() < 2:
            return score(told, phi[~saw], phi)
        return asked(log_normal)(phi, saw, told)

    return my_lira


WRONG = [
    ("05.1", (8, "a"), "a few hundredths wide"),
    ("05.1", (None, "c"), "each side is counted by itself"),
    ("05.1", (8, "because"), "one of the letters a, b, c"),
    ("05.2", lambda: report(500, 500), "about 0.5 false alarms"),
    ("05.2", lambda: report(500, 9_999), "it takes 10,000"),
    ("05.2", lambda: report(1_000, 10_000), "another target"),
    ("05.2", lambda: report(attack=mia.GapAttack), "flags no member at 0.1 %"),
    ("05.2", 10_000, "a Report, not int"),
    ("05.3", 3.0, "must be your function"),
    ("05.3", lambda: lambda phi, saw, told: None, "returns nothing"),
    ("05.3", lambda: lambda phi, saw, told: phi, "one finite number"),
    ("05.3", lambda: lambda phi, saw, told: np.nan, "one finite number"),
    ("05.3", lambda: lambda phi, saw, told: 1.0, "it should be"),
    ("05.3", lambda: lambda *case: -asked(log_normal)(*case), "upside down"),
    (
        "05.3",
        lambda: asked(lambda x, v: -(((x - v.mean()) / v.std()) ** 2) / 2),
        "logarithms of the two spreads",
    ),
    ("05.3", lambda: asked(lambda x, v: norm.logpdf(x, v.mean(), v.var())), "take std, not var"),
    (
        "05.3",
        lambda: (
            lambda phi, saw, told: (
                np.exp(asked(log_normal, 0)(phi, saw, told)) if saw.sum() > 1 else 0.0
            )
        ),
        "return its logarithm",
    ),
    ("05.3", lambda: asked(log_normal, 99), "the models with the record are not used"),
    ("05.3", lambda: offline(lambda told, out, phi: told - out.mean()), "divided by the spread"),
    (
        "05.3",
        lambda: offline(lambda told, out, phi: (told - out.mean()) / out.var()),
        "take std, not var",
    ),
    (
        "05.3",
        lambda: offline(lambda told, out, phi: (told - phi.mean()) / phi.std()),
        "must be left out",
    ),
    (
        "05.3",
        lambda: offline(lambda told, out, phi: (out.mean() - told) / out.std()),
        "upside down",
    ),
    ("05.4", ("a", 0.8), "random halves of the same digits"),
    ("05.4", ("c", 0.8), "no threshold is used"),
    ("05.4", ("d", 0.8), "What makes it too high"),
    ("05.4", ("x", 0.8), "one of the letters a, b, c, d"),
    ("05.4", lambda: ("b", exposed_tenth()["headline"]), "still the headline"),
    ("05.4", lambda: ("b", exposed_tenth()["chosen"]), 'the mean of "chosen_by"'),
    ("05.4", lambda: ("b", exposed_tenth()["second"]), "chosen on the second half"),
    ("05.4", lambda: ("b", exposed_tenth()["everybody"]), "the mean of all records"),
    ("05.4", ("b", 0.123), "take the mean of one of its entries"),
    ("05.4", ("b", 12), "from 0 to 1"),
    ("05.q1", "a", "0.5005"),
    ("05.q1", "b", "as good as chance"),
    ("05.q2", "a", "can hide a few"),
    ("05.q2", "c", "never an upper one"),
    ("05.q3", "a", "more than once in three"),
    ("05.q3", "c", "almost surely"),
]


@pytest.mark.parametrize(
    "key, answer, fragment", WRONG, ids=[f"{key}-{i}" for i, (key, *_) in enumerate(WRONG)]
)
def test_a_wrong_answer_is_told_what_is_wrong_with_it(key, answer, fragment):
    verdict = mia.check(key, answer() if callable(answer) else answer)
    assert verdict.state == "wrong" and fragment in verdict.message, verdict


@pytest.mark.parametrize("guess", [None, 8, 50, "half"])
def test_a_guess_is_answered_and_not_judged(guess):
    old = mia.run(mia.Experiment(hidden=32, n_members=1000, n_shadows=64)).report
    fpr, tpr, _ = roc_curve(old.members, old.scores, drop_intermediate=False)
    verdict = mia.check("05.1", (guess, "b"))
    assert verdict.state == "right"
    start = "It is" if guess is None else f"You said {guess}, it is"
    assert verdict.message.startswith(f"{start} {100 * tpr[fpr <= 0.01].max():.0f}: ")


def test_a_report_with_enough_non_members_is_right_and_its_false_alarms_are_counted():
    found = report()
    fpr, tpr, _ = roc_curve(found.members, found.scores, drop_intermediate=False)
    verdict = mia.check("05.2", found)
    assert verdict.state == "right"
    assert f"flags {100 * tpr[fpr <= 0.001].max():.1f} of 100 members" in verdict.message
    assert f"with {10_000 * fpr[fpr <= 0.001].max():.0f} false alarms counted" in verdict.message


@pytest.mark.parametrize("ddof", [0, 1])
def test_liras_score_is_right_with_either_standard_deviation(ddof):
    def my_lira(phi, saw, told):
        inside, outside = phi[saw], phi[~saw]
        if len(inside) < 2:
            return (told - outside.mean()) / outside.std(ddof=ddof)
        return log_normal(told, inside, ddof) - log_normal(told, outside, ddof)

    assert mia.check("05.3", my_lira).state == "right"


def test_the_stub_of_the_notebook_is_not_attempted():
    source, names = exercise_cell("05.3")[0].source, {"mia": mia, "np": np}
    exec(source, names)
    assert mia.check("05.3", names["my_lira"]).state == "not attempted"


def test_the_cases_ask_for_both_modes():
    counts = [int(saw.sum()) for _, saw, _ in cases().values()]
    assert counts == [4, 4, 4, 0, 1]


@pytest.mark.parametrize(
    "part, state", [(-1.1, "wrong"), (-0.9, "right"), (0.9, "right"), (1.1, "wrong")]
)
def test_the_mended_auc_is_right_up_to_its_tolerance(part, state):
    assert mia.check("05.4", ("b", exposed_tenth()["judged"] + part * 0.005)).state == state


def test_the_mistakes_of_the_diagnosis_can_be_told_apart():
    judged = exposed_tenth()["judged"]
    others = [rate for name, rate in exposed_tenth().items() if name != "judged"]
    assert min(abs(judged - rate) for rate in others) > 0.0102
    assert exposed_tenth()["headline"] > judged, "luck makes it better than it is"
    assert mia.check("05.4", ("b", ...)).state == "not attempted"


def test_the_menu_of_the_notebook_has_an_answer_for_each_letter():
    (above,) = [c.source for c in cells("05", "markdown") if "What is broken?" in c.source]
    assert sorted([*MENU, "b"]) == [line[2] for line in above.splitlines() if line[:2] == "- "]


def test_the_numbers_of_the_quiz_are_those_of_the_formulas():
    # a sure member in 1,000, and coins: TPR = 0.001 + 0.999 FPR
    sure = np.linspace(0, 1, 10_001)
    assert np.trapezoid(0.001 + 0.999 * sure, sure) == pytest.approx(0.5005, abs=1e-6)
    assert binom.pmf(0, 500, 1 / 500) > 1 / 3
    assert binom.pmf(0, 500, 5 / 100) < 1e-10
    assert binom.pmf(0, 500, 3 / 500) == pytest.approx(0.994**500)
    assert 0.994**500 == pytest.approx(0.05, abs=0.001)


@pytest.mark.parametrize("key, answer", [("05.1", "b"), ("05.4", "b")])
def test_an_answer_that_cannot_be_judged_is_an_error(key, answer):
    assert mia.check(key, answer).state == "error"
