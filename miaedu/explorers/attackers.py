"""The attackers between whom a reader chooses, by what menus and words call them."""

from typing import NamedTuple


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
