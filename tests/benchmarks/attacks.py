"""Attacks on the same target, records and shadow models: this project beside what one would write,
or pick, instead.

    pip install -e ".[bench]"
    python tests/benchmarks/attacks.py       some minutes; --quick: one world and two shops alone;
                                             --json FILE: JSON into a file

Worlds: purchases of 20 and of 10 classes, 200 items (1,000 members, networks of 64 units; 500 and
32), census, clinic, digits; K = 4, 16, 64 shadow models. Shops, or splits, have the seeds 3000 on,
which no notebook shows. Two views: the attacker's, with shadow models of a pool of their own, and
the auditor's, with shadow models of random halves of the very records in question.

    ours               every attack of the registry that reads confidences
    sklearn forest     a random forest a class on whole confidence vectors
    sklearn logistic   a logistic regression a class on whole confidence vectors
    authors' LiRA      written straight from their plot.py: the median over the shadow models, each
                       record's own spread; "fixed": one spread for all records; offline: the
                       shadow models without the record alone
    authors' RMIA      written straight from their rmia.py, with a = 0.3, gamma = 1, and the records
                       asked about as the population
    ART forest         MembershipInferenceBlackBox("rf") of adversarial-robustness-toolbox, where it
                       is installed

AUC, TPR at 1 % and 0.1 % FPR with the standard error over shops; wall and CPU seconds of learning
and scoring once the shadow models are there: ours include asking them about the target's records.
A TPR needs 10 / FPR non-members: purchases have 10,000 more than members, in the attacker's view.
Nothing is asserted.
"""

import argparse
import json
import time
import warnings
from pathlib import Path

import numpy as np
from common import machine, table
from scipy.stats import norm
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score, roc_curve

import miaedu as mia
from miaedu.attacks import ATTACKS
from miaedu.attacks.contract import log_odds, true_class_confidence

FIRST_SEED = 3000
EXTRA = 10_000  # non-members of purchases beyond as many as members
SMALL = 1e-30  # what the authors of LiRA add to a spread


def purchases(n_classes, n_members, hidden):
    def make(seed):
        data = mia.load_purchases(n_classes, 4 * n_members + EXTRA, 200, seed)
        sizes = {"n_members": n_members, "n_nonmembers": n_members + EXTRA}
        return mia.split(data, **sizes, duplicates="allow", random_state=seed), hidden

    return make


def loaded(load, n_members):
    def make(seed):
        world = mia.split(load(), n_members, duplicates="allow", random_state=seed)
        return world, 64

    return make


WORLDS = {
    "purchases 20": purchases(20, 1000, 64),
    "purchases 10": purchases(10, 500, 32),
    "census": loaded(mia.load_census, 500),
    "clinic": loaded(mia.load_clinic, 300),
    "digits": loaded(mia.load_digits, 500),
}


class Case:
    """One target with its records, and the shadow models of one view."""

    def __init__(self, world, hidden, view, n_models, seed):
        n_in = len(world.members[1])
        self.target = mia.MLP(hidden, random_state=seed).fit(*world.members, world.classes)
        self.api = mia.BlackBox(self.target)
        self.X, self.y = (np.concatenate(part) for part in zip(world.members, world.nonmembers))
        self.members = np.arange(len(self.y)) < n_in
        if view == "auditor":  # as many non-members as members: half of the records is in
            self.X, self.y = self.X[: 2 * n_in], self.y[: 2 * n_in]
            self.members = self.members[: 2 * n_in]
        pool = (self.X, self.y) if view == "auditor" else [p[: 2 * n_in] for p in world.pool]
        shadows = mia.ShadowModels(mia.MLP(hidden), n_models, random_state=seed + 1)
        self.shadows = shadows.fit(*pool, classes=world.classes)


def ours(name):
    def attack(case):
        return ATTACKS[name]().fit(case.shadows).score(case.api, case.X, case.y)

    return attack


def a_class_each(new):
    """One classifier a class, on whole confidence vectors."""

    def attack(case):
        shadows, answers = case.shadows, case.api.predict_proba(case.X)
        scores = np.zeros(len(case.y))
        for label in np.unique(case.y):
            seen, asked = shadows.y == label, case.y == label
            rows = shadows.confidences[:, seen].reshape(-1, answers.shape[1])
            rule = new().fit(rows, shadows.members[:, seen].ravel())
            scores[asked] = rule.predict_proba(answers[asked])[:, 1]
        return scores

    return attack


def authors_lira(online, fixed):
    def attack(case):
        told, saw = told_by_shadows(case, log_odds)
        phi = log_odds(case.api.predict_proba(case.X), case.y, case.target.classes_)
        inside, out = np.where(saw, told, np.nan), np.where(saw, np.nan, told)
        both = inside if online else out
        spread = np.nanstd(both) if fixed else None
        densities = [
            norm.logpdf(
                phi,
                np.nanmedian(side, axis=0),
                (spread if fixed else np.nanstd(side, axis=0)) + SMALL,
            )
            for side in ((inside, out) if online else (out,))
        ]
        if online:
            return finite(densities[0] - densities[1])
        away = (spread if fixed else np.nanstd(out, axis=0)) + SMALL
        return finite((phi - np.nanmedian(out, axis=0)) / away)

    return attack


def authors_rmia(case, a=0.3, gamma=1.0):
    told, saw = told_by_shadows(case, true_class_confidence)
    p = true_class_confidence(case.api.predict_proba(case.X), case.y, case.target.classes_)
    out = np.nanmean(np.where(saw, np.nan, told), axis=0)
    if saw.any():
        general = (np.nanmean(np.where(saw, told, np.nan), axis=0) + out) / 2
    else:
        general = 0.5 * ((1 + a) * out + 1 - a)
    ratio = p / general
    return np.searchsorted(np.sort(ratio), ratio / gamma) / len(ratio)


def told_by_shadows(case, statistic):
    told = case.shadows.predict_proba(case.X)
    return statistic(told, case.y, case.shadows.classes_), case.shadows.saw(case.X)


def finite(scores):
    return np.nan_to_num(scores, nan=0.0, posinf=1e300, neginf=-1e300)


def art_forest(case):
    from art.attacks.inference.membership_inference import MembershipInferenceBlackBox
    from art.estimators.classification import BlackBoxClassifier

    c, shadows = len(case.target.classes_), case.shadows
    wrapped = BlackBoxClassifier(case.target.predict_proba, case.X.shape[1:], c)
    attack = MembershipInferenceBlackBox(wrapped, attack_model_type="rf")
    labels = np.tile(np.searchsorted(shadows.classes_, shadows.y), len(shadows.members))
    answers, was_in = shadows.confidences.reshape(-1, c), shadows.members.ravel()
    attack.fit(
        pred=answers[was_in], y=labels[was_in], test_pred=answers[~was_in], test_y=labels[~was_in]
    )
    codes = np.searchsorted(case.target.classes_, case.y)
    return attack.infer(case.X, codes, probabilities=True).ravel()


def contenders():
    found = {f"ours: {name}": ours(name) for name in ATTACKS if name not in ("gap", "label_only")}
    found |= {
        "sklearn forest": a_class_each(lambda: RandomForestClassifier(100, random_state=0)),
        "sklearn logistic": a_class_each(lambda: LogisticRegression(max_iter=200)),
        "authors' LiRA offline": authors_lira(online=False, fixed=False),
        "authors' LiRA offline fixed": authors_lira(online=False, fixed=True),
        "authors' RMIA": authors_rmia,
    }
    try:
        import art  # noqa: F401
    except ImportError:
        return found
    return found | {"ART forest": art_forest}


def auditors():
    return {
        "authors' LiRA online": authors_lira(online=True, fixed=False),
        "authors' LiRA online fixed": authors_lira(online=True, fixed=True),
    }


def measured(attack, case):
    start = np.array([time.perf_counter(), time.process_time()])
    # the authors' formulas divide by nothing where a record has no models on one side
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scores = attack(case)
    seconds, cpu = np.array([time.perf_counter(), time.process_time()]) - start
    fpr, tpr, _ = roc_curve(case.members, scores, drop_intermediate=False)
    low = [
        float(tpr[fpr <= rate].max()) if rate * (~case.members).sum() >= 10 else float("nan")
        for rate in (0.01, 0.001)
    ]
    return roc_auc_score(case.members, scores), *low, seconds, cpu


def compare(name, view, n_models, shops):
    """The mean over shops, and the standard error, of each contender's measures."""
    runs, attacks = {}, contenders() | (auditors() if view == "auditor" else {})
    if n_models > 16:
        for slow in ("sklearn forest", "sklearn logistic", "ART forest"):
            attacks.pop(slow, None)  # minutes, and no better than with 16
    for seed in range(FIRST_SEED, FIRST_SEED + 10 * shops, 10):
        case = Case(*WORLDS[name](seed), view, n_models, seed)
        for label, attack in attacks.items():
            runs.setdefault(label, []).append(measured(attack, case))
    for label, found in runs.items():
        means, errors = np.mean(found, axis=0), np.std(found, axis=0) / max(shops - 1, 1) ** 0.5
        row = dict(zip(("auc", "tpr_1", "tpr_01", "seconds", "cpu_seconds"), means.tolist()))
        row |= dict(zip(("auc_error", "tpr_1_error", "tpr_01_error"), errors.tolist()))
        yield {"world": name, "view": view, "K": n_models, "shops": shops, "attack": label} | row


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one world, two shops, K = 16")
    parser.add_argument("--worlds", nargs="+", choices=WORLDS, default=list(WORLDS))
    parser.add_argument("--models", nargs="+", type=int, default=[4, 16, 64])
    parser.add_argument("--views", nargs="+", default=["attacker", "auditor"])
    parser.add_argument("--shops", type=int, default=5)
    parser.add_argument("--json", type=Path, help="write the rows there too")
    given = parser.parse_args()
    if given.quick:
        given.worlds, given.models, given.shops = ["purchases 10"], [16], 2
    rows = []
    for name in given.worlds:
        for view in given.views:
            for n_models in given.models:
                found = list(compare(name, view, n_models, given.shops))
                rows += found
                print(f"\n{name}, {view}'s view, K = {n_models}, {given.shops} shops")
                columns = "auc", "auc_error", "tpr_1", "tpr_1_error", "tpr_01"
                columns += "seconds", "cpu_seconds"
                lines = [[row["attack"], *(row[column] for column in columns)] for row in found]
                print(table(["attack", *columns], lines), flush=True)
                if given.json:
                    told = {"machine": machine(), "rows": rows}
                    given.json.write_text(json.dumps(told, indent=1))


if __name__ == "__main__":
    main()
