"""compare: audits side by side, of several models or of one under several countermeasures."""

from html import escape

from . import words
from .report import AuditReport


class Comparison:
    """Audits side by side; made by :func:`compare`. Print it, show it in a notebook, or plot it.

    >>> import miaedu as mia
    >>> world = mia.split(mia.load_digits(), n_members=100, random_state=0)
    >>> models = {name: mia.MLP(epochs=n).fit(*world.members) for name, n in (("1", 1), ("9", 9))}
    >>> sides = world.members, world.nonmembers
    >>> audits = {name: mia.audit(each, *sides, n_models=0) for name, each in models.items()}
    >>> [row["model"] for row in mia.compare(audits).rows()]
    ['1', '9']
    """

    def __init__(self, audits):
        self.audits = audits

    def rows(self):
        """A dict an audit: ``model``, ``meaningless`` (bool), ``test_accuracy``, and of its
        strongest attack ``auc`` and ``tpr_at_1_percent``, each with ``low`` and ``high`` beside
        it (nan where it cannot be given)."""
        found = []
        for name, audit in self.audits.items():
            report, row = audit.headline, {"model": name, "meaningless": bool(audit.broken)}
            for key, measure in (("auc", ("auc",)), ("tpr_at_1_percent", ("tpr_at", 0.01))):
                value = report.auc if key == "auc" else report.tpr_at(0.01)
                low, high = report.interval(*measure)
                row |= {key: value, f"{key}_low": low, f"{key}_high": high}
            found.append(row | {"test_accuracy": report.test_accuracy})
        return found

    def plot(self, ax=None):
        """Draw each audit's AUC with its interval; returns the Axes."""
        from ..plots import ATTACK, BASELINE, drawing, new_axes

        rows = self.rows()
        with drawing():
            ax = new_axes() if ax is None else ax
            for place, row in enumerate(rows):
                ax.plot([row["auc_low"], row["auc_high"]], [place] * 2, color=ATTACK, lw=2)
                ax.plot(row["auc"], place, "o", color=ATTACK)
            ax.axvline(0.5, color=BASELINE, linestyle="--", lw=1)
            ax.set_yticks(range(len(rows)), [row["model"] for row in rows])
            ax.invert_yaxis()
            ax.set_xlabel(f"AUC of {next(iter(self.audits.values())).headline.name}")
        return ax

    def _table(self):
        header = "model", "AUC", "TPR at 1 % FPR", "accuracy on non-members", "verdict"
        rows = [
            (
                name,
                words.cell(audit.headline, "auc"),
                words.cell(audit.headline, "tpr_at", 0.01),
                f"{audit.headline.test_accuracy:.1%}",
                words.in_a_word(audit),
            )
            for name, audit in self.audits.items()
        ]
        return header, rows

    @property
    def remark(self):
        """A sentence where the audits are not of the same records, or not run alike; or nothing."""
        kinds = {
            (len(audit.labels), *sorted(set(audit.labels.tolist())), *map(str, _settings(audit)))
            for audit in self.audits.values()
        }
        if len(kinds) == 1:
            return ""
        return "These audits differ in their records or settings, not in the model alone."

    def __str__(self):
        return "\n".join([*words.columns(*self._table()), *filter(None, [self.remark])])

    __repr__ = __str__

    def _repr_html_(self):
        header, rows = self._table()
        head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in header)
        body = "".join(
            "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
        )
        table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        return f"{table}<p>{self.remark}</p>" if self.remark else table


def _settings(audit):
    provenance = audit.provenance or {}
    return [provenance.get(name) for name in ("shadow models per view", "random_state", "hiding")]


def compare(reports):
    """Put several :class:`AuditReport` side by side, by the strongest attack of each: a dict by
    name, or a list of reports of different names.

    >>> from sklearn.dummy import DummyClassifier
    >>> import miaedu as mia
    >>> world = mia.split(mia.load_digits(), n_members=100, random_state=0)
    >>> models = DummyClassifier(), DummyClassifier(strategy="uniform", random_state=0)
    >>> sides = world.members, world.nonmembers
    >>> one, two = (
    ...     mia.audit(each.fit(*world.members), *sides, n_models=0, name=each.strategy)
    ...     for each in models
    ... )
    >>> print(str(mia.compare([one, two])).splitlines()[1].split()[0])
    prior

    Returns a :class:`Comparison`. Raises ValueError for fewer than two, and where they were not
    judged by the same attack: then their numbers do not compare.
    """
    if not isinstance(reports, (dict, list, tuple)):
        raise TypeError(f"reports must be a dict or a list of them, got {type(reports).__name__}")
    if not isinstance(reports, dict):
        names = [getattr(report, "name", repr(report)) for report in reports]
        if len(set(names)) < len(names):
            raise ValueError(f"reports must have different names (or pass a dict), got {names}")
        reports = dict(zip(names, reports))
    for name, report in reports.items():
        if not isinstance(report, AuditReport):
            raise TypeError(
                f"reports must be what mia.audit returns, got {type(report).__name__} for {name!r}"
            )
    if len(reports) < 2:
        raise ValueError(f"reports must be at least two, got {len(reports)}")
    judges = {name: report.headline.name for name, report in reports.items()}
    if len(set(judges.values())) > 1:
        told = ", ".join(f"{name} by {judge}" for name, judge in judges.items())
        raise ValueError(f"reports must be judged by the same attack, got {told}")
    return Comparison(reports)
