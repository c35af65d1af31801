"""The arithmetic of the training loop, against references that share no code with it."""

import threading
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kstest
from sklearn.neural_network._stochastic_optimizers import AdamOptimizer
from threadpoolctl import threadpool_info, threadpool_limits

from miaedu import MLP, ShadowModels, lockstep


def loss(theta, x, label, h):
    """Log loss of one record in textbook form, biases in the last rows of each layer; `theta` may
    be complex."""
    cut = (len(x) + 1) * h
    W1, W2 = theta[:cut].reshape(-1, h), theta[cut:].reshape(h + 1, -1)
    hidden = x @ W1[:-1] + W1[-1]
    scores = np.where(hidden.real > 0, hidden, 0) @ W2[:-1] + W2[-1]
    return np.log(np.exp(scores).sum()) - scores[label]


def slope(theta, x, label, h):
    """Its gradient by the complex step, which subtracts no near numbers: exact in float64 (Squire &
    Trapp 1998)."""
    tiny = 1e-30
    return (
        np.array([loss(theta + 1j * tiny * unit, x, label, h).imag for unit in np.eye(len(theta))])
        / tiny
    )


def weights(net):
    """The weights (K, P) of a fitted MLP or of Networks, after the last epoch."""
    return getattr(net, "networks_", net)._theta


@st.composite
def batches(draw):
    """K networks with a batch each: shapes from the smallest up, weights and records of varied
    size."""
    K, B, d, h, c = (
        draw(st.integers(low, high)) for low, high in [(1, 3), (2, 6), (1, 4), (1, 5), (2, 4)]
    )
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    size = draw(st.sampled_from([0.3, 1, 4]))
    return SimpleNamespace(
        X=size * rng.normal(size=(K, B, d)).astype(np.float32),
        codes=rng.integers(c, size=(K, B)),
        h=h,
        c=c,
        theta=rng.normal(size=(K, (d + 1) * h + (h + 1) * c)).astype(np.float32),
        own=rng.random((K, B, 1)) < 0.7,
    )


def summed(batch, weight, clip):
    """What `gradient` adds up for each network, (K, P)."""
    sums = np.full_like(batch.theta, np.nan)
    shape = batch.X.shape[-1], batch.h, batch.c
    lockstep.gradient(
        lockstep.with_ones(batch.X),
        batch.codes,
        weight,
        *lockstep.layers(batch.theta, *shape),
        *lockstep.layers(sums, *shape),
        clip,
    )
    return sums


def record_by_record(batch):
    """The gradient of each record by itself, (K, B, P), in float64."""
    return np.array(
        [
            [
                slope(theta.astype(float), x.astype(float), code, batch.h)
                for x, code in zip(X, codes)
            ]
            for theta, X, codes in zip(batch.theta, batch.X, batch.codes)
        ]
    )


def rounding(batch, share):
    """How far float32 may put a sum of gradients off, (K,), when `share` (K, B) of each counts.

    Two roundings of the errors p - 1: they are right to float32's last digit of 1, however small
    they are, and are multiplied by the inputs and, a layer further down, by the weights.
    """
    inputs = (1 + np.linalg.norm(batch.X, axis=-1)) * np.linalg.norm(batch.theta, axis=-1)[:, None]
    return 2 * np.finfo(np.float32).eps * (share * inputs).sum(axis=1)


@given(batches(), st.booleans(), st.sampled_from([None, 0.01, 1.0, 1e6]))
def test_the_gradient_is_the_sum_of_each_records_own_clipped_one(batch, weighted, clip):
    each = record_by_record(batch)
    share = np.minimum(1, (clip or np.inf) / np.linalg.norm(each, axis=-1))
    if weighted:
        share = share * batch.own[..., 0]
    got = summed(batch, batch.own.astype(np.float32) if weighted else None, clip)
    off = np.abs(got - (share[..., None] * each).sum(axis=1)).max(axis=1)
    assert (off <= rounding(batch, share)).all()


@given(batches(), st.sampled_from([0.01, 0.5, 3.0]))
def test_leaving_a_record_out_moves_the_sum_by_its_norm_and_at_most_by_the_clip(batch, clip):
    without = np.ones((*batch.codes.shape, 1), np.float32)
    without[:, 0] = 0
    moved = np.linalg.norm(summed(batch, None, clip) - summed(batch, without, clip), axis=1)
    norms = np.linalg.norm(record_by_record(batch), axis=-1)
    # float32 rounds sums of so many of size `clip`
    assert (moved <= clip * (1 + 1e-6 * batch.codes.shape[1])).all()
    room = rounding(batch, np.minimum(1, clip / norms)) * batch.theta.shape[1] ** 0.5
    assert (np.abs(moved - np.minimum(clip, norms[:, 0])) <= room).all()


def blobs(n, d, c, seed=0):
    rng = np.random.default_rng(seed)
    y = np.arange(n) % c
    return (rng.normal(size=(c, d))[y] + rng.normal(size=(n, d))).astype(np.float32), y


@pytest.mark.parametrize("l2", [0.0, 0.3])
def test_training_takes_the_steps_of_scikit_learns_adam(l2):
    X, y = blobs(20, 4, 3)
    h, epochs = 5, 40
    settings = dict(hidden=h, batch_size=None, l2=l2, random_state=3)
    # A step too small for float32 to see leaves the weights where they started.
    theta = weights(MLP(epochs=1, learning_rate=1e-30, **settings).fit(X, y))[0].astype(float)
    penalised = np.r_[np.ones(4 * h), np.zeros(h), np.ones(h * 3), np.zeros(3)]
    # Where Adam's small constant is added differs among its authors' own formulas; here it is to
    # play no part.
    adam = AdamOptimizer([theta], learning_rate_init=0.02, epsilon=1e-15)
    net = MLP(epochs=epochs, learning_rate=0.02, snapshots=range(1, epochs), **settings).fit(X, y)
    start = theta.copy()
    for epoch in range(1, epochs + 1):
        mean = np.mean([slope(theta, x, code, h) for x, code in zip(X.astype(float), y)], axis=0)
        adam.update_params([theta], [mean + l2 * penalised * theta])
        # Weights of two or three units are rounded by up to 2e-7 at each step: 40 roundings at
        # random come to 1.5e-6.
        assert np.abs(weights(net.at(epoch))[0] - theta).max() < 2e-6
    assert np.abs(theta - start).max() > 0.2


def first_sum(net, X, y, members):
    """What the first step of one copy added up, (P,), but for the weights it started from, seen
    from outside.

    A divisor of 1e14 makes Adam's small constant 1e6, and so its denominator: a learning rate of
    1e6 steps by the sum.
    """
    net.set_params(epochs=1, learning_rate=1e6, expected_members=1e14)
    return -weights(net.fit_many(X, y, members[None], classes=range(3)))[0]


@given(st.integers(0, 99), st.sampled_from([5, 64, 65]), st.sampled_from([0.05, 1.0]))
def test_leaving_a_member_out_moves_the_first_step_by_at_most_the_clip(seed, n, clip):
    X, y = blobs(n, 4, 3, seed)
    net, everyone = MLP(hidden=5, clip=clip, random_state=seed), np.ones(n, bool)
    moved = np.linalg.norm(
        first_sum(net, X, y, everyone) - first_sum(net, X, y, np.arange(n) != seed % n)
    )
    # A sum of n gradients and some forty weights of a few units, rounded to float32's seven digits.
    assert 0 < moved <= clip + 1e-6 * (n * clip + 20)


# gradients so small that the noise, of standard deviation 1, drowns what they do later
NOISE, CLIP = 100.0, 0.01


def noise(X, y, members=None, epochs=1, seed=0, hidden=64):
    """The noise of each step, (epochs, K, P): noisy training less the same without noise, Adam's
    averaging undone."""
    shared = dict(
        hidden=hidden,
        clip=CLIP,
        epochs=epochs,
        learning_rate=1e6,
        expected_members=1e14,
        snapshots=range(1, epochs),
        random_state=seed,
    )
    members = np.ones((1, len(X)), bool) if members is None else members
    noisy, plain = (
        MLP(noise_multiplier=z, **shared).fit_many(X, y, members, classes=range(3))
        for z in (NOISE, 0)
    )
    path = np.array(
        [
            0 * weights(plain),
            *(weights(plain.at(e)) - weights(noisy.at(e)) for e in range(1, epochs + 1)),
        ]
    )
    mean, found = 0, []
    for step, move in enumerate(np.diff(path.astype(float), axis=0), 1):
        earlier, mean = mean, move * (1 - 0.9**step)
        found.append((mean - 0.9 * earlier) / 0.1)
    return np.array(found)


def close_to_unrelated(a, b):
    """Whether the correlation of two samples is within 4.5 standard errors, 1 / sqrt(n) each, of
    none."""
    return abs(np.corrcoef(np.ravel(a), np.ravel(b))[0, 1]) < 4.5 / np.size(a) ** 0.5


def test_the_noise_has_the_stated_spread_at_each_step_and_is_normal():
    X, y = blobs(6, 40, 3)
    z = noise(X, y, np.ones((40, 6), bool), epochs=3)
    n = z[0].size
    # the variance of n normal numbers has standard error sqrt(2 / n), their mean 1 / sqrt(n)
    for step in z:
        assert abs(step.var() / (NOISE * CLIP) ** 2 - 1) < 4 * (2 / n) ** 0.5
        assert abs(step.mean()) < 4 / n**0.5
        assert kstest(step.ravel(), "norm").pvalue > 0.001


def test_the_noise_is_fresh_at_each_step_for_each_copy_and_each_seed():
    X, y = blobs(6, 40, 3)
    z = noise(X, y, np.ones((3, 6), bool), epochs=2)
    unmoved = MLP(hidden=64, learning_rate=1e-30, epochs=1, random_state=0)
    start = weights(unmoved.fit_many(X, y, np.ones((3, 6), bool), range(3)))
    for a, b in [
        (z[0], z[1]),
        (z[0, 0], z[0, 1]),
        (z[:, 1], z[:, 2]),
        (z[0], start),
        (z[0, 0], noise(X, y, seed=8)),
    ]:
        assert close_to_unrelated(a, b)
    assert not close_to_unrelated(z[0, 0], noise(X, y, seed=0)), (
        "the check of correlation sees none"
    )


def test_target_and_shadows_with_equal_random_state_share_no_noise():
    X, y = blobs(6, 40, 3)
    private = dict(clip=CLIP, learning_rate=1e6, expected_members=1e14, epochs=1)

    def difference(train):
        return [
            weights(train(MLP(noise_multiplier=z, random_state=5, **private))) for z in (0, NOISE)
        ]

    target, plain = difference(lambda net: net.fit(X, y, classes=range(3)))
    shadows, others = difference(
        lambda net: (
            ShadowModels(net, n_models=3, random_state=5).fit(X, y, classes=range(3)).networks
        )
    )
    for shadow in shadows - others:
        assert close_to_unrelated(target - plain, shadow)


def test_the_noise_depends_neither_on_the_records_nor_on_their_order_nor_on_the_other_copies():
    (X, y), (other, _) = blobs(90, 8, 3), blobs(90, 8, 3, seed=1)
    everyone = np.ones((2, 90), bool)
    some = everyone.copy()
    some[0, ::2] = False
    z = noise(X, y, everyone)
    # Adding the noise to weights and sums of a few units rounds it at 1e-6.
    same = dict(rtol=0, atol=1e-5)
    np.testing.assert_allclose(noise(other, y[::-1], everyone), z, **same)
    np.testing.assert_allclose(noise(X[::-1], y[::-1], everyone), z, **same)
    np.testing.assert_allclose(noise(X, y, some), z, **same)
    np.testing.assert_allclose(noise(X, y, np.ones((5, 90), bool))[:, :2], z, **same)


def watch(monkeypatch, note):
    """Call ``note(X1, codes, weight)`` before each sum of gradients."""
    plain = lockstep.gradient

    def watched(X1, codes, weight, *rest):
        note(X1, codes, weight)
        return plain(X1, codes, weight, *rest)

    monkeypatch.setattr(lockstep, "gradient", watched)


@pytest.mark.parametrize(
    "n, batch_size", [(60, None), (60, 20), (65, 20), (69, 20), (29, 20), (30, 29), (9, 2)]
)
def test_an_epoch_is_a_pass_over_all_records_in_batches_of_one_shape(monkeypatch, n, batch_size):
    X, y = np.arange(n, dtype=np.float32)[:, None] / n, np.arange(n) % 2
    seen, shapes = [], set()

    def note(X1, codes, weight):
        own = np.ones(codes.shape, bool) if weight is None else weight[..., 0] > 0
        rows = np.round(X1[..., 0] * n).astype(int)
        assert (codes == rows % 2).all()
        seen.append(rows[own])
        shapes.add(codes.shape)

    watch(monkeypatch, note)
    MLP(epochs=1, batch_size=batch_size, random_state=0).fit(X, y)
    times = np.bincount(np.concatenate(seen), minlength=n)
    assert len(shapes) == 1
    assert times.max() <= 2, "a record comes back at most once, to fill the last batch"
    assert times.min() >= 1, f"{(times == 0).sum()} of {n} records were left out"


def test_progress_is_the_share_of_all_steps(monkeypatch):
    X, y = blobs(60, 4, 3)
    begun, told = [], []
    watch(monkeypatch, lambda *batch: begun.append(1))
    MLP(epochs=40, batch_size=20).fit_many(
        X,
        y,
        np.ones((70, 60), bool),
        n_jobs=1,
        progress=lambda share: told.append((share, len(begun))),
    )
    assert len(told) > 3
    assert all(share * len(begun) <= steps_by_then + 1e-6 for share, steps_by_then in told)
    assert told[-1] == (1, len(begun))


class Stop(Exception):
    pass


@pytest.mark.parametrize("n_jobs", [1, 2, 3])
def test_raising_in_progress_stops_every_worker_within_two_steps(monkeypatch, n_jobs):
    X, y = blobs(60, 4, 3)
    before = set(threading.enumerate())  # other tests of this process may have pools of their own
    raised, stop, after = threading.Event(), threading.Event(), []

    def note(*batch):
        if raised.is_set():
            assert stop.wait(60), "nobody told the workers"
            after.append(threading.get_ident())
            assert len(after) < 20, "nobody stopped"

    def progress(share):
        if share > 0:
            raised.set()
            raise Stop

    # the very event by which the caller tells the workers
    names = {**vars(threading), "Event": lambda: stop}
    monkeypatch.setattr(lockstep, "threading", SimpleNamespace(**names))
    watch(monkeypatch, note)
    with pytest.raises(Stop):
        MLP(epochs=20_000, batch_size=20).fit_many(
            X, y, np.ones((70, 60), bool), progress=progress, n_jobs=n_jobs
        )
    assert max(map(after.count, after), default=0) <= 2
    assert len(after) <= 2 * n_jobs
    started = set(threading.enumerate()) - before
    assert not any(thread.name.startswith("ThreadPool") for thread in started)


def blas_threads():
    return [
        library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"
    ]


@pytest.mark.parametrize("stopped", [False, True])
def test_blas_uses_one_thread_while_training_and_as_many_as_before_afterwards(stopped):
    X, y = blobs(60, 4, 3)
    during = []

    def progress(share):
        during.append(blas_threads())
        if stopped:
            raise Stop

    with threadpool_limits(2, user_api="blas"):
        before = blas_threads()
        try:
            MLP(epochs=50).fit(X, y, progress=progress)
        except Stop:
            assert stopped
        assert blas_threads() == before
    assert during and before and all(threads == [1] * len(before) for threads in during)
    assert before == [2] * len(before), (
        "this BLAS cannot be told its number of threads: nothing was tested"
    )


def test_two_trainings_at_once_do_not_disturb_each_other():
    X, y = blobs(60, 4, 3)
    nets = [MLP(epochs=30, random_state=seed) for seed in range(4)]
    threads = [threading.Thread(target=net.fit, args=(X, y)) for net in nets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for seed, net in enumerate(nets):
        assert np.array_equal(weights(net), weights(MLP(epochs=30, random_state=seed).fit(X, y)))
