"""What notebook 07 says of its audits, on draws of people that it does not show.

A mean over draws is held by the end of its 99 % interval (Student's t).
"""

from functools import cache

import numpy as np
import pytest
from course import interval, sentence
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

import miaedu as mia

SEEDS = range(100, 105)
pytestmark = pytest.mark.slow


@cache
def people():
    """The census as notebook 07 has it: records, incomes, the columns of words, and the place of
    each different record."""
    columns = mia.read_columns("census")
    income, _ = columns.pop("income"), columns.pop("fnlwgt")
    table = np.column_stack([column.astype(object) for column in columns.values()])
    words = [j for j, column in enumerate(columns.values()) if column.dtype.kind == "U"]
    different = np.unique(table.astype(str), axis=0, return_index=True)[1]
    return table, income, words, different


@cache
def forests(leaf):
    """Audits of forests, one a seed."""
    table, income, words, different = people()
    audits = []
    for seed in SEEDS:
        rows = np.random.default_rng(seed).permutation(different)
        members, others = ((table[part], income[part]) for part in (rows[:1500], rows[1500:3000]))
        encode = make_column_transformer(
            (OneHotEncoder(handle_unknown="ignore"), words), remainder="passthrough"
        )
        forest = RandomForestClassifier(40, min_samples_leaf=leaf, random_state=seed)
        model = make_pipeline(encode, forest).fit(*members)
        settings = {"n_models": 10, "random_state": seed, "progress": False}
        audits.append(mia.audit(model, members, others, **settings))
    return audits


@cache
def clinics():
    """Audits of gradient boosting, one a seed."""
    clinic, audits = mia.load_clinic(), []
    health = np.array(clinic.class_names)
    for seed in SEEDS:
        world = mia.split(clinic, n_members=1000, random_state=seed, duplicates="allow")
        sides = [(X, health[y]) for X, y in (world.members, world.nonmembers)]
        model = HistGradientBoostingClassifier(max_iter=20, random_state=seed).fit(*sides[0])
        together = world.groups.members, world.groups.nonmembers
        settings = {"n_models": 10, "random_state": seed, "progress": False}
        audits.append(mia.audit(model, *sides, together=together, **settings))
    return audits


def auc_of(audit, name):
    return {row["class"]: row["auc"] for row in audit.classes()}[name]


def test_the_leak_is_worse_for_those_who_earn_more():
    sentence(
        "07", "Those who earn more than 50,000 dollars are few, and for them the leak is worse."
    )
    found = [auc_of(audit, ">50K") - audit.headline.auc for audit in forests(1)]
    assert interval(found)[0] > 0
    few = [(audit.labels == ">50K").mean() for audit in forests(1)]
    assert max(few) < 0.3


def test_larger_leaves_forget_and_cost_nothing():
    sentence("07", "Nothing was paid for it: a leaf that many people share forgets single ones.")
    before, after = forests(1), forests(20)
    aucs = [audit.headline.auc for audit in after]
    assert interval(aucs)[1] < 0.6
    cost = [a.headline.test_accuracy - b.headline.test_accuracy for a, b in zip(before, after)]
    assert interval(cost)[0] < 0.01  # no loss of a hundredth is proven
    assert np.mean(cost) < 0.01
    # "smaller is not nothing"
    sentence("07", "But *smaller* is not *nothing*")
    assert interval(aucs)[0] > 0.5


def test_those_in_worse_health_leak_more():
    sentence("07", "Those whose health is not excellent leak more")
    differences = [auc_of(audit, "good") - auc_of(audit, "excellent") for audit in clinics()]
    assert interval(differences)[0] > 0
    sentence("07", "there are fewer of them")
    assert all((a.labels == "good").sum() < (a.labels == "excellent").sum() for a in clinics())


def test_models_with_a_record_say_what_they_were_told_and_those_without_something_else():
    sentence(
        "07",
        "Models that have not seen such a person are sure of something else; models that have are "
        "drawn to what they were told.",
    )
    for audit in clinics():
        rows = audit.exposed(n=5)
        without = np.mean([np.mean(row["without it"]) for row in rows])
        assert without < -1  # odds of 1 to 3
        assert np.mean([np.mean(row["with it"]) for row in rows]) > without + 3


def test_a_split_by_age_is_found_by_the_blind_baseline():
    sentence("07", "Where a rule that never asks the model does as well, the report judges nothing")
    table, income, words, different = people()
    for seed in SEEDS:
        rows = np.random.default_rng(seed).permutation(different)
        age = table[rows, 0].astype(float)
        young, old = rows[age < 38][:1500], rows[age >= 38][:1500]
        encode = make_column_transformer(
            (OneHotEncoder(handle_unknown="ignore"), words), remainder="passthrough"
        )
        forest = RandomForestClassifier(40, min_samples_leaf=20, random_state=seed)
        sides = [(table[part], income[part]) for part in (young, old)]
        audit = mia.audit(make_pipeline(encode, forest).fit(*sides[0]), *sides, n_models=0)
        assert audit.verdict[0].startswith("Members and non-members differ")
        with pytest.raises(ValueError, match="judges nothing"):
            audit.ok(max_auc=0.9)
