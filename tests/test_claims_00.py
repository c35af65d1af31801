"""What notebook 00 says in words, measured again with other shoppers, targets and shadow models."""

from dataclasses import replace

import numpy as np
import pytest
from course import sentence

import miaedu as mia
from miaedu.explorers.overfitting import EPOCHS

SHOP = mia.Experiment(hidden=32, epochs=32, snapshots=EPOCHS, n_shadows=4, attack="threshold")


@pytest.fixture(scope="module")
def reports():
    """Reports by epoch, one a random state: that of the explorer, random state 0, and five
    more."""
    return {
        epochs: [mia.run(replace(SHOP, epochs=epochs, random_state=s)).report for s in range(6)]
        for epochs in EPOCHS
    }


def lead(later, earlier):
    """The mean difference of two lists of measures, in standard errors over the random states."""
    differences = np.subtract(later, earlier)
    return differences.mean() / (differences.std(ddof=1) / np.sqrt(len(differences)))


def test_the_shop_is_the_one_of_the_story_and_the_explorer_attacks_its_target():
    sentence("00", "on the baskets of 500 customers: the [members](#member)")
    sentence("00", "whether *you* were among the 500?")
    sentence("00", "which of ten styles of shopper they are")
    assert SHOP.n_members == 500 and SHOP.n_classes == 10
    sentence("00", "Now turn the knob yourself, on the same target.")
    explorer = mia.overfitting(more=False)
    explorer.controls["epochs"].value = 32
    shown = explorer.results[0].experiment
    assert replace(shown, n_shadows=4, snapshots=EPOCHS) == SHOP, "fewer shadows on a slow machine"


@pytest.mark.slow
def test_members_are_flagged_far_more_often_but_not_alone(reports):
    sentence("00", "Members are flagged far more often")
    sentence("00", "But non-members are flagged too: to be flagged is evidence, not proof.")
    for report in reports[32]:
        assert report.recall > 1.5 * report.fpr and report.fpr > 0.2


@pytest.mark.slow
def test_the_explorer_ends_at_the_numbers_that_the_text_gives(reports):
    sentence("00", "until 96 hits stand against 44 false alarms")
    sentence("00", "after 32 epochs it is right on nearly 100 of 100 members and on 68 of 100")
    shown = reports[32][0]
    rates = shown.recall, shown.fpr, shown.train_accuracy, shown.test_accuracy
    # Another machine's BLAS may round otherwise, which moves single records of 500 across a
    # threshold.
    assert 100 * np.array(rates) == pytest.approx([96, 44, 100, 68], abs=1.5)


@pytest.mark.slow
def test_the_longer_it_learns_the_further_hits_and_false_alarms_move_apart(reports):
    # 4 standard errors over six targets: one chance in about 200 were there no difference (t, 5
    # d.f.).
    advantage = {epochs: [report.advantage for report in reports[epochs]] for epochs in reports}
    assert lead(advantage[8], advantage[1]) > 4 and lead(advantage[32], advantage[8]) > 4


@pytest.mark.slow
def test_the_model_stops_getting_better_on_nonmembers_but_not_on_members(reports):
    sentence("00", "The model gets better on non-members only up to about epoch 8")
    sentence("00", "but it goes on learning its members by heart")
    test = {epochs: [report.test_accuracy for report in reports[epochs]] for epochs in reports}
    train = {epochs: [report.train_accuracy for report in reports[epochs]] for epochs in reports}
    assert lead(train[8], train[1]) > 4 and lead(test[8], test[1]) > 4
    assert lead(train[32], train[8]) > 4 and np.mean(train[32]) > 0.99
    best = max(EPOCHS, key=lambda epochs: np.mean(test[epochs]))
    assert best in (6, 8, 12) and np.mean(test[32]) < np.mean(test[best])


@pytest.mark.slow
def test_in_the_explorer_the_threshold_jumps_about_and_the_distance_grows_from_epoch_6(reports):
    sentence("00", "In the first epochs the attacker's threshold jumps about")
    sentence("00", "From epoch 6 on the distance between the two grows")
    shown = {epochs: reports[epochs][0] for epochs in EPOCHS}
    first, later = EPOCHS[:4], EPOCHS[4:]
    for name in ("recall", "fpr"):
        steps = np.diff([getattr(shown[epochs], name) for epochs in first])
        assert min(steps) < 0 < max(steps), "up and down"
    assert min(np.diff([shown[epochs].advantage for epochs in later])) > 0
    assert max(shown[epochs].advantage for epochs in first) < shown[6].advantage
