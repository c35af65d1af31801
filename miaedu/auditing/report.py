"""AuditReport: what an audit found, as a verdict in words, as tables and as JSON."""

import json
from dataclasses import dataclass
from functools import cached_property
from numbers import Integral

import numpy as np
from scipy.stats import binomtest, norm, t

from ..attacks.references import PRIOR
from ..checks import check_number
from . import words

ANSWERS, AUDITOR, ATTACKER = "answers only", "auditor's view", "attacker's view"
# The strongest attack of each view, named before anything is measured. Beside networks LiRA is as
# strong; it takes phi for normal, which answers of forests and of trees are not.
STRONGEST = {
    ANSWERS: "threshold attack",
    AUDITOR: "calibrated attack",
    ATTACKER: "calibrated attack",
}
ENOUGH = 100  # members, and non-members, of a class or group that gets a row of its own
LEAST = 20  # of one that is named if it is worse than the whole
PRIORS = 2, 100, 10_000  # of so many records asked about, one is a member
SMALL = 1e-6  # the least variance
MEASURES = (("auc",), ("advantage",), ("tpr_at", 0.01), ("tpr_at", 0.001), ("gap_advantage",))
# of naming a record where there is nothing; with heavy tails, twice as often in our simulations
CHANCE = 0.01
SHOWN = 10  # most exposed records


@dataclass(frozen=True, eq=False, repr=False)
class AuditReport:
    """What :func:`audit` found: print it, show it in a notebook, or save it as a page or as JSON.

    >>> from sklearn.linear_model import LogisticRegression
    >>> import miaedu as mia
    >>> world = mia.split(mia.load_digits(), n_members=200, n_nonmembers=200, random_state=0)
    >>> model = LogisticRegression(C=0.001, max_iter=200).fit(*world.members)
    >>> report = mia.audit(model, world.members, world.nonmembers, n_models=0)
    >>> report.verdict[0].startswith("No leak was found: the threshold attack")
    True
    >>> report.ok(max_auc=0.6)
    True

    Fields: `name` of the model; `views`, a dict of dicts of :class:`Report`, by view and by attack;
    `labels` and `ids` (n,) of the members, then of the non-members; `groups` (n,) or None; `seen`
    (K, n) bool, which shadow model learned from which record, and `phi` (K, n), what it says of it,
    the log odds of the true class (None without shadow models); `doubts`, sentences on what makes
    the numbers mean nothing; `notes`, remarks; `provenance`, what was run.
    """

    name: str
    views: dict
    labels: np.ndarray
    ids: np.ndarray
    groups: np.ndarray | None = None
    seen: np.ndarray | None = None
    phi: np.ndarray | None = None
    doubts: tuple = ()
    notes: tuple = ()
    provenance: dict | None = None

    @property
    def headline(self):
        """The Report by which the verdict is given: the auditor's strongest attack where there are
        shadow models, else the threshold attack."""
        return self.strongest(AUDITOR if AUDITOR in self.views else ANSWERS)

    def strongest(self, view):
        """The Report of the attack that was named beforehand as the strongest of a view."""
        return self.views[view][STRONGEST[view]]

    @cached_property
    def verdict(self):
        """The finding in a few sentences, the most important first: why the numbers mean nothing,
        if so; else how much leaks on the whole, from the worst class or group, of single records,
        which are named: what is printed or saved only counts them."""
        return self.broken or words.findings(self, records=True)

    @cached_property
    def broken(self):
        """Why the numbers do not speak of the model, as sentences; an empty list where they do."""
        return [*self.doubts, *words.doubts(self)]

    def classes(self, least=ENOUGH):
        """Rows (dicts) of the classes with at least 100 members and non-members, the worst first:
        ``class``, ``members``, ``nonmembers``, ``auc``, and ``low`` to ``high``, its interval,
        corrected for the number of rows (Bonferroni). With fewer (`least`), intervals are wide."""
        return self._rows("class", self.labels, least)

    def by_group(self, least=ENOUGH):
        """The same rows for the `groups`: none where none were given."""
        return [] if self.groups is None else self._rows("group", self.groups, least)

    def _rows(self, kind, values, least):
        """Kept: verdict, tables and JSON all ask for them, and their intervals take long."""
        if (kind, least) not in self._kept:
            self._kept[kind, least] = _parts(self.headline, values, kind, least)
        return [dict(row) for row in self._kept[kind, least]]

    @cached_property
    def _kept(self):
        return {}

    def priors(self):
        """What a flag is worth: rows of ``one in``, how rare members are among the records asked
        about; ``precision``, the share of members among the flagged, at the strictest threshold
        that can be judged, whose rates are ``fpr`` and ``tpr``; and ``low`` to ``high``, what their
        95 % intervals leave of it (Clopper & Pearson 1934). None where nobody is flagged, or where
        no false alarm was seen: then there is only a ``low``.
        """
        main = self.headline
        n_in, n_out = int(main.members.sum()), int((~main.members).sum())
        fpr, tpr = main.rates_within(max(0.01, 10 / n_out))
        hits, alarms = (
            binomtest(round(rate * n), n).proportion_ci(0.95)
            for rate, n in ((tpr, n_in), (fpr, n_out))
        )
        rows = []
        for one_in in PRIORS:

            def share(tpr, fpr, one_in=one_in):
                return tpr / (tpr + fpr * (one_in - 1)) if tpr else None

            rows.append(
                {
                    "one in": one_in,
                    "precision": share(tpr, fpr) if fpr else None,
                    "low": share(hits.low, alarms.high),
                    "high": share(hits.high, alarms.low) if fpr else None,
                    "fpr": fpr,
                    "tpr": tpr,
                }
            )
        return rows

    def exposed(self, n=SHOWN):
        """The `n` members that shadow models with them tell best from those without, chosen on one
        half of the models and judged on the other; none without shadow models.

        Rows of ``record``, its id; ``label``; ``with it`` and ``without it``, phi of the models of
        the second half; ``p``, how often chance makes such a difference, by a t test whose spread
        is drawn towards that of all records; ``beyond chance``, p below 0.01 / n; ``flagged``,
        whether the attack flags it in this very model, at the threshold that flags 1 % of the
        shadow models' non-members.
        """
        check_number("n", n, Integral, 1)
        if self.seen is None:
            return []
        main, members = self.headline, np.flatnonzero(self.headline.members)
        half = len(self.phi) // 4 * 2  # of each half, every second model learned from the rest
        chosen_by = difference(self.phi[:half], self.seen[:half])[0][members]
        rows = members[np.argsort(-chosen_by, kind="stable")][:n]
        phi, seen = self.phi[half:], self.seen[half:]
        p = difference(phi, seen)[1]
        return [
            {
                "record": _plain(self.ids[i]),
                "label": _plain(self.labels[i]),
                "with it": phi[seen[:, i], i].tolist(),
                "without it": phi[~seen[:, i], i].tolist(),
                "p": float(p[i]),
                "beyond chance": bool(p[i] < CHANCE / n),
                "flagged": bool(main.scores[i] >= main.strict_threshold),
            }
            for i in rows
        ]

    def ok(self, *, max_auc=None, max_tpr_at_1_percent=None):
        """Whether every attack of every view stays within these bounds, its interval included, and
        no class or group leaks more for sure: for a test that guards a model.

        Raises ValueError where the numbers mean nothing, or where there are too few non-members for
        the measure.
        """
        bounds = {("auc",): max_auc, ("tpr_at", 0.01): max_tpr_at_1_percent}
        if all(bound is None for bound in bounds.values()):
            raise ValueError("ok needs max_auc, max_tpr_at_1_percent or both, got neither")
        if self.broken:
            raise ValueError(f"this audit judges nothing: {self.broken[0]}")
        reports = [report for attacks in self.views.values() for report in attacks.values()]
        for measure, bound in bounds.items():
            if bound is None:
                continue
            name = "max_auc" if measure == ("auc",) else "max_tpr_at_1_percent"
            check_number(name, bound, high=1)
            highest = max(report.interval(*measure)[1] for report in reports)
            if np.isnan(highest):
                n = (~self.headline.members).sum()
                raise ValueError(f"{name} needs at least 1000 non-members, the audit has {n}")
            if highest > bound:
                return False
        parts = [*self.classes(LEAST), *self.by_group(LEAST)]
        return max_auc is None or all(row["low"] <= max_auc for row in parts)

    def to_dict(self, records=False):
        """All of it as a dict of plain values, for JSON; single records only where `records` is
        true, since to list them is to tell who was in the training set."""
        told = {
            "name": self.name,
            "verdict": self.broken or words.findings(self, records),
            "in a word": words.in_a_word(self),
            "meaningless": bool(self.broken),
            "strongest attack": self.headline.name,
            "members": int(self.headline.members.sum()),
            "nonmembers": int((~self.headline.members).sum()),
            "views": {
                view: {name: _measures(report) for name, report in reports.items()}
                for view, reports in self.views.items()
            },
            "classes": self.classes(),
            "groups": self.by_group(),
            "priors": self.priors(),
            "notes": list(self.notes),
            "not shown": self.not_shown,
            "provenance": self.provenance,
        }
        if records:
            told |= {"records": self.exposed(), "personal data": words.PERSONAL}
        return json.loads(json.dumps(told, default=_plain))

    def save(self, path, records=False):
        """Write the report to `path`: a page where it ends in .html, JSON where it ends in .json.
        Returns the path.

        With `records`, single members are named and drawn: the file is then personal data.
        """
        kind = str(path).rpartition(".")[2]
        if kind not in ("html", "json"):
            raise ValueError(f"path must end in .html or .json, got {str(path)!r}")
        from .page import page, write  # it draws: nobody else needs matplotlib

        if kind == "html":
            return write(path, page(self, records))
        return write(path, json.dumps(self.to_dict(records), indent=1))

    @property
    def not_shown(self):
        """What this audit does not show, as sentences."""
        return words.not_shown(self)

    def __str__(self):
        return words.as_text(self)

    __repr__ = __str__

    def _repr_html_(self):
        from .page import page

        return page(self, records=False, whole=False)


def difference(phi, seen):
    """How far apart (n,) the `phi` (K, n) of models that have `seen` a record and of the others
    are, in units of its standard error; and the chance (n,) of as much or more where nothing
    differs.

    Welch would give each record its own spread; here it is drawn towards that of all records by a
    few pseudo-counts, since there are few models: a t test with the degrees of freedom of both.
    Where either kind of model is missing, 0 and 1.
    """
    n_in, n_out = seen.sum(axis=0), (~seen).sum(axis=0)
    phi = phi.astype(float)
    means = []
    scatter = np.zeros(phi.shape[1])
    for which, count in ((seen, n_in), (~seen, n_out)):
        mean = np.where(which, phi, 0).sum(axis=0) / np.maximum(count, 1)
        scatter += np.where(which, phi - mean, 0).__pow__(2).sum(axis=0)
        means.append(mean)
    degrees = np.maximum(n_in + n_out - 2, 0)
    pooled = max(scatter.sum() / max(degrees.sum(), 1), SMALL)
    variance = (scatter + PRIOR * pooled) / (degrees + PRIOR)
    both = (n_in > 0) & (n_out > 0)
    error = np.sqrt(variance * (1 / np.maximum(n_in, 1) + 1 / np.maximum(n_out, 1)))
    apart = np.where(both, (means[0] - means[1]) / error, 0)
    return apart, np.where(both, t.sf(apart, degrees + PRIOR), 1)


def _parts(report, values, kind, least):
    """A row for each of `values` with enough members and non-members, the worst first; none where
    one value holds all records."""
    found = []
    if len(np.unique(values)) < 2:
        return found
    for value in np.unique(values):
        own = values == value
        counts = int((own & report.members).sum()), int((own & ~report.members).sum())
        if min(counts) >= least:
            found.append((value, *counts, report.part(own)))
    rows = []
    for value, n_in, n_out, part in found:
        low, high = part.interval("auc")
        # as wide as the normal distribution asks for, where so many intervals are to hold at once
        half = (high - low) / 2 * norm.ppf(1 - 0.025 / len(found)) / norm.ppf(0.975)
        rows.append(
            {
                kind: _plain(value),
                "members": n_in,
                "nonmembers": n_out,
                "auc": part.auc,
                "low": max(part.auc - half, 0.0),
                "high": min(part.auc + half, 1.0),
            }
        )
    return sorted(rows, key=lambda row: -row["auc"])


def _measures(report):
    """The measures of one attack with their intervals; None where one cannot be given."""
    told = {}
    for measure, *args in MEASURES:
        value = report.tpr_at(*args) if args else getattr(report, measure)
        name = f"TPR at {100 * args[0]:g} % FPR" if args else measure
        span = report.interval(measure, *args)
        told[name] = None if np.isnan(value) else {"value": value, "interval": list(span)}
    for name in ("untouched", "blind"):
        other = getattr(report, name)
        span = other and list(other.interval("auc"))
        told[f"{name} auc"] = other and {"value": other.auc, "interval": span}
    return told | {"train_accuracy": report.train_accuracy, "test_accuracy": report.test_accuracy}


def _plain(value):
    """A value of numpy's as one of Python's."""
    return value.item() if hasattr(value, "item") else str(value) if value is not None else None
