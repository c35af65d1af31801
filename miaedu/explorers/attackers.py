"""The attackers between whom a reader chooses, by what menus and words call them."""

from typing import NamedTuple

from ..words import describe

LOW = 0.01  # the false alarm rate of the second measure, beside the AUC or the advantage
ENOUGH = 1000  # non-members, so that ten false alarms stand behind it


class Attacker(NamedTuple):
    """The name of an attack, and whose shadow models it has, as an Experiment takes them."""

    attack: str
    view: str

    @property
    def words(self):
        """What a sentence calls them."""
        return WORDS[self]


OF_2017 = Attacker("shadow", "attacker")
CALIBRATED = Attacker("calibrated", "attacker")
LIRA_OFFLINE = Attacker("lira", "attacker")
LIRA_AUDITOR = Attacker("lira", "auditor")
WORDS = {
    OF_2017: "the attack of 2017",
    CALIBRATED: "the calibrated attack",
    LIRA_OFFLINE: "LiRA in the attacker's view",
    LIRA_AUDITOR: "LiRA in the auditor's view",
}
MENU = [
    ("of 2017", OF_2017),
    ("calibrated", CALIBRATED),
    ("LiRA, attacker's view", LIRA_OFFLINE),
    ("LiRA, auditor's view", LIRA_AUDITOR),
]


def numbers(results):
    """The first Result in full, that of the strongest attack; and what both attacks flag at few
    false alarms, as far as they are there."""
    found = []
    for attacker, result in zip((CALIBRATED, OF_2017), results, strict=False):
        report = result.report
        low, high = report.interval("tpr_at", LOW)
        found.append(
            f"{attacker.words} flags {report.tpr_at(LOW):.0%} of the members "
            f"(95% interval {low:.0%} to {high:.0%})"
        )
    nonmembers = (~results[0].report.members).sum()
    return (
        f"{describe(results[0])} At no more than {LOW:.0%} false alarms among {nonmembers:,} "
        f"non-members, {', '.join(found)}."
    )
