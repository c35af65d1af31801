"""Exercises of notebook 05: measure as it is done today. What is true is computed again, by the
notebook's own steps."""

import numpy as np

from ..experiment import Experiment, run
from ..exposure import ManyTargets, expose
from ..metrics import FALSE_ALARMS, Report
from . import Exercise, not_a_share, prediction, quiz
from .variant import kept, moved, number

RARE = 0.001  # the false alarm rate of exercise 05.2


def hits_of_2017():
    """Of 100 members, how many the attack of 2017 flags at 1 % false alarms, as text."""
    report = run(Experiment(hidden=32, n_members=1000, n_shadows=64)).report
    return f"{100 * report.tpr_at(0.01):.0f}"


def members_asked():
    """How many records the target of exercise 05.2 learns from."""
    return number(500, 400, 450, 550, 600)


def judge_resolution(answer):
    if not isinstance(answer, Report):
        return f"answer must be what mia.evaluate returns, a Report, not {type(answer).__name__}."
    n_members, n_nonmembers = (int(side.sum()) for side in (answer.members, ~answer.members))
    needed = round(FALSE_ALARMS / RARE)
    if n_nonmembers < needed:
        return (
            f"with {n_nonmembers:,} non-members about {RARE * n_nonmembers:g} false alarms stand "
            f"behind a rate of 0.1 %. For {FALSE_ALARMS} of them it takes {needed:,}."
        )
    if n_members != members_asked():
        return (
            f"the target has learned from {n_members:,} records, not from {members_asked()}: "
            "another target. Change the number of non-members alone."
        )
    if not answer.tpr_at(RARE) > 0:
        return "this attack flags no member at 0.1 %: take the calibrated attack of the cell above."
    return None


def told_resolution(answer):
    low, high = (100 * end for end in answer.interval("tpr_at", RARE))
    alarms = answer.rates_within(RARE)[0] * (~answer.members).sum()
    return (
        f"At 0.1 % false alarms it flags {100 * answer.tpr_at(RARE):.1f} of 100 members (95 % "
        f"interval {low:.1f} to {high:.1f}), with {alarms:.0f} false alarms counted."
    )


def log_normal(x, values):
    """The logarithm of a normal density with the mean and spread of `values`, less one constant."""
    return -0.5 * ((x - values.mean()) / values.std()) ** 2 - np.log(values.std())


def cases():
    """What LiRA is asked in exercise 05.3, (phi, saw, told) by name."""
    rng = np.random.default_rng(moved(0))
    saw = np.arange(12) % 3 == 0
    phi = np.where(saw, 4.0, 1.0) + np.where(saw, 0.5, 2.0) * rng.standard_normal(12)
    nobody, single = np.zeros(12, bool), np.arange(12) == 5
    return {
        "as by models with it": (phi, saw, 4.1),
        "as by models without it": (phi, saw, 0.3),
        "far above both": (phi, saw, 9.0),
        "nobody saw it": (phi, nobody, 3.0),
        "one saw it": (phi, single, 3.0),
    }


def lira_of(phi, saw, told):
    """What is asked: LiRA's score online, and offline where fewer than two models saw the
    record."""
    inside, outside = phi[saw], phi[~saw]
    if len(inside) < 2:
        return (told - outside.mean()) / outside.std()
    return log_normal(told, inside) - log_normal(told, outside)


def judge_lira(score_of):
    if not callable(score_of):
        return f"answer must be your function my_lira, got {score_of!r}."
    found = {name: score_of(*case) for name, case in cases().items()}
    if any(value is ... for value in found.values()):
        return ...
    if any(value is None for value in found.values()):
        return "your function returns nothing: end it with return."
    if any(np.ndim(value) or not np.isfinite(value) for value in found.values()):
        return f"it must return one finite number for one record, got {next(iter(found.values()))}."
    online, offline = list(found)[:3], list(found)[3:]
    if complaint := _compared(found, online, ONLINE):
        return f"where models with and without the record are there, {complaint}"
    if complaint := _compared(found, offline, OFFLINE):
        return f"where fewer than two models have the record, {complaint}"
    return None


def _compared(found, names, mistakes):
    """Which of the `mistakes` explains what was found in these cases; None if it is right."""
    given = np.array([found[name] for name in names], float)
    asked = [cases()[name] for name in names]
    for rule, complaint in ((lira_of, None), (_unbiased, None), *mistakes):
        if np.allclose(given, [rule(*case) for case in asked], rtol=1e-6, atol=1e-9):
            return complaint
    return (
        f"it should be {lira_of(*asked[0]):.3f} for phi {np.round(asked[0][0], 2).tolist()}, saw "
        f"{asked[0][1].astype(int).tolist()}, told {asked[0][2]}; yours is {given[0]:.3f}."
    )


def _unbiased(phi, saw, told):
    """The same with spreads that divide by one less than the number of models."""
    inside, outside = phi[saw], phi[~saw]
    spread = outside.std(ddof=1)
    z = (told - outside.mean()) / spread
    if len(inside) < 2:
        return z
    spread_in = inside.std(ddof=1)
    z_in = (told - inside.mean()) / spread_in
    return -0.5 * z_in**2 - np.log(spread_in) + 0.5 * z**2 + np.log(spread)


def _exponents(phi, saw, told):
    inside, outside = phi[saw], phi[~saw]
    z_in, z_out = ((told - side.mean()) / side.std() for side in (inside, outside))
    return 0.5 * z_out**2 - 0.5 * z_in**2


def _variances(phi, saw, told):
    inside, outside = phi[saw], phi[~saw]
    (m_in, v_in), (m_out, v_out) = ((side.mean(), side.var()) for side in (inside, outside))
    z_in, z_out = (told - m_in) / v_in, (told - m_out) / v_out
    return -0.5 * z_in**2 - np.log(v_in) + 0.5 * z_out**2 + np.log(v_out)


def _distance(phi, saw, told):
    return told - phi[~saw].mean()


def _standardised(phi, saw, told):
    return _distance(phi, saw, told) / phi[~saw].std()


def _by_variance(phi, saw, told):
    return _distance(phi, saw, told) / phi[~saw].var()


def _of_all(phi, saw, told):
    return (told - phi.mean()) / phi.std()


def _turned(rule):
    return lambda phi, saw, told: -rule(phi, saw, told)


UPSIDE_DOWN = (
    "the score is upside down: it must be higher where the answer looks more like those of "
    "models with the record."
)
ONLINE = (
    (_turned(lira_of), UPSIDE_DOWN),
    (_turned(_unbiased), UPSIDE_DOWN),
    (
        _exponents,
        "the logarithms of the two spreads are missing: a narrow normal density is higher.",
    ),
    (_variances, "the variances stand where the spreads belong: take std, not var."),
    (lambda *case: np.exp(lira_of(*case)), "this is the ratio itself: return its logarithm."),
    (_standardised, "the models with the record are not used: that is the offline score."),
)
OFFLINE = (
    (_turned(_standardised), UPSIDE_DOWN),
    (_by_variance, "the variance stands where the spread belongs: take std, not var."),
    (_distance, "the distance must be divided by the spread of the models without the record."),
    (
        _of_all,
        "the model that saw the record must be left out: take mean and spread of the others.",
    ),
)


@kept
def exposed_tenth():
    """The mean AUC of the most exposed tenth, as it is judged and misjudged in exercise 05.4."""
    settings = dict(data="digits", n_members=450, hidden=32, n_targets=32, attack="gap")
    exposure = expose(ManyTargets(**settings, random_state=moved(1)))
    rows = exposure.most_exposed(90)
    second = np.sort(exposure.half(1).auc)[::-1]
    return {
        "judged": np.mean([row["auc"] for row in rows]),
        "headline": np.sort(exposure.auc)[::-1][:90].mean(),
        "chosen": np.mean([row["chosen_by"] for row in rows]),
        "second": second[:90].mean(),
        "everybody": exposure.auc.mean(),
    }


MENU = {
    "a": "both halves of the models learn from random halves of the same digits.",
    "c": "no threshold is used here: an AUC speaks of all of them.",
    "d": (
        "10 / FPR is for a TPR at a low FPR. An AUC of few models is uncertain, but not too high "
        "on average. What makes it too high here?"
    ),
}
SAME_MODELS = "the records were chosen on the very models on which they are judged"
TOLERANCE = 0.005 + 1e-9  # two decimals are enough


def diagnose(answer):
    letter, mended = answer
    first = quiz("", "b", SAME_MODELS, MENU, "").judge(letter)
    if first:
        return first
    if complaint := not_a_share("mended", mended):
        return complaint
    rates = exposed_tenth()
    nearest = min(rates, key=lambda name: abs(mended - rates[name]))
    if abs(mended - rates[nearest]) > TOLERANCE:
        return (
            f"the letter is right, but the number is not {mended:.3f}. exposure.most_exposed(90) "
            "gives a dict for each record: take the mean of one of its entries."
        )
    mistakes = {
        "headline": "the letter is right, but the number is still the headline.",
        "chosen": (
            'the letter is right, but the number is the mean of "chosen_by", on the half of the '
            "models by which the records were chosen."
        ),
        "second": (
            "the letter is right, but these records were chosen on the second half, and judged on "
            "it: it must have had no say."
        ),
        "everybody": "the letter is right, but the number is the mean of all records.",
    }
    return mistakes.get(nearest)


EXPOSURE = """few = dict(data="digits", n_members=450, hidden=32, n_targets=32, attack="gap")
exposure = mia.expose(mia.ManyTargets(**few, random_state=1))
"""

EXERCISES = {
    "05.1": prediction(
        "Predict what is left of an attack where false alarms are few.",
        "b",
        "The AUC is a mean of the hits over all false alarm rates from 0 to 1, and rates below "
        "1 % are a hundredth of it.",
        {
            "a": "the interval of the AUC is a few hundredths wide, far from one half.",
            "c": "neither the AUC nor the TPR depends on it: each side is counted by itself.",
        },
        hits_of_2017,
        "Over which false alarm rates does the area under the curve reach?",
        "nearly all of the area lies where many people are flagged by mistake.",
    ),
    "05.2": Exercise(
        "Test with as many non-members as a low false alarm rate takes.",
        judge_resolution,
        "How many non-members does it take until ten of them are a share of 0.1 %?",
        """shoppers = mia.load_purchases(n_records=12_000, random_state=0)
world = mia.split(shoppers, n_members=500, n_nonmembers=10_000, random_state=0)
target = mia.MLP(hidden=32, random_state=0).fit(*world.members)
few = mia.ShadowModels(mia.MLP(hidden=32), 16, random_state=1, train_size=500).fit(*world.pool)
answer = mia.evaluate(mia.CalibratedAttack().fit(few), mia.BlackBox(target), world)
""",
        told_resolution,
        tolerance="any Report with these members, 10,000 non-members and a hit at 0.1 %",
        mistakes=("too few non-members", "another number of members: another target"),
        redrawn=lambda: [
            ("n_members=500", f"n_members={members_asked()}"),
            ("learns from 500 records", f"learns from {members_asked()} records"),
        ],
    ),
    "05.3": Exercise(
        "Write LiRA's score for one record.",
        judge_lira,
        "The logarithm of a normal density is -0.5 * ((x - mean) / spread) ** 2 - log(spread), "
        "but for a constant that both sides share.",
        '''def log_normal(x, values):
    return -0.5 * ((x - values.mean()) / values.std()) ** 2 - np.log(values.std())


def my_lira(phi, saw, told):
    """LiRA's score for one record: higher = likelier a member."""
    inside, outside = phi[saw], phi[~saw]
    if len(inside) < 2:
        return (told - outside.mean()) / outside.std()
    return log_normal(told, inside) - log_normal(told, outside)
''',
        "This is LiRA, online and offline; the module's also draws a spread that rests on few "
        "models towards that of all records.",
        tolerance="one in a million, in five cases; spreads of n or of n - 1",
        mistakes=(
            "upside down",
            "the logarithms of the two spreads missing",
            "variance in place of spread",
            "offline, the model that saw the record left in",
        ),
        parameters=("phi", "saw", "told"),
    ),
    "05.4": Exercise(
        "See through a maximum that is judged where it was found.",
        diagnose,
        "With 32 models, some records come out high by luck. Who decided that these are the most "
        "exposed?",
        EXPOSURE
        + """broken = "b"
mended = np.mean([row["auc"] for row in exposure.most_exposed(90)])
""",
        "Whatever is chosen as the highest of many is partly luck: judge it where it was not "
        "chosen.",
        tolerance="0.005: two decimals",
        mistakes=("the headline", "chosen_by in place of auc", "the mean of all records"),
        letters="abcd",
        data=EXPOSURE,
    ),
    "05.q1": quiz(
        "Know which measure shows that a few people are exposed.",
        "c",
        "the TPR at a low FPR",
        {
            "a": "the AUC of this attack is 0.5005: it hides the one behind the thousand.",
            "b": "the accuracy of this attack is 0.5005 where half are members: as good as chance.",
        },
        "For each measure: what would it be for an attack that only tosses coins?",
        "At a false alarm rate next to 0 it flags 1 member in 1,000, where a coin flags none.",
    ),
    "05.q2": quiz(
        "Say what a failed attack shows.",
        "b",
        "that this attack, over these records together, tells members hardly better than chance; "
        "single records and stronger attacks are open",
        {
            "a": "an average near chance can hide a few whose membership is plain.",
            "c": (
                "a bound on what an attack found is a lower bound on epsilon, never an upper one: "
                "only a proof about the training bounds it from above."
            ),
        },
        "Whom does an average speak of, and which attacks does one attack speak of?",
        "A failed attack is evidence about the attack first.",
    ),
    "05.q3": quiz(
        "Read zero false alarms.",
        "b",
        "it is below about 3 in 500, with 95 % probability",
        {
            "a": "a rate of 1 in 500 would leave 500 non-members in peace more than once in three.",
            "c": "a rate of 5 in 100 would almost surely have shown itself among 500.",
        },
        "How large may a rate be, if 500 people in a row escape it 5 times in 100?",
        "0.994 to the power of 500 is 0.05.",
    ),
}
