import threading

import numpy as np
import pytest
import refusals
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.utils.estimator_checks import parametrize_with_checks

from miaedu import MLP, lockstep
from miaedu.checks import draw_seeds
from miaedu.lockstep import layers


# scikit-learn itself skips two of its checks here: on pandas' tables where pandas is not installed,
# and on array libraries other than numpy, which MLP does not take.
@parametrize_with_checks(
    [MLP(), MLP(hidden=3, batch_size=None, l2=0.01), MLP(clip=1.0, expected_members=50)]
)
def test_scikit_learns_checks(estimator, check):
    check(estimator)


def test_as_accurate_as_scikit_learns_network_on_digits():
    X, y = load_digits(return_X_y=True)
    X, X_test, y, y_test = train_test_split(X / 16, y, stratify=y, random_state=0)
    reference = (
        MLPClassifier((64,), alpha=0, tol=1e-3, random_state=0).fit(X, y).score(X_test, y_test)
    )
    ours = [MLP(random_state=seed).fit(X, y).score(X_test, y_test) for seed in range(3)]
    # The accuracy of one network on 450 records near .97 has a standard error of .008.
    assert np.mean(ours) > reference - 0.01
    assert reference > 0.95, "the reference did not learn"


def weights(net):
    """The weights (K, P) of a fitted MLP or of Networks."""
    return getattr(net, "networks_", net)._theta


def blobs(n=150, d=7, c=3, seed=0):
    rng = np.random.default_rng(seed)
    y = np.arange(n) % c
    return (rng.normal(size=(c, d))[y] + rng.normal(size=(n, d))).astype(np.float32), y


X, Y = blobs()
# of the training sets: below, at and above a batch
SIZES = [150, 1, 99, 100, 101, 20, 64, 65, 128, 129, 20, 150]
MEMBERS = np.array(
    [np.random.default_rng(k).permutation(len(X)) < size for k, size in enumerate(SIZES)]
)
NETS = {
    "plain": MLP(epochs=3, random_state=7),
    "odd": MLP(hidden=13, epochs=3, batch_size=37, random_state=7),
    "small batches": MLP(hidden=1, epochs=2, batch_size=2, random_state=7),
    "full batches": MLP(hidden=33, epochs=3, batch_size=None, random_state=7),
    "penalised": MLP(epochs=3, l2=0.1, learning_rate=0.03, random_state=7),
    "clipped": MLP(hidden=5, epochs=3, clip=0.1, random_state=7),
    "private": MLP(epochs=3, clip=1.0, noise_multiplier=0.5, expected_members=80, random_state=7),
}
each_kind = pytest.mark.parametrize("net", NETS.values(), ids=NETS)


@each_kind
def test_a_copy_is_the_same_bit_for_bit_alone_and_in_any_networks_on_any_number_of_threads(net):
    networks = net.fit_many(X, Y, MEMBERS, range(3))
    for n_jobs in (1, 2, 3):
        assert np.array_equal(
            weights(net.fit_many(X, Y, MEMBERS, range(3), n_jobs=n_jobs)), weights(networks)
        )
    assert np.array_equal(weights(net.fit_many(X, Y, MEMBERS[:5], range(3))), weights(networks)[:5])
    larger = net.fit_many(X, Y, np.tile(MEMBERS, (6, 1)), range(3))  # more than fit one block
    assert np.array_equal(weights(larger)[:12], weights(networks))
    for k, mine in enumerate(MEMBERS):
        alone = (
            clone(net).set_params(random_state=networks.seeds[k]).fit(X[mine], Y[mine], range(3))
        )
        assert np.array_equal(weights(alone)[0], weights(networks)[k])
        assert np.array_equal(alone.predict_proba(X), networks.predict_proba(X)[k])
    assert len({row.tobytes() for row in weights(networks)}) == len(MEMBERS), (
        "copies with seeds of their own must differ"
    )


@settings(max_examples=25)
@given(
    st.integers(2, 9),
    st.integers(1, 70),
    st.sampled_from(["auto", None, 2, 3, 16, 33]),
    st.integers(0, 2**32 - 1),
)
def test_a_copy_is_the_same_bit_for_bit_whatever_the_shapes(K, hidden, batch_size, seed):
    rng = np.random.default_rng(seed)
    n, d = rng.integers(5, 160), rng.integers(1, 30)
    records, labels = blobs(n, d, 2, seed)
    members = rng.random((K, n)) < rng.random((K, 1))
    members[:, 0] = True
    net = MLP(hidden=hidden, epochs=2, batch_size=batch_size, random_state=seed)
    networks = net.fit_many(records, labels, members, n_jobs=2)
    k = rng.integers(K)
    mine = records[members[k]], labels[members[k]]
    alone = clone(net).set_params(random_state=networks.seeds[k]).fit(*mine, classes=[0, 1])
    assert np.array_equal(weights(alone)[0], weights(networks)[k])


@each_kind
def test_a_snapshot_is_the_shorter_run_bit_for_bit(net):
    one = clone(net).set_params(epochs=5, snapshots=(4, 2, 1)).fit(X, Y, range(3))
    many = clone(one).fit_many(X, Y, MEMBERS, range(3))
    for epoch in (1, 2, 4, 5):
        short = clone(net).set_params(epochs=epoch)
        assert np.array_equal(weights(one.at(epoch)), weights(clone(short).fit(X, Y, range(3))))
        assert np.array_equal(
            weights(many.at(epoch)), weights(short.fit_many(X, Y, MEMBERS, range(3)))
        )
        assert one.at(epoch).epochs == epoch
    assert np.array_equal(weights(one.at(4).at(2)), weights(one.at(2)))


@pytest.mark.parametrize("l2", [0.0, 0.01])
def test_a_huge_clip_without_noise_is_plain_training_on_full_batches_bit_for_bit(l2):
    plain = MLP(batch_size=None, l2=l2, random_state=0)
    clipped = MLP(clip=1e9, noise_multiplier=0.0, l2=l2, random_state=0)
    assert np.array_equal(
        weights(plain.fit_many(X, Y, MEMBERS)), weights(clipped.fit_many(X, Y, MEMBERS))
    )
    small = clone(clipped).set_params(clip=0.1)
    assert not np.array_equal(weights(plain.fit(X, Y)), weights(small.fit(X, Y)))


@pytest.mark.parametrize("batch_size", [None, 50])
def test_the_penalty_pulls_the_weights_towards_zero(batch_size):
    def norm(l2):
        net = MLP(l2=l2, epochs=60, batch_size=batch_size, random_state=0).fit(X, Y)
        # biases are free
        return np.linalg.norm([np.linalg.norm(W[:, :-1]) for W in layers(weights(net), 7, 64, 3)])

    norms = [norm(l2) for l2 in (0, 0.01, 0.1, 1.0)]
    assert norms == sorted(norms, reverse=True) and norms[-1] < norms[0] / 2


def test_the_same_seed_gives_the_same_bits_and_another_seed_others():
    first, again, other = (MLP(random_state=seed).fit(X, Y).predict_proba(X) for seed in (4, 4, 5))
    assert np.array_equal(first, again) and not np.array_equal(first, other)
    by_chance = [MLP(epochs=1).fit(X, Y).predict_proba(X) for _ in range(2)]
    assert not np.array_equal(*by_chance)
    random = np.random.RandomState(0)
    drawn = [MLP(epochs=1, random_state=random).fit(X, Y).predict_proba(X) for _ in range(2)]
    assert not np.array_equal(*drawn)
    assert np.array_equal(
        drawn[0], MLP(epochs=1, random_state=np.random.RandomState(0)).fit(X, Y).predict_proba(X)
    )


def test_seeds_do_not_depend_on_how_many_are_drawn():
    assert draw_seeds(3, 5)[:2].tolist() == draw_seeds(3, 2).tolist()
    assert len(set(draw_seeds(3, 1000)) | set(draw_seeds(4, 1000))) == 2000


def test_confidences_are_probabilities_in_the_order_of_the_public_classes():
    names = np.array(["pear", "apple", "fig"])[Y]
    net = MLP(random_state=0).fit(X, names, classes=["pear", "banana", "apple", "fig"])
    assert net.classes_.tolist() == ["apple", "banana", "fig", "pear"]
    answers = net.predict_proba(X)
    assert answers.shape == (150, 4) and answers.dtype == np.float32
    np.testing.assert_allclose(answers.sum(axis=1), 1, atol=1e-6)  # float32
    assert net.score(X, names) > 0.9
    # A class without records is still a class: it starts with a share and is only pushed down.
    assert 0 < answers[:, 1].max() < 0.05


def test_a_single_record_gets_the_same_answer_as_among_others():
    net = MLP(random_state=0).fit(X, Y)
    alone = np.concatenate([net.predict_proba(x[None]) for x in X])
    np.testing.assert_allclose(alone, net.predict_proba(X), atol=1e-6)  # float32
    assert np.array_equal(alone, [net.predict_proba(np.stack([x, x]))[0] for x in X]), (
        "bit for bit as when asked twice"
    )


def test_networks_are_a_sequence_of_fitted_classifiers():
    net = MLP(epochs=2, snapshots=[1], random_state=0)
    networks = net.fit_many(X, Y, MEMBERS)
    assert len(networks) == len(list(networks)) == 12 and networks.n_features_in_ == 7
    for k, copy in enumerate(networks):
        assert np.array_equal(copy.predict_proba(X), networks.predict_proba(X)[k])
        assert np.array_equal(copy.at(1).predict_proba(X), networks.at(1).predict_proba(X)[k])
        assert copy.random_state == networks.seeds[k] and copy.n_features_in_ == 7
    assert np.array_equal(weights(networks[-1]), weights(networks[11]))
    with pytest.raises(IndexError):
        networks[12]


def test_training_many_leaves_the_original_as_it_was():
    unfitted = MLP(epochs=1)
    unfitted.fit_many(X, Y, MEMBERS)
    assert vars(unfitted) == vars(MLP(epochs=1))
    fitted = MLP(epochs=1, random_state=0).fit(X, Y)
    before = fitted.predict_proba(X)
    fitted.fit_many(X[:, :2], Y + 1, MEMBERS)
    assert np.array_equal(fitted.predict_proba(X), before) and fitted.classes_.tolist() == [0, 1, 2]


@pytest.mark.parametrize("many", [False, True])
def test_progress_is_told_in_the_callers_thread_and_rises_to_one(many, monkeypatch):
    monkeypatch.setattr(lockstep, "LOOK", 1e-4)  # told at every look, however fast the machine
    told = []

    def progress(share):
        told.append((share, threading.get_ident()))

    net = MLP(epochs=100, batch_size=20)
    net.fit_many(X, Y, MEMBERS, progress=progress) if many else net.fit(X, Y, progress=progress)
    shares, threads = zip(*told)
    assert len(shares) > 2 and list(shares) == sorted(shares)
    assert shares[0] >= 0 and shares[-1] == 1
    assert set(threads) == {threading.get_ident()}


class Stop(Exception):
    pass


def stop(share):
    raise Stop


def refused_fits(net):
    """Ways to begin a fit that does not end, on records and labels of another shape than those of
    `blobs`."""
    other = X[:, :4], Y + 5
    yield Stop, lambda: net.fit(*other, progress=stop)
    yield ValueError, lambda: net.fit(other[0], np.zeros(len(X)))
    yield ValueError, lambda: net.fit(*other, classes=[5, 6])
    yield ValueError, lambda: net.fit(other[0], np.linspace(0, 1, len(X)))
    yield ValueError, lambda: clone(net).set_params(epochs=0).fit(*other)


@pytest.mark.parametrize("way", range(5))
def test_a_fit_that_does_not_end_leaves_nothing_half_fitted(way):
    net = MLP(epochs=500, batch_size=20)
    error, fit = list(refused_fits(net))[way]
    with pytest.raises(error):
        fit()
    with pytest.raises(NotFittedError):
        net.predict_proba(X)
    assert net.set_params(epochs=20).fit(X, Y).score(X, Y) > 0.8, "and the next one works"


@pytest.mark.parametrize("way", range(5))
def test_a_fit_that_does_not_end_leaves_the_earlier_one_intact(way):
    net = MLP(random_state=0).fit(X, Y)
    before = net.predict_proba(X)
    error, fit = list(refused_fits(net))[way]
    with pytest.raises(error):
        fit()
    assert np.array_equal(net.predict_proba(X), before)
    assert net.classes_.tolist() == [0, 1, 2] and net.n_features_in_ == 7


# What is refused

REFUSED = {
    "NaN in X": (lambda t: t.net.fit(refusals.with_one(np.nan), t.Y), ValueError, "X", "NaN"),
    "infinity in X": (
        lambda t: t.net.fit(refusals.with_one(np.inf), t.Y),
        ValueError,
        "X",
        "infinity",
    ),
    "too large for float32": (
        lambda t: t.net.fit(refusals.with_one(1e300, float), t.Y),
        ValueError,
        "X",
        "too large",
    ),
    "NaN asked about": (
        lambda t: t.net.predict_proba(refusals.with_one(np.nan)),
        ValueError,
        "X",
        "NaN",
    ),
    "text in X": (
        lambda t: t.net.fit(refusals.with_one("a", object), t.Y),
        ValueError,
        "float",
        "'a'",
    ),
    "X without columns": (lambda t: t.net.fit(t.X[:, 0], t.Y), ValueError, "2D array"),
    "no records": (lambda t: t.net.fit(t.X[:0], t.Y[:0]), ValueError, "0 sample", "minimum of 1"),
    "lengths differ": (lambda t: t.net.fit(t.X, t.Y[:9]), ValueError, "[40, 9]"),
    "amounts as labels": (lambda t: t.net.fit(t.X, t.X[:, 0]), ValueError, "label", "continuous"),
    "one class only": (
        lambda t: t.net.fit(t.X, 0 * t.Y),
        ValueError,
        "y",
        "at least two classes",
        "got one class: 0",
    ),
    "a label that is not public": (
        lambda t: t.net.fit(t.X, t.Y, classes=[0, 5]),
        ValueError,
        "classes",
        "every label of y",
        "1",
    ),
    "other features than in fit": (
        lambda t: t.net.predict(t.X[:, :2]),
        ValueError,
        "2 features",
        "3",
    ),
    "no hidden units": (
        lambda t: MLP(hidden=0).fit(t.X, t.Y),
        ValueError,
        "hidden",
        "at least 1",
        "got 0",
    ),
    "hidden units as text": (
        lambda t: MLP(hidden="64").fit(t.X, t.Y),
        ValueError,
        "hidden",
        "whole number",
        "'64'",
    ),
    "True for hidden units": (
        lambda t: MLP(hidden=True).fit(t.X, t.Y),
        ValueError,
        "hidden",
        "True",
    ),
    "no epochs": (
        lambda t: MLP(epochs=0).fit(t.X, t.Y),
        ValueError,
        "epochs",
        "at least 1",
        "got 0",
    ),
    "half an epoch": (
        lambda t: MLP(epochs=0.5).fit(t.X, t.Y),
        ValueError,
        "epochs",
        "whole number",
        "got 0.5",
    ),
    "batches of one": (
        lambda t: MLP(batch_size=1).fit(t.X, t.Y),
        ValueError,
        "batch_size",
        "at least 2",
        "got 1",
    ),
    "batches by name": (
        lambda t: MLP(batch_size="full").fit(t.X, t.Y),
        ValueError,
        "batch_size",
        "auto",
        "None",
        "'full'",
    ),
    "no learning rate": (
        lambda t: MLP(learning_rate=0).fit(t.X, t.Y),
        ValueError,
        "learning_rate",
        "above 0",
        "got 0",
    ),
    "NaN as learning rate": (
        lambda t: MLP(learning_rate=np.nan).fit(t.X, t.Y),
        ValueError,
        "learning_rate",
        "nan",
    ),
    "a negative penalty": (
        lambda t: MLP(l2=-0.1).fit(t.X, t.Y),
        ValueError,
        "l2",
        "at least 0",
        "got -0.1",
    ),
    "a clip of nothing": (
        lambda t: MLP(clip=0).fit(t.X, t.Y),
        ValueError,
        "clip",
        "above 0",
        "got 0",
        "the largest length a gradient may have",
    ),
    "negative noise": (
        lambda t: MLP(clip=1.0, noise_multiplier=-1).fit(t.X, t.Y),
        ValueError,
        "noise_multiplier",
        "got -1",
    ),
    "noise without a clip": (
        lambda t: MLP(noise_multiplier=2).fit(t.X, t.Y),
        ValueError,
        "noise_multiplier",
        "2",
        "clip",
        "without one, no amount of noise hides a record",
    ),
    "noise without a divisor": (
        lambda t: MLP(clip=1, noise_multiplier=2).fit(t.X, t.Y),
        ValueError,
        "expected_members",
        "would give their number away",
    ),
    "noise without public labels": (
        lambda t: MLP(clip=1, noise_multiplier=2, expected_members=9).fit(t.X, t.Y),
        ValueError,
        "classes must be given",
    ),
    "a clip in small batches": (
        lambda t: MLP(clip=1, batch_size=20).fit(t.X, t.Y),
        ValueError,
        "batch_size",
        "20",
        "clip",
        "private training is full-batch",
    ),
    "a snapshot after the end": (
        lambda t: MLP(epochs=5, snapshots=[6]).fit(t.X, t.Y),
        ValueError,
        "snapshots",
        "1 to 5",
        "got 6",
    ),
    "a snapshot alone": (
        lambda t: MLP(epochs=5, snapshots=3).fit(t.X, t.Y),
        (TypeError, ValueError),
        "snapshots",
        "got 3",
    ),
    "an epoch not kept": (lambda t: t.net.at(1), ValueError, "epoch", "[2]", "got 1"),
    "a negative seed": (
        lambda t: MLP(random_state=-1).fit(t.X, t.Y),
        ValueError,
        "random_state",
        "got -1",
    ),
    "text as a seed": (
        lambda t: MLP(random_state="x").fit(t.X, t.Y),
        (TypeError, ValueError),
        "random_state",
        "'x'",
    ),
    "no copies": (
        lambda t: t.net.fit_many(t.X, t.Y, np.ones((0, 40), bool)),
        ValueError,
        "members",
        "at least one row",
        "(0, 40)",
    ),
    "a mask of other records": (
        lambda t: t.net.fit_many(t.X, t.Y, t.halves[:, :9]),
        ValueError,
        "members",
        "40",
        "(2, 9)",
    ),
    "a mask of one row": (
        lambda t: t.net.fit_many(t.X, t.Y, t.halves[0]),
        ValueError,
        "members",
        "40",
        "(40,)",
    ),
    "a mask of numbers": (
        lambda t: t.net.fit_many(t.X, t.Y, t.halves + 0),
        ValueError,
        "members",
        "boolean",
        "int",
    ),
    "an empty row": (
        lambda t: t.net.fit_many(t.X, t.Y, np.repeat([[True], [False]], 40, axis=1)),
        ValueError,
        "members",
        "at least one record",
        "row 1",
    ),
    "fewer than no threads": (
        lambda t: t.net.fit_many(t.X, t.Y, t.halves, n_jobs=-3),
        ValueError,
        "n_jobs",
        "got -3",
    ),
}


@refusals.each(REFUSED)
def test_what_a_network_cannot_use_is_refused_in_words_and_changes_nothing(action, error, words):
    refusals.check(action, error, words)
