"""What notebook 00 says in words, measured anew with other shoppers, targets and shadow models."""

import numpy as np
import pytest

import miaedu as mia
from miaedu.explorers.overfitting import EPOCHS


@pytest.fixture(scope="module")
def reports():
    """Reports by epoch, one a random state: those of the explorer, random state 0, and five
    more."""
    runs = {epochs: [] for epochs in (1, 8, 32)}
    for seed in range(6):
        for epochs in runs:
            runs[epochs].append(
                mia.run(
                    mia.Experiment(
                        hidden=32,
                        epochs=epochs,
                        snapshots=EPOCHS,
                        n_shadows=4,
                        attack="threshold",
                        random_state=seed,
                    )
                ).report
            )
    return runs


def lead(later, earlier):
    """The mean difference of two lists of measures, in standard errors over the random states."""
    differences = np.subtract(later, earlier)
    return differences.mean() / (differences.std(ddof=1) / np.sqrt(len(differences)))


def test_members_are_named_far_more_often_but_not_alone(reports):
    for report in reports[32]:
        assert report.recall > 1.5 * report.fpr and report.fpr > 0.2


def test_the_longer_it_learns_the_further_hits_and_false_alarms_move_apart(reports):
    # 4 standard errors over six targets: one chance in about 200 were there no difference (t, 5
    # d.f.).
    advantage = {epochs: [report.advantage for report in reports[epochs]] for epochs in reports}
    assert lead(advantage[8], advantage[1]) > 4 and lead(advantage[32], advantage[8]) > 4


def test_the_model_stops_getting_better_on_nonmembers_but_not_on_members(reports):
    test = {epochs: [report.test_accuracy for report in reports[epochs]] for epochs in reports}
    train = {epochs: [report.train_accuracy for report in reports[epochs]] for epochs in reports}
    assert lead(train[8], train[1]) > 4 and lead(test[8], test[1]) > 4
    assert lead(train[32], train[8]) > 4 and np.mean(train[32]) > 0.99
    assert np.mean(test[32]) <= np.mean(test[8])


def test_in_the_explorer_the_line_jumps_about_at_first_and_the_distance_grows_from_epoch_6_on():
    settings = dict(hidden=32, snapshots=EPOCHS, n_shadows=4, attack="threshold")
    shown = {epochs: mia.run(mia.Experiment(epochs=epochs, **settings)).report for epochs in EPOCHS}
    first, later = (
        [epochs for epochs in EPOCHS if epochs <= 4],
        [epochs for epochs in EPOCHS if epochs >= 6],
    )
    for rates in (
        [shown[epochs].recall for epochs in first],
        [shown[epochs].fpr for epochs in first],
    ):
        assert min(np.diff(rates)) < 0 < max(np.diff(rates)), "up and down"
    assert min(np.diff([shown[epochs].advantage for epochs in later])) > 0
    assert max(shown[epochs].advantage for epochs in first) < shown[6].advantage
