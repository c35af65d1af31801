"""What an audit found as sentences and as tables: the same ones in print, in a notebook and on a
page."""

from textwrap import wrap
from typing import NamedTuple

import numpy as np
from scipy.stats import norm

FAR = 4  # standard errors from 0.5 at which an evaluation is called broken
# from which AUC, or TPR at 1 % FPR, a leak is called so
BANDS = ("severe", 0.8, 0.10), ("clear", 0.6, 0.03)
ON_WORDS = (
    "Severe, clear and weak are our words: severe from an AUC of 0.8 or from 10 % of the members "
    "at 1 % false alarms on, clear from 0.6 or 3 %, weak below that, if the interval excludes "
    "chance: where the attack named beforehand finds nothing, an interval of the best of the "
    "others that is corrected for their number."
)
ON_INTERVALS = (
    "Intervals are 95 % and cover the draw of records, not of models: another training run of the "
    "same model may fall outside them."
)
ON_ATTACKS = (
    "The calibrated attack, LiRA and RMIA compare the model's answer about a record with those of "
    "shadow models, which are trained in the same way on other records; phi is the log odds of the "
    "true class in such an answer. The attack of 2017 and the threshold attack look at the answer "
    "alone, the gap attack at its label."
)
ON_MEASURES = (
    "AUC: how often a member scores higher than a non-member; 0.5 is chance, 1 is certainty. TPR: "
    "the share of the members that is flagged. FPR: the share of the non-members. Advantage: TPR "
    "less FPR, at a threshold learned from shadow models."
)
ON_DASHES = (
    "-: not to be judged. A TPR at 1 % FPR takes 1,000 non-members, at 0.1 % 10,000; a threshold "
    "takes shadow models."
)
ON_CHECKS = (
    "By chance alone an interval of the blind baseline or of an untouched run misses 0.5 now and "
    f"then; beyond {FAR} standard errors from it, the verdict says that the evaluation is broken."
)
CHECKS = "Checks of the evaluation"
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
    word, by = _band(audit)
    main = audit.headline
    view = next(view for view, reports in audit.views.items() if main in reports.values())
    if word is None:
        sentences = [f"No leak was found: {_finds(view, main)}. That is no proof of none."]
    else:
        sentences = [f"A {word} leak: {_finds(*by)}."]
        if by[1] is not main:
            sentences.append(f"The attack named beforehand: {_finds(view, main)}.")
    better = _better(audit)
    if better and (by is None or better[1] is not by[1]):
        sentences.append(f"More is found elsewhere: {_finds(*better)}.")
    for kind, rows in (("class", audit.classes(20)), ("group", audit.by_group(20))):
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


def _finds(view, report):
    found = f"{_the(report.name)} ({view}) reaches {auc(report)}"
    tpr = report.tpr_at(0.01)
    if not np.isnan(tpr):
        found += f" and flags {tpr:.1%} of the members at 1 % false alarms"
    return found


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
            "must be drawn as the members were; or, if records repeat or belong together on a "
            "side, pass `together`. Until then no number here speaks of the model."
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
            f"{main.test_accuracy:.0%} of the non-members: were the two sides exchanged, or "
            "labels mixed up?"
        )
    return reasons


def not_shown(audit):
    """What an audit does not show."""
    return list(NOT_SHOWN) if len(audit.views) > 1 else [NO_SHADOWS, *NOT_SHOWN]


def sections(audit, records=False):
    """The report, part by part; with the most exposed members where `records` is true."""
    verdict = audit.broken or findings(audit, records)
    found = [Section("Verdict", sentences=(*verdict, *audit.notes)), _checks(audit)]
    for view, reports in audit.views.items():
        rows = tuple(_row(name, report) for name, report in reports.items())
        header = "attack", "AUC", "TPR at 1 % FPR", "TPR at 0.1 % FPR", "advantage"
        notes = [report.note for report in reports.values() if report.note]
        found.append(Section(f"Attacks: {view}", header, rows, tuple(notes[:1])))
    found += _parts(audit, "class", audit.labels, audit.classes())
    if audit.groups is not None:
        found += _parts(audit, "group", audit.groups, audit.by_group())
    if records and audit.seen is not None:
        found.append(_records(audit))
    found += [
        _worth(audit),
        Section("What this does not show", sentences=tuple(audit.not_shown)),
        Section("What was run", sentences=tuple(_run(audit.provenance or {}))),
        Section("Words", sentences=(ON_ATTACKS, ON_MEASURES, ON_DASHES, ON_WORDS, ON_INTERVALS)),
    ]
    return found


def _checks(audit):
    """The evaluation itself on trial."""
    main = audit.headline
    n_in = int(main.members.sum())
    blind = auc(main.blind) if main.blind else "not run"
    rows = [("blind baseline (asks no model)", blind, "near 0.5")]
    for view in list(audit.views)[1:]:
        untouched = audit.strongest(view).untouched
        rows.append(
            (f"untouched run ({view})", auc(untouched) if untouched else "not run", "near 0.5")
        )
    low, high = main.interval("gap_advantage")
    gap = f"{main.gap_advantage:z.3f} ({low:z.3f} to {high:z.3f})"
    rows.append(("gap attack's advantage", gap, "what labels alone tell"))
    sizes = (
        f"{n_in:,} members and {len(main.members) - n_in:,} non-members. The model is right on "
        f"{main.train_accuracy:.1%} of the members and on {main.test_accuracy:.1%} of the "
        "non-members."
    )
    return Section(CHECKS, ("check", "found", "if all is well"), tuple(rows), (sizes, ON_CHECKS))


def _parts(audit, kind, values, rows):
    """A section on the classes or the groups, and which of them have too few records."""
    told = {row[kind] for row in rows}
    few = []
    for value in np.unique(values):
        if str(value) not in {str(each) for each in told}:
            own = values == value
            n_in = int((own & audit.headline.members).sum())
            few.append(f"{value} ({n_in:,} and {int(own.sum()) - n_in:,})")
    sentences = []
    if rows:
        sentences.append(
            f"By the {audit.headline.name}, the worst first. Intervals are corrected for "
            f"{len(rows)}, so that all hold at once."
        )
    if few:
        more = f" and {len(few) - 10} more" if len(few) > 10 else ""
        sentences.append(
            "Too few members or non-members for a row, under 100: "
            f"{', '.join(few[:10])}{more}. The verdict names the worst with at least 20."
        )
    table = tuple(_part_row(row, kind) for row in rows[:10])
    return [Section(f"By {kind}", (kind, "members", "non-members", "AUC"), table, tuple(sentences))]


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
    word = _band(audit)[0]
    return f"{word} leak" if word else "none found"


def _row(name, report):
    measures = ("auc",), ("tpr_at", 0.01), ("tpr_at", 0.001), ("advantage",)
    return (name, *(cell(report, *measure) for measure in measures))


def cell(report, measure, *args):
    """A measure with its interval, as text; "-" where it cannot be given."""
    value = report.tpr_at(*args) if args else getattr(report, measure)
    if np.isnan(value):
        return "-"
    low, high = report.interval(measure, *args)
    return f"{value:z.3f} ({low:z.3f} to {high:z.3f})"


def _part_row(row, kind):
    return str(row[kind]), f"{row['members']:,}", f"{row['nonmembers']:,}", _span(row)


def _worth(audit):
    rows = audit.priors()
    fpr, tpr = rows[0]["fpr"], rows[0]["tpr"]
    name = audit.headline.name
    if not tpr:
        nobody = f"{_the(name).capitalize()} flags nobody at a threshold that can be judged."
        return Section("What a flag is worth", sentences=(nobody,))
    return Section(
        "What a flag is worth",
        ("where one in ... is a member", "of 100 flagged, members"),
        tuple((f"{row['one in']:,}", _of_100(row)) for row in rows),
        (
            f"For {_the(name)} at the threshold that flags {tpr:.1%} of the members and "
            f"{fpr:.2%} of the non-members. A flag is evidence, not proof.",
        ),
    )


def _of_100(row):
    if row["precision"] is None:
        return f"at least {_short(row['low'])}"
    return f"{_short(row['precision'])} ({_short(row['low'])} to {_short(row['high'])})"


def _short(share):
    return f"{100 * share:.0f}" if share > 0.1 else f"{100 * share:.2g}"


def _run(provenance):
    for name, value in provenance.items():
        if isinstance(value, dict):
            value = ", ".join(f"{key} {each}" for key, each in value.items())
        elif isinstance(value, list):
            value = ", ".join(value)
        yield f"{name}: {'none' if value in ('', None) else value}"


def _the(name):
    return name if name[0].isupper() else f"the {name}"


def auc(report):
    """The AUC of a Report with its interval, as text."""
    low, high = report.interval("auc")
    return f"AUC {report.auc:.3f} ({low:.3f} to {high:.3f})"


def _span(row):
    return f"{row['auc']:.3f} ({row['low']:.3f} to {row['high']:.3f})"


def mean(values):
    """The mean of some numbers, as text; "-" of none."""
    return f"{np.mean(values):.1f}" if values else "-"


def _far_from_chance(report):
    low, high = report.interval("auc")
    return abs(report.auc - 0.5) > FAR * (high - low) / (2 * 1.96)


def _differ_beforehand(report):
    return bool(report.blind) and report.blind.auc > 0.5 and _far_from_chance(report.blind)


def _band(audit):
    """The word for how much was found, and who found it: a view and a Report; None twice where
    nothing was. The attack that was named beforehand comes first; another one counts where it finds
    a clear or a severe leak, or a weak one by an interval that is corrected for the number of
    attacks: a leak that any attack proves is a leak."""
    main = audit.headline
    every = sorted(_every(audit), key=lambda found: found[1] is not main)
    for word, *bounds in BANDS:
        for found in every:
            if _reaches(found[1], *bounds):
                return word, found
    if _reaches(main, 0.5, 0.01):
        return "weak", every[0]
    best = max(every[1:], key=lambda found: found[1].auc)
    wider = norm.ppf(1 - 0.025 / len(every)) / norm.ppf(0.975)
    low = best[1].auc - wider * (best[1].auc - best[1].interval("auc")[0])
    return ("weak", best) if low > 0.5 else (None, None)


def _every(audit):
    return [(view, each) for view, reports in audit.views.items() for each in reports.values()]


def _reaches(report, auc, hits):
    """Whether a report has this AUC, or these hits at 1 % false alarms, by more than chance."""
    if report.interval("auc")[0] > 0.5 and report.auc >= auc:
        return True
    least = np.nan_to_num(report.interval("tpr_at", 0.01)[0])
    return bool(report.auc > 0.5 and least > 0.01 and report.tpr_at(0.01) >= hits)


def _better(audit):
    """The attack with the highest AUC of all, if its interval is above the headline's: its view and
    its Report, or None."""
    best = max(_every(audit), key=lambda found: found[1].auc)
    return best if best[1].interval("auc")[0] > audit.headline.interval("auc")[1] else None
