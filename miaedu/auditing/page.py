"""An audit as one HTML page: its words, tables and pictures, and nothing from elsewhere."""

import os
from html import escape
from importlib.resources import files
from io import StringIO
from pathlib import Path
from string import Template

import matplotlib as mpl
from matplotlib.figure import Figure

from ..plots import MEMBER, NONMEMBER, STYLE, plot_roc
from . import words

NO_METADATA = dict.fromkeys(("Creator", "Date", "Format", "Type"))
SIZE = 4.4, 4.6  # inches: on a phone, letters are then no smaller than 11 pixels


def page(audit, records=False, whole=True):
    """The report as HTML: a page of its own, or (`whole` false) the part that a notebook shows."""
    parts = [f"<style>{_text('page.css')}</style>"]
    if records:
        parts.append(f'<p class="personal"><strong>{words.PERSONAL}</strong></p>')
    for section in words.sections(audit, records):
        parts.append(_table(section))
        if section.title == words.CHECKS:
            parts += [_picture(*roc(audit, log)) for log in (True, False)]
        if section.title == "Most exposed members":
            parts.append(_picture(*in_and_out(audit)))
    body = f'<div class="miaedu-audit">{"".join(parts)}</div>'
    if not whole:
        return f"<h3>{escape(audit.name)}</h3>{body}"
    return Template(_text("page.html")).substitute(
        title=escape(f"{audit.name}: an audit by membership inference"), body=body
    )


def write(path, text):
    """Write all of the text or nothing; returns the path."""
    path = Path(path)
    if not path.parent.is_dir():
        raise ValueError(
            f"path must be one that can be written, got {str(path)!r}: there is no folder "
            f"{str(path.parent)!r}"
        )
    half = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        half.write_text(text, encoding="utf-8")
        os.replace(half, path)
    except OSError as error:
        half.unlink(missing_ok=True)
        raise ValueError(
            f"path must be one that can be written, got {str(path)!r}: {error}"
        ) from None
    return path


def _text(name):
    return (files(__package__) / name).read_text(encoding="utf-8")


def _table(section):
    parts = [f"<h2>{escape(section.title)}</h2>"]
    if section.rows:
        head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in section.header)
        head = f"<thead><tr>{head}</tr></thead>" if any(section.header) else ""
        rows = "".join(
            f'<tr><th scope="row">{escape(first)}</th>'
            + "".join(f"<td>{escape(cell)}</td>" for cell in rest)
            + "</tr>"
            for first, *rest in section.rows
        )
        parts.append(f'<div class="wide"><table>{head}<tbody>{rows}</tbody></table></div>')
    parts += [f"<p>{escape(sentence)}</p>" for sentence in section.sentences]
    kind = ' class="verdict"' if section.title == "Verdict" else ""
    return f"<section{kind}>{''.join(parts)}</section>"


def roc(audit, log):
    """The ROC curves of the strongest attack of each view: a figure and its words."""
    reports = [audit.strongest(view) for view in reversed(audit.views)]
    with mpl.rc_context(STYLE):
        figure = Figure(SIZE, layout="constrained")
        ax = plot_roc(reports, figure.subplots(), log=log)
        lines, labels = ax.get_legend_handles_labels()
        ax.get_legend().remove()
        figure.legend(lines, labels, loc="outside lower left")
    curves = "; ".join(f"{report.name}, {words.auc(report)}" for report in reports)
    kind = "with logarithmic axes" if log else "with linear axes"
    return figure, f"ROC curves {kind}: {curves}."


def in_and_out(audit):
    """For each of the most exposed members, phi of the shadow models with it and without it: a
    figure and its words."""
    rows = audit.exposed()
    with mpl.rc_context(STYLE):
        figure = Figure((SIZE[0], 0.8 + 0.3 * len(rows)), layout="constrained")
        ax = figure.subplots()
        looks = ("without it", NONMEMBER, "o"), ("with it", MEMBER, "^")
        for place, row in enumerate(rows):
            for kind, colour, marker in looks:
                dots = ax.plot(row[kind], [place] * len(row[kind]), marker, color=colour, alpha=0.7)
                if not place:
                    dots[0].set_label(f"shadow models {kind}")
        ax.set_yticks(range(len(rows)), [str(row["record"]) for row in rows])
        ax.invert_yaxis()
        ax.set_xlabel("phi, log odds of the true class")
        figure.legend(loc="outside upper center", ncols=2)
    told = "; ".join(
        f"{row['record']}, {words.mean(row['without it'])} and {words.mean(row['with it'])}"
        for row in rows
    )
    return figure, f"Mean phi of shadow models without and with each record: {told}."


def _picture(figure, alt):
    out = StringIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "miaedu"}):
        figure.savefig(out, format="svg", metadata=NO_METADATA)
    svg = out.getvalue()
    svg = svg[svg.index("<svg") :]
    return f'<figure role="img" aria-label="{escape(alt)}">{svg}</figure>'
