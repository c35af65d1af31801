"""What an audit found as sentences and as tables: the same ones in print, in a notebook and on a
page."""

from textwrap import wrap
from typing import NamedTuple

import numpy as np

FAR = 4  # standard errors from 0.5 at which an evaluation is called broken
# from which AUC, or TPR at 1 % FPR, a leak is called so
BANDS = ("severe", 0.8, 0.10), ("clear", 0.6, 0.03)
ON_WORDS = (
    "Severe, clear and weak are our words: severe from an AUC of 0.8 or from 10 % of the members "
    "at 1 % false alarms on, clear from 0.6 or 3 %, weak below that, if the interval excludes "
    "chance."
)
ON_INTERVALS = (
    "Intervals are 95 % and cover the draw of records, not of models: another training run of the "
    "same model may fall outside them."
)
PERSONAL = "This file tells who was in the training set: it is personal data."
NOT_SHOWN = (
    "Other training runs: another run of the same training may tell more or less of each record.",
    "Stronger attacks: where nothing was found, that is no proof. A bound for every attack takes "
    "differential privacy.",
    "Anything but membership, such as the attributes of a person.",
    "Attackers who have the weights of the model: they may learn more than its answers tell.",
)
NO_SHADOWS = (
    "The strongest attacks, and single records: no shadow models were trained. Pass an estimator."
)


class Section(NamedTuple):
    """A part of the report: a title, a table (its header and rows of text), and sentences."""

    title: str
    header: tuple = ()
    rows: tuple = ()
    sentences: tuple = ()


def findings(audit, records):
    """How much leaks: on the whole, from the worst class or group, of single records, whose ids are
    told where `records` is true."""
    main = audit.headline
    found = f"{_the(main.name)} reaches {auc(main)}"
    tpr = main.tpr_at(0.01)
    if not np.isnan(tpr):
        found += f" and flags {tpr:.1%} of the members at 1 % false alarms"
    word = band(audit)
    if word:
        sentences = [f"A {word} leak: {found}."]
    else:
        sentences = [f"No leak was found: {found}. That is no proof that there is none."]
    better = _better(audit)
    if better:
        view, name, report = better
        sentences.append(f"More is found by {_the(name)} ({view}): {auc(report)}.")
    for kind, rows in (("class", audit.classes()), ("group", audit.by_group())):
        if rows and rows[0]["low"] > main.auc:
            worst = rows[0]
            sentences.append(
                f"Worse in {kind} {worst[kind]}, {worst['members']:,} members: AUC {_span(worst)}, "
                f"an interval corrected for {len(rows)} of them."
            )
    if _differ_beforehand(main):
        sentences.append(
            "A part of this is no leak: members and non-members differ a little before the model "
            f"is asked, since the blind baseline reaches {auc(main.blind)}."
        )
    return sentences + _standing_out(audit, records)


def _standing_out(audit, records):
    rows = audit.exposed()
    told = [str(row["record"]) for row in rows if row["beyond chance"]]
    if not told:
        return []
    names = f": {', '.join(told)}" if records else ""
    several = len(told) > 1
    return [
        f"{len(told)} of the {len(rows)} most exposed members "
        f"{'stand' if several else 'stands'} out{names}. Shadow models "
        "that learned from such a record answer otherwise about it than those that did not, "
        "beyond chance: a model like this one remembers it."
    ]


def doubts(audit):
    """Why the numbers of an audit mean nothing, as sentences; an empty list where they do."""
    reasons, main = [], audit.headline
    if _differ_beforehand(main) and main.blind.auc - 0.5 > (main.auc - 0.5) / 2:
        reasons.append(
            "Members and non-members differ before the model is asked: the blind baseline, which "
            f"never asks it, tells them apart with {auc(main.blind)}. Mend the split: non-members "
            "must be drawn as the members were. Until then no number here speaks of the model."
        )
    for view in audit.views:
        untouched = audit.strongest(view).untouched
        if untouched and _far_from_chance(untouched):
            reasons.append(
                f"The evaluation is broken ({view}): in the untouched run, where a shadow model "
                "answers in the model's place, there is nothing to find, and yet it finds "
                f"{auc(untouched)}."
            )
    if main.train_accuracy < 0.5 / len(np.unique(audit.labels)):
        reasons.append(
            f"The model is right on {main.train_accuracy:.0%} of its members, less than by "
            "guessing: are labels coded in the same way as in its training?"
        )
    elif main.interval("gap_advantage")[1] < 0 and main.interval("auc")[1] < 0.5:
        reasons.append(
            f"The model is right on {main.train_accuracy:.0%} of the members and on "
            f"{main.test_accuracy:.0%} of the non-members: were the two sides exchanged?"
        )
    return reasons


def not_shown(audit):
    """What an audit does not show."""
    return list(NOT_SHOWN) if len(audit.views) > 1 else [NO_SHADOWS, *NOT_SHOWN]


def sections(audit, records=False):
    """The report, part by part; with the most exposed members where `records` is true."""
    main = audit.headline
    n_in = int(main.members.sum())
    verdict = audit.broken or findings(audit, records)
    found = [Section("Verdict", sentences=(*verdict, *audit.notes))]
    for view, reports in audit.views.items():
        found.append(
            Section(
                f"Attacks: {view}",
                ("attack", "AUC", "TPR at 1 % FPR", "TPR at 0.1 % FPR", "advantage"),
                tuple(_row(name, report) for name, report in reports.items()),
            )
        )
    found.append(
        Section(
            "Checks of the evaluation",
            ("check", "found", "if all is well"),
            tuple(_checks(audit)),
            (
                f"{n_in:,} members and {len(main.members) - n_in:,} non-members. The model is "
                f"right on {main.train_accuracy:.1%} of the members and on "
                f"{main.test_accuracy:.1%} of the non-members.",
            ),
        )
    )
    for kind, rows in (("class", audit.classes()), ("group", audit.by_group())):
        if rows:
            found.append(
                Section(
                    f"By {kind}",
                    (kind, "members", "non-members", "AUC"),
                    tuple(_part_row(row, kind) for row in rows[:10]),
                    (
                        f"Of {main.name}, the worst first; those with at least 100 on either side; "
                        f"intervals are corrected for {len(rows)}.",
                    ),
                )
            )
    if records:
        found.append(_records(audit))
    found += [_worth(audit), Section("What this does not show", sentences=tuple(audit.not_shown))]
    found.append(Section("What was run", sentences=tuple(_run(audit.provenance or {}))))
    found.append(Section("Notes", sentences=(ON_WORDS, ON_INTERVALS)))
    return found


def _records(audit):
    rows = audit.exposed()
    return Section(
        "Most exposed members",
        ("record", "label", "phi without it", "phi with it", "beyond chance", "flagged here"),
        tuple(
            (
                str(row["record"]),
                str(row["label"]),
                mean(row["without it"]),
                mean(row["with it"]),
                "yes" if row["beyond chance"] else "no",
                "yes" if row["flagged"] else "no",
            )
            for row in rows
        ),
        (
            "phi, the log odds of the true class, is a mean over shadow models with and without "
            "the record. Members were chosen on one half of the models, and judged on the other.",
        ),
    )


def as_text(audit):
    """The report as text, 78 columns where words allow."""
    lines = [f"{audit.name}: an audit by membership inference"]
    for section in sections(audit):
        lines += ["", section.title]
        if section.rows:
            lines += [f"  {line}" for line in columns(section.header, section.rows)]
        for text in section.sentences:
            lines += wrap(text, 78, initial_indent="  ", subsequent_indent="    ")
    return "\n".join(lines)


def columns(header, rows):
    """A table as lines of text, its columns aligned."""
    table = [row for row in (header, *rows) if any(row)]
    widths = [max(map(len, column)) for column in zip(*table)]
    return [
        "  ".join(f"{text:<{width}}" for text, width in zip(row, widths)).rstrip() for row in table
    ]


def in_a_word(audit):
    """The verdict in a word or two."""
    if audit.broken:
        return "means nothing"
    word = band(audit)
    return f"{word} leak" if word else "none found"


def _row(name, report):
    measures = ("auc",), ("tpr_at", 0.01), ("tpr_at", 0.001), ("advantage",)
    return (name, *(cell(report, *measure) for measure in measures))


def cell(report, measure, *args):
    value = report.tpr_at(*args) if args else getattr(report, measure)
    if np.isnan(value):
        return "-"
    low, high = report.interval(measure, *args)
    return f"{value:z.3f} ({low:z.3f} to {high:z.3f})"


def _part_row(row, kind):
    return str(row[kind]), f"{row['members']:,}", f"{row['nonmembers']:,}", _span(row)


def _checks(audit):
    main = audit.headline
    blind = auc(main.blind) if main.blind else "not run"
    yield "blind baseline (asks no model)", blind, "near 0.5"
    for view in list(audit.views)[1:]:
        untouched = audit.strongest(view).untouched
        yield (f"untouched run ({view})", auc(untouched) if untouched else "not run", "near 0.5")
    low, high = main.interval("gap_advantage")
    yield (
        "gap attack's advantage",
        f"{main.gap_advantage:z.3f} ({low:z.3f} to {high:z.3f})",
        "what labels alone tell",
    )


def _worth(audit):
    rows = audit.priors()
    fpr, tpr = rows[0]["fpr"], rows[0]["tpr"]
    return Section(
        "What a flag is worth",
        ("where one in ... is a member", "of 100 flagged, members"),
        tuple(
            (
                f"{row['one in']:,}",
                "-" if row["precision"] is None else f"{100 * row['precision']:.2g}",
            )
            for row in rows
        ),
        (
            f"For {audit.headline.name} at the threshold that flags {tpr:.1%} of the members and "
            f"{fpr:.2%} of the non-members, a flag is evidence, not proof.",
        ),
    )


def _run(provenance):
    for name, value in provenance.items():
        if isinstance(value, dict):
            value = ", ".join(f"{key} {each}" for key, each in value.items())
        elif isinstance(value, list):
            value = ", ".join(value)
        yield f"{name}: {value or 'none'}"


def _the(name):
    return name if name[0].isupper() else f"the {name}"


def auc(report):
    low, high = report.interval("auc")
    return f"AUC {report.auc:.3f} ({low:.3f} to {high:.3f})"


def _span(row):
    return f"{row['auc']:.3f} ({row['low']:.3f} to {row['high']:.3f})"


def mean(values):
    return f"{np.mean(values):.1f}" if values else "-"


def _far_from_chance(report):
    low, high = report.interval("auc")
    return abs(report.auc - 0.5) > FAR * (high - low) / (2 * 1.96)


def _differ_beforehand(report):
    return bool(report.blind) and report.blind.auc > 0.5 and _far_from_chance(report.blind)


def band(audit):
    """The word for how much was found, or None where the interval of the strongest attack holds
    chance. Another attack counts where it finds a clear or a severe leak: the strongest attack is
    named before anything is measured, but a leak that another one proves is a leak."""
    others = [report for reports in audit.views.values() for report in reports.values()]
    for word, *bounds in BANDS:
        if any(_reaches(report, *bounds) for report in others):
            return word
    return "weak" if _reaches(audit.headline, 0.5, 0.01) else None


def _reaches(report, auc, hits):
    """Whether a report has this AUC, or these hits at 1 % false alarms, by more than chance."""
    if report.interval("auc")[0] > 0.5 and report.auc >= auc:
        return True
    least = np.nan_to_num(report.interval("tpr_at", 0.01)[0])
    return bool(least > 0.01 and report.tpr_at(0.01) >= hits)


def _better(audit):
    """The attack with the highest AUC of all, if its interval is above the headline's: view, name
    and Report, or None."""
    every = [
        (view, name, report)
        for view, reports in audit.views.items()
        for name, report in reports.items()
    ]
    best = max(every, key=lambda one: one[2].auc)
    return best if best[2].interval("auc")[0] > audit.headline.interval("auc")[1] else None
