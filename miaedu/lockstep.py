"""The training loop behind MLP: many copies of one small network, trained side by side in batched
matrix products.

Nothing here knows about scikit-learn or about attacks. A network with one hidden layer of ``h``
ReLU units, ``d`` inputs and ``c`` classes is one float32 row of ``(d + 1) h + (h + 1) c`` numbers;
biases are the weights of a constant input 1. Copy k is a function of its own rows and its own seed
alone, bit for bit: its batches have a shape that only its own number of rows decides, and no sum
ever runs across copies.
"""

import os
import sys
import threading
import time
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from functools import lru_cache

import joblib
import numpy as np
from threadpoolctl import ThreadpoolController

BLOCK = 32  # most copies in one block
# bytes of one block's batch, so that a step stays within a core's second-level cache
CACHE = 1 << 20
# full batches grow to a multiple of this with rows of weight zero: few shapes, whatever the coins
# said
PAD = 64
BETA1, BETA2, TINY = 0.9, 0.999, 1e-8  # Adam: Kingma & Ba 2015, section 2

LOOK = 0.02  # seconds between two calls of `progress`

# the limit on BLAS threads belongs to the whole process: one training run at a time
_lock = threading.RLock()
THREADS = "MIAEDU_THREADS"  # the environment variable that says how many threads to use


def blas():
    """The libraries of this process that calculate in threads, BLAS and OpenMP."""
    return _libraries(len(sys.modules))


@lru_cache(maxsize=1)  # to look for them takes longer than a small fit: only after an import
def _libraries(n_modules):
    return ThreadpoolController()


def layers(theta, d, h, c):
    """The rows of `theta` (K, P) as weights (K, d + 1, h) and (K, h + 1, c), views; the last rows
    are the biases."""
    cut = (d + 1) * h
    return theta[:, :cut].reshape(-1, d + 1, h), theta[:, cut:].reshape(-1, h + 1, c)


def with_ones(X):
    """X with a last column of ones, which turns biases into ordinary weights."""
    return np.concatenate([X, np.ones((*X.shape[:-1], 1), np.float32)], axis=-1)


def softmax(scores):
    """Softmax over the last axis, in place."""
    scores -= scores.max(axis=-1, keepdims=True)
    np.exp(scores, out=scores)
    scores /= scores.sum(axis=-1, keepdims=True)
    return scores


@lru_cache(maxsize=1)
def threads_work():
    """Whether this Python can start threads: the one in a browser (Pyodide) cannot."""
    try:
        thread = threading.Thread(target=int)
        thread.start()
    except RuntimeError:  # "can't start new thread"
        return False
    thread.join()
    return True


def n_threads(all_cores=None):
    """How many threads train side by side: as the environment variable MIAEDU_THREADS says, or as
    many as there are cores (or `all_cores`, if that is said in another way); 1 where no thread can
    start.

    ValueError: MIAEDU_THREADS is not a whole number of at least 1.
    """
    asked = os.environ.get(THREADS, "")
    if asked and not (asked.isdecimal() and int(asked) > 0):
        raise ValueError(f"{THREADS} must be a whole number of at least 1, got {asked!r}")
    if not threads_work():
        return 1
    return int(asked) if asked else all_cores or joblib.cpu_count()


if os.environ.get(THREADS):
    # What is computed elsewhere keeps to it too; a library can be limited once it is loaded.
    import sklearn.linear_model  # noqa: F401

    ThreadpoolController().limit(limits=n_threads())


def over_cores(work, blocks, n_jobs=None, progress=None):
    """Call ``work(block, tick)`` for every block, on `n_jobs` threads (`n_threads` by default) with
    one BLAS thread each; one block after another where no thread can start.

    `work` calls ``tick(share)`` often with the share of its block that is done. `progress(share)`
    is called in the caller's thread about every 20 ms; whatever it raises stops all the work at the
    next tick, and is raised here.
    """
    with _lock, blas().limit(limits=1):
        if threads_work():
            _side_by_side(work, blocks, n_jobs or n_threads(), progress)
        else:
            _in_turn(work, blocks, progress)


def _side_by_side(work, blocks, n_jobs, progress):
    stop, shares = threading.Event(), [0.0] * len(blocks)

    def task(i):
        def tick(share):
            if stop.is_set():
                raise InterruptedError("training was stopped")
            shares[i] = share

        work(blocks[i], tick)

    with ThreadPoolExecutor(n_jobs) as pool:
        futures = [pool.submit(task, i) for i in range(len(blocks))]
        try:
            pending = futures
            while pending:
                done, pending = wait(pending, timeout=LOOK, return_when=FIRST_EXCEPTION)
                for future in done:
                    future.result()
                if progress is not None:
                    progress(sum(shares) / len(blocks))
        except BaseException:
            stop.set()
            for future in futures:
                future.cancel()
            raise


def _in_turn(work, blocks, progress):
    told = time.monotonic()

    for i, block in enumerate(blocks):

        def tick(share, i=i):
            nonlocal told
            if progress is not None and time.monotonic() - told > LOOK:
                told = time.monotonic()
                progress((i + share) / len(blocks))

        work(block, tick)
    if progress is not None:
        progress(1.0)


def forward(X1, theta, h, c, n_jobs=None):
    """Confidences (K, n, c) of K networks for n inputs; `X1` (n, d + 1) has its column of ones.
    Never one row alone."""
    n, width = X1.shape
    W1, W2 = layers(theta, width - 1, h, c)
    if n == 1:  # BLAS multiplies a single row by another routine, with other rounding
        return forward(np.repeat(X1, 2, axis=0), theta, h, c, n_jobs)[:, :1]
    out = np.empty((len(theta), n, c), np.float32)

    def work(copies, tick):
        for k in copies:
            hidden = with_ones(np.maximum(X1 @ W1[k], 0))
            out[k] = softmax(hidden @ W2[k])
            tick(1.0)

    over_cores(
        work, np.array_split(np.arange(len(theta)), min(len(theta), n_jobs or n_threads())), n_jobs
    )
    return out


def gradient(X1, codes, weight, W1, W2, out1, out2, clip=None, scratch=None):
    """Weighted sum over the batch of per-example gradients of the log loss, written into `out1` and
    `out2`.

    X1 (K, B, d + 1), codes (K, B), weight (K, B, 1) or None for ones. With `clip`, each example's
    gradient is first scaled down to that Euclidean norm, exactly: it is an outer product a layer,
    so its squared norm is ``|input|^2 |error|^2`` summed over the two layers (Goodfellow 2015,
    arXiv 1510.01799), and the scaling can be put on the errors.
    """
    hidden, A, errors, scores = scratch or buffers(*X1.shape[:2], W1.shape[2], W2.shape[2])
    h, c = errors.shape[-1], scores.shape[-1]
    np.matmul(X1, W1, out=hidden)
    np.maximum(hidden, 0, out=A[..., :h])
    softmax(np.matmul(A, W2, out=scores))
    scores.reshape(-1, c)[np.arange(codes.size), codes.ravel()] -= 1
    if weight is not None:
        scores *= weight
    np.matmul(scores, W2[:, :h].transpose(0, 2, 1), out=errors)
    errors *= hidden > 0
    if clip is not None:
        squared = sum(_row(a) * _row(b) for a, b in ((X1, errors), (A, scores)))
        shrink = np.minimum(1, np.float32(clip) / np.sqrt(np.maximum(squared, np.float32(1e-30))))
        scores *= shrink
        errors *= shrink
    np.matmul(X1.transpose(0, 2, 1), errors, out=out1)
    np.matmul(A.transpose(0, 2, 1), scores, out=out2)


def _row(a):
    return np.einsum("kbj,kbj->kb", a, a)[..., None]


def buffers(K, B, h, c):
    """Scratch arrays for `gradient`: hidden sums, activations with their ones, hidden errors,
    scores."""
    shapes = (K, B, h), (K, B, h + 1), (K, B, h), (K, B, c)
    return tuple(np.ones(shape, np.float32) for shape in shapes)


def train(X1, codes, c, rows, seeds, net, epochs, n_jobs=None, progress=None):
    """Train a copy of `net` on each of `rows` of X1 (n, d + 1), codes (n,): a dict from epoch to
    weights (K, P).

    `net` carries the settings of :class:`miaedu.MLP`; `epochs` are those whose weights are kept, in
    rising order.
    """
    d, h = X1.shape[1] - 1, net.hidden
    kept = {epoch: np.empty((len(rows), (d + 1) * h + (h + 1) * c), np.float32) for epoch in epochs}
    plans = [_plan(len(r), net.step_size()) for r in rows]
    cores, blocks = n_jobs or n_threads(), []
    for shape in sorted(set(plans)):
        same = np.array([k for k, plan in enumerate(plans) if plan == shape])
        limit = max(1, min(BLOCK, CACHE // (4 * shape[0] * (d + 1))))
        pieces = -(-len(same) // limit)
        pieces = min(len(same), -(-pieces // cores) * cores)  # as many blocks for each core
        blocks += np.array_split(same, pieces)

    def work(block, tick):
        batches = _Batches(
            X1, codes, [rows[k] for k in block], [seeds[k] for k in block], *plans[block[0]]
        )
        for epoch, theta in _descend(batches, c, net, tick):
            if epoch in kept:
                kept[epoch][block] = theta

    over_cores(work, blocks, n_jobs, progress)
    return kept


def _plan(n, size):
    """Rows in a batch and steps in an epoch for a copy with n rows, and whether a batch holds them
    all."""
    if size is None or size >= n:
        return -(-n // PAD) * PAD, 1, True
    return size, -(-n // size), False


class _Batches:
    """The batches of one block of copies, drawn from each copy's own stream."""

    def __init__(self, X1, codes, rows, seeds, size, steps, full):
        self.X1, self.codes, self.rows, self.size, self.steps, self.full = (
            X1,
            codes,
            rows,
            size,
            steps,
            full,
        )
        streams = [
            [np.random.default_rng([int(seed), purpose]) for seed in seeds] for purpose in (1, 2, 3)
        ]
        self.start, self.shuffle, self.noise = streams
        self.K, self.real = len(rows), None
        if full:
            # the rows beyond a copy's own have weight zero
            index = np.stack([np.resize(r, size) for r in rows])
            self.real = (np.arange(size) < np.array([[len(r)] for r in rows]))[..., None].astype(
                np.float32
            )
            self.batch = X1[index], codes[index]

    def epoch(self):
        """Yield batches (X1, codes) of one pass: a fresh shuffle in equal parts, the last topped up
        from its start."""
        if self.full:
            yield self.batch
            return
        order = [r[g.permutation(len(r))] for r, g in zip(self.rows, self.shuffle)]
        order = np.stack([np.resize(r, self.steps * self.size) for r in order])
        inputs = np.empty((self.K, self.size, self.X1.shape[1]), np.float32)
        for start in range(0, order.shape[1], self.size):
            index = order[:, start : start + self.size]
            yield np.take(self.X1, index, axis=0, out=inputs, mode="clip"), self.codes[index]


def _descend(batches, c, net, tick):
    """Adam from a fresh start, with `net`'s clipping and noise; yields (epoch, weights) after each
    epoch."""
    K, d, h = batches.K, batches.X1.shape[1] - 1, net.hidden
    theta, slope, mean, square = (
        np.zeros((K, (d + 1) * h + (h + 1) * c), np.float32) for _ in range(4)
    )
    spare = np.empty_like(theta[0])
    (W1, W2), (G1, G2) = layers(theta, d, h, c), layers(slope, d, h, c)
    for k, rng in enumerate(batches.start):
        W1[k] = rng.standard_normal((d + 1, h), np.float32) * np.float32((2 / d) ** 0.5)
        W2[k] = rng.standard_normal((h + 1, c), np.float32) * np.float32((1 / h) ** 0.5)
    W1[:, d] = W2[:, h] = 0  # biases
    # Sums are never divided: Adam does not mind the scale, so the divisor only weighs the penalty
    # and Adam's own small constant. In private training it is a public constant: the number of
    # members is not to be read off the model.
    divisors = [
        np.float32((net.expected_members or len(r)) if batches.full else batches.size)
        for r in batches.rows
    ]
    spread = np.float32(net.noise_multiplier * (net.clip or 0))
    scratch, step = buffers(K, batches.size, h, c), 0
    for epoch in range(1, net.epochs + 1):
        for X1, codes in batches.epoch():
            gradient(X1, codes, batches.real, W1, W2, G1, G2, net.clip, scratch)
            if net.noise_multiplier:
                for k, rng in enumerate(batches.noise):
                    slope[k] += np.multiply(
                        rng.standard_normal(out=spare, dtype=np.float32), spread, out=spare
                    )
            step += 1
            for k, divisor in enumerate(divisors):  # a copy at a time: its four rows fit the cache
                if net.l2:
                    G1[k, :d] += np.float32(net.l2) * divisor * W1[k, :d]
                    G2[k, :h] += np.float32(net.l2) * divisor * W2[k, :h]
                _adam(
                    theta[k], slope[k], mean[k], square[k], net.learning_rate, step, TINY * divisor
                )
            tick(step / (net.epochs * batches.steps))
        yield epoch, theta


def _adam(theta, slope, mean, square, rate, step, tiny):
    """One step of Adam in place; `mean` and `square` are kept divided by (1 - beta), which saves
    two passes."""
    long_run = ((1 - BETA2) / (1 - BETA2**step)) ** 0.5
    mean *= np.float32(BETA1)
    mean += slope
    slope *= slope
    square *= np.float32(BETA2)
    square += slope
    np.sqrt(square, out=slope)
    slope += np.float32(tiny / long_run)
    np.divide(mean, slope, out=slope)
    slope *= np.float32(rate * (1 - BETA1) / (1 - BETA1**step) / long_run)
    theta -= slope
