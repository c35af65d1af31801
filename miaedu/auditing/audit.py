"""audit: what a fitted model tells about who was in its training set. One call for a model, its
training records, and records that it has not seen."""

import sys
import warnings
from dataclasses import replace
from datetime import date
from functools import partial
from importlib.metadata import version
from numbers import Integral

import numpy as np
import sklearn
from sklearn.base import clone

from ..attacks import RMIA, CalibratedAttack, GapAttack, LiRA, ShadowAttack, ThresholdAttack
from ..attacks.contract import log_odds
from ..baselines import blind_scores
from ..blackbox import BlackBox
from ..checks import check_number
from ..metrics import evaluate
from ..network import MLP
from ..records import numbers_of, stack, take
from ..shadow import ShadowModels
from ..world import World
from .given import (
    both,
    groups_of,
    label_remarks,
    near_copies,
    part_of,
    pool_remarks,
    within,
    world_of,
)
from .models import answers_of_models, check_counts, draw_evenly, prepared
from .report import ANSWERS, ATTACKER, AUDITOR, AuditReport

AGAIN = 20  # records that are asked about twice: does the model answer the same?
BLOCK = 10_000  # records that a model is asked about at once


def audit(
    model,
    members,
    nonmembers,
    *,
    estimator=None,
    n_models=16,
    pool=None,
    classes=None,
    hide=(),
    batch=None,
    budget=None,
    ids=None,
    groups=None,
    together=None,
    duplicates="error",
    random_state=0,
    cache=None,
    progress=True,
    name="the model",
):
    """Attack a model with all that suits it, and report what its answers tell about who was in its
    training set.

    >>> from sklearn.linear_model import LogisticRegression
    >>> import miaedu as mia
    >>> world = mia.split(mia.load_digits(), n_members=200, n_nonmembers=200, random_state=0)
    >>> model = LogisticRegression(max_iter=200).fit(*world.members)
    >>> report = mia.audit(model, world.members, world.nonmembers, n_models=10, progress=False)
    >>> list(report.views)
    ['answers only', "auditor's view"]

    `model`, any fitted classifier with ``predict_proba``, or a function from records to confidences
    (then `classes` names its columns); `members` and `nonmembers`, pairs (X, y): the records that
    it learned from, all of them if possible, and others of the same origin that it has not seen. X
    is an array or a DataFrame, and goes to the model as it is; y holds labels of any kind. Where
    each answer of a function costs, let it keep them and try again: the audit does neither.

    What is run depends on what is given. Always: the gap attack, the threshold attack and the blind
    baseline, which need answers alone. With an `estimator` to clone, or a model that can be cloned:
    `n_models` shadow models on random parts of members and non-members (the auditor's view: the
    calibrated attack, LiRA, and who is exposed). With a `pool` (X, y) of further records too:
    shadow models of an attacker who has these alone (the calibrated attack, that of 2017, RMIA).
    ``n_models=0`` trains none.

    hide : what the model's owner does to its answers, such as ``[mia.rounded(2)]``; the shadow
        models' answers go the same way.
    batch, budget : the most records in one call, and in all: where the budget does not cover all
        records, a random part of them is audited.
    ids, groups, together : pairs of sequences, for the members and the non-members. `ids` name the
        records in the report (by default a DataFrame's index, or row numbers); results are given
        for each of the `groups` with at least 100 records on either side; records with the same
        value in `together`, such as a household's, share their shadow models (with a pool, a third
        sequence is the pool's).
    duplicates : "error", "warn" or "allow" records with the same features in two of the parts.
    cache : a folder of its own in which the shadow models' answers are kept: if the work is
        stopped, the same call goes on where it was. It tells who was in the training set.
    random_state : an int of at least 0; the same one gives the same report.
    name : of the model, for the report.

    Returns an :class:`AuditReport`. Raises ValueError for what cannot be audited: fewer than 20
    records on a side, a record on both, labels that the model does not know, a budget for less than
    20 records a side, too few `n_models` to judge most records.
    """
    check_number("n_models", n_models, Integral)
    check_number("random_state", random_state, Integral, 0)
    folder, notes = prepared(cache), []
    black_box = BlackBox(model, hide, budget=budget, classes=classes, batch=batch)
    whole = world_of(members, nonmembers, pool, ids, together, duplicates, notes)
    of_group = groups_of(groups, whole)
    everybody = both(whole)
    label_remarks(everybody[1], black_box.classes_, notes)
    pool_remarks(whole, black_box.classes_, n_models, notes)
    estimator = _to_clone(model, estimator, n_models, pool, notes)
    plan = _plan(estimator, n_models, whole, everybody)
    rows = within(budget, whole, notes)
    world = part_of(whole, rows)

    X, y = both(world)
    labels = np.unique(np.concatenate([black_box.classes_, everybody[1], whole.pool[1]]))
    told = _expand(ask(black_box, X, batch or BLOCK, notes), black_box.classes_, labels)
    numbered = Numbered(world, labels)
    judge = partial(_judge, numbered.door(told), numbered, world)

    views = {ANSWERS: judge({"gap attack": GapAttack(), "threshold attack": ThresholdAttack()})}
    seen = phi = None
    from tqdm.auto import tqdm  # not before it is needed: in a notebook it loads widgets

    with tqdm(total=n_models * len(plan), disable=not progress, unit="model") as bar:
        for view, (table, size, relatives) in plan.items():
            shadows = ShadowModels(estimator, n_models, random_state, size)
            draw = draw_evenly if view == AUDITOR else ShadowModels.draw
            masks, seeds = draw(shadows, table[1], relatives)
            questions = X if view == AUDITOR else stack([table[0], X])
            answers = answers_of_models(
                estimator, *table, masks, seeds, labels, questions, folder, bar.update
            )
            masks = masks[:, rows] if view == AUDITOR else masks
            shadows = numbered.shadows(view, masks, answers)
            views[view] = judge(_fitted(view, shadows, hide))
            if view == AUDITOR:
                seen = shadows.saw(shadows.X)
                phi = log_odds(shadows.confidences, shadows.y, shadows.classes_)
    return AuditReport(
        name=name,
        views=views,
        labels=y,
        ids=np.concatenate(world.ids),
        groups=None if of_group is None else of_group[rows],
        seen=seen,
        phi=phi,
        doubts=tuple(near_copies(whole)),
        notes=tuple(notes + _hints(model, X)),
        provenance=_provenance(model, estimator, n_models, plan, black_box, random_state, hide),
    )


def ask(black_box, X, block, notes):
    """What a :class:`BlackBox` answers about records X, block after block; a few are asked about
    again, and a remark is made in `notes` where the answers differ."""
    told = []
    for start in range(0, len(X), block):
        rows = np.arange(start, min(start + block, len(X)))
        try:
            told.append(black_box.predict_proba(take(X, rows)))
        except Exception as error:
            raise ValueError(
                f"the model failed when it was asked about records {start} to {rows[-1]} of "
                f"{len(X)}: {type(error).__name__}: {error}"
            ) from error
    told = np.concatenate(told)
    if black_box.queries_left < AGAIN:
        notes.append("The budget left no queries to see whether the model answers twice the same.")
        return told
    rows = np.linspace(0, len(X) - 1, AGAIN).astype(int)
    apart = np.abs(black_box.predict_proba(take(X, rows)) - told[rows]).max()
    if apart > 1e-6:
        notes.append(
            f"The model does not answer the same question in the same way: asked again, "
            f"confidences differ by up to {apart:.2g}. Whoever asks often and averages learns "
            "more than this report says."
        )
    return told


class Numbered:
    """The world of an audit in numbers: two records have the same number where they are equal, a
    label is its place among all labels. An attack has to know a record again, and no more."""

    def __init__(self, world, labels):
        parts = world.members, world.nonmembers, world.pool
        numbers = numbers_of(*(X for X, _ in parts))
        coded = [(X[:, None], np.searchsorted(labels, y)) for X, (_, y) in zip(numbers, parts)]
        self.classes = np.arange(len(labels))
        self.world = World(*coded, classes=self.classes, groups=world.groups)
        self.X, self.y = (np.concatenate(both) for both in zip(*coded[:2]))

    def door(self, told):
        """The target, of which only these answers (n, c) are known."""
        nobody = np.zeros((1, len(self.y)), bool)
        known = ShadowModels.from_answers(self.X, self.y, nobody, told[None], self.classes)
        # it may have rounded its answers: they were checked when it was asked
        return BlackBox(known.networks[0], classes=self.classes)

    def shadows(self, view, masks, answers):
        """Shadow models of which only these answers are known: (K, n, c) about members and
        non-members; in the attacker's view about the pool first."""
        if view == AUDITOR:
            return ShadowModels.from_answers(self.X, self.y, masks, answers, self.classes)
        X, y = self.world.pool
        n = len(y)
        padded = np.zeros(answers.shape[:2], bool)
        padded[:, :n] = masks
        everything = np.concatenate([X, self.X]), np.concatenate([y, self.y])
        shadows = ShadowModels.from_answers(*everything, padded, answers, self.classes)
        # the attacker learns from the pool alone, though the models can be asked about all
        shadows.X, shadows.y, shadows.members, shadows.confidences = X, y, masks, answers[:, :n]
        return shadows


def _fitted(view, shadows, hide):
    """The attacks of a view, fitted, by name."""
    attacks = {"calibrated attack": CalibratedAttack()}
    if view == AUDITOR:
        attacks |= {"LiRA": LiRA()}
    else:
        attacks |= {"attack of 2017": ShadowAttack(), "RMIA": RMIA()}
    return {name: attack.fit(shadows, hide) for name, attack in attacks.items()}


def _judge(door, numbered, world, attacks):
    """A Report an attack; the blind baseline sees the records themselves, not their numbers."""
    with warnings.catch_warnings():  # a model that is hardly ever right is named in the verdict
        warnings.simplefilter("ignore", UserWarning)
        reports = evaluate(attacks, door, numbered.world)
    blind = partial(blind_scores, world)
    return {name: replace(report, run_blind=blind) for name, report in reports.items()}


def _plan(estimator, n_models, world, everybody):
    """The views in which shadow models are trained: on which records, how many of them a model
    learns from, and which records belong together."""
    if estimator is None:
        return {}
    n_in, n, n_pool = len(world.members[1]), len(everybody[1]), len(world.pool[1])
    check_counts(n_models, n_in, n)
    plan = {AUDITOR: (everybody, n_in, world.groups.both_sides)}
    if n_pool:
        plan[ATTACKER] = world.pool, n_in if n_in < n_pool else None, world.groups.pool
    return plan


def _to_clone(model, estimator, n_models, pool, notes):
    """The estimator to train shadow models of, or None."""
    if n_models == 0:
        return None
    if estimator is None:
        if not (hasattr(model, "get_params") and hasattr(model, "fit")):
            if pool is not None:
                raise ValueError(
                    "pool needs an estimator to train shadow models of: the model itself, "
                    f"{type(model).__name__}, cannot be cloned"
                )
            return None
        estimator = model
    elif not (hasattr(estimator, "fit") and hasattr(estimator, "get_params")):
        raise TypeError(
            "estimator must be an unfitted scikit-learn classifier to clone, got "
            f"{estimator if isinstance(estimator, type) else type(estimator).__name__}"
        )
    if isinstance(estimator, type) or not hasattr(estimator, "predict_proba"):
        raise TypeError(
            f"estimator must be a classifier with predict_proba, got {_short(estimator)}"
        )
    estimator = clone(estimator)
    kinds = [type(_last_step(each)).__name__ for each in (model, estimator)]
    if hasattr(model, "get_params") and kinds[0] != kinds[1]:
        notes.append(
            f"The shadow models are of another kind ({kinds[1]}) than the model ({kinds[0]}): the "
            "attacks may be weaker than those of someone who knows better."
        )
    return estimator


def _last_step(model):
    return model.steps[-1][1] if hasattr(model, "steps") else model


def _expand(told, known, labels):
    """Answers about `known` classes as answers about all labels: 0 for the others."""
    answers = np.zeros((len(told), len(labels)), np.float32)
    answers[:, np.searchsorted(labels, known)] = told
    return answers


def _hints(model, X):
    """What is worth knowing of a private network and its records."""
    last = _last_step(model)
    if not isinstance(last, MLP) or not last.clip:
        return []
    if last is not model:
        return [
            "The promise of the private network covers its own training alone: steps before it "
            "that learn from the records, such as a scaler, are outside it."
        ]
    spread = np.asarray(X, float).std(axis=0)
    if spread.max() > 10 * max(spread[spread > 0].min(initial=np.inf), 0.1):
        return [
            "The features differ much in their spread: a private network learns better from "
            "features that were scaled by bounds known without the records."
        ]
    return []


def _provenance(model, estimator, n_models, plan, black_box, random_state, hide):
    """What was run: enough to run it again."""
    return {
        "model": _short(model),
        "shadow models": _short(estimator) if plan else "none",
        "shadow models per view": n_models if plan else 0,
        "records a shadow model learns from": {
            view: size or len(table[1]) // 2 for view, (table, size, _) in plan.items()
        },
        "hiding": [_short(step) for step in hide] if np.iterable(hide) else [_short(hide)],
        "queries": black_box.n_queries,
        "random_state": random_state,
        "date": date.today().isoformat(),
        "versions": {
            "python": sys.version.split()[0],
            "miaedu": version("miaedu"),
            "numpy": np.__version__,
            "scikit-learn": sklearn.__version__,
        },
    }


def _short(thing):
    if hasattr(thing, "get_params"):
        return " ".join(repr(thing).split())
    return getattr(thing, "__name__", type(thing).__name__)
