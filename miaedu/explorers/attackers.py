"""The attackers between whom a reader chooses, by what menus and words call them."""

from typing import NamedTuple

from ..metrics import STRICT
from ..words import describe


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
    """The first Result in full, that of the strongest attack, and what it flags at few false
    alarms: at a threshold that it has from its shadow models, since 500 non-members are too few to
    find the one for a hundredth of them."""
    report = results[0].report
    alarms, hits = report.rates_at(report.strict_threshold)
    return (
        f"{describe(results[0])} At the threshold that flagged {STRICT:.0%} of the shadow models' "
        f"non-members the attack flags {hits:.0%} of the members and {alarms:.1%} of the "
        f"{(~report.members).sum()} non-members."
    )
