import os
import time

import joblib
import numpy as np
import pandas as pd
import pytest
import refusals
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier
from threadpoolctl import threadpool_info, threadpool_limits

from miaedu import (
    MLP,
    RMIA,
    BlackBox,
    CalibratedAttack,
    LiRA,
    ShadowAttack,
    ShadowModels,
    ThresholdAttack,
    measure_exposure,
)
from miaedu.checks import draw_seeds
from miaedu.draws import draw_of_groups, half_of_groups, stratified_draw, stratified_half
from miaedu.training import train_each


def blobs(n=120, d=5, c=3, seed=0):
    rng = np.random.default_rng(seed)
    y = np.arange(n) % c
    return (rng.normal(size=(c, d))[y] + rng.normal(size=(n, d))).astype(np.float32), y


X, Y = blobs()
# A class of one record, which about half of the shadows do not see, and labels that are not codes.
RARE = np.array(["common", "usual", "rare"])[np.where(np.arange(120) == 5, 2, Y % 2)]
TREE = DecisionTreeClassifier(max_features=2)
MODELS = {
    "mlp": MLP(epochs=3),
    "tree": TREE,
    "logistic": LogisticRegression(solver="newton-cholesky"),
    "pipeline": make_pipeline(StandardScaler(), TREE),
}
each_model = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)


@pytest.fixture(autouse=True)
def threads():
    """The ready-made models are fitted in threads of this process: starting others takes
    seconds."""
    with joblib.parallel_config("threading"):
        yield


@given(st.lists(st.integers(0, 4), min_size=2, max_size=60), st.integers(0, 999))
def test_a_half_is_a_half_of_each_class_as_far_as_it_can_be(y, seed):
    y = np.array(y)
    half = stratified_half(y, seed)
    assert half.dtype == bool and abs(2 * half.sum() - len(y)) <= len(y) % 2
    # a class may share a pair with its neighbours: at most one record at each end
    for label in np.unique(y):
        assert abs(2 * half[y == label].sum() - (y == label).sum()) <= 2
    assert np.array_equal(half, stratified_half(y, seed))


def test_every_record_is_in_half_the_time_and_a_pair_of_a_class_as_two_cards_of_half_a_pack():
    y = np.repeat([0, 1, 2], [7, 5, 12])
    halves = np.array([stratified_half(y, seed) for seed in range(4000)])
    # six of the last twelve are in: any two of them with 1/2 * 5/11
    together = (halves[:, 12] & halves[:, 13]).mean()
    # The mean of 4,000 coins has standard error sqrt(p (1 - p) / 4000); 4.5 of them hold for all 24
    # records.
    for share, p in [*((share, 1 / 2) for share in halves.mean(axis=0)), (together, 5 / 22)]:
        assert abs(share - p) < 4.5 * (p * (1 - p) / 4000) ** 0.5


@each_model
def test_a_collection_knows_who_was_in_and_what_its_models_answer(model):
    shadows = ShadowModels(model, n_models=4, random_state=0).fit(X, Y)
    assert shadows.members.shape == (4, 120) and (shadows.members.sum(axis=1) == 60).all()
    assert len({row.tobytes() for row in shadows.members}) == 4
    assert shadows.confidences.shape == (4, 120, 3)
    for network, confidences in zip(shadows.networks, shadows.confidences):
        np.testing.assert_array_equal(network.predict_proba(X).astype(np.float32), confidences)
    np.testing.assert_array_equal(shadows.X, X)
    np.testing.assert_array_equal(shadows.y, Y)


def test_trees_are_trained_on_their_members_and_on_nobody_else():
    # A tree that is grown to the end is right about all it was trained on; elsewhere, about pure
    # noise, only by luck.
    noise = np.random.default_rng(0).random((200, 5))
    labels = np.random.default_rng(1).integers(2, size=200)
    shadows = ShadowModels(TREE, n_models=6, random_state=0).fit(noise, labels)
    right = shadows.confidences.argmax(axis=2) == labels
    assert right[shadows.members].all()
    # 600 answers on 200 records
    assert abs(right[~shadows.members].mean() - 0.5) < 4 * (0.25 / 200) ** 0.5


def test_networks_are_those_of_a_lockstep_run_on_the_same_halves():
    shadows = ShadowModels(MLP(epochs=3), n_models=4, random_state=0).fit(X, Y)
    for k, mine in enumerate(shadows.members):
        alone = MLP(epochs=3, random_state=shadows.networks.seeds[k]).fit(X[mine], Y[mine])
        np.testing.assert_array_equal(alone.predict_proba(X), shadows.confidences[k])


@each_model
def test_the_first_models_are_the_same_whatever_their_number(model):
    few, many, other = (
        ShadowModels(model, n, seed).fit(X, Y) for n, seed in [(2, 0), (5, 0), (5, 1)]
    )
    np.testing.assert_array_equal(few.members, many.members[:2])
    np.testing.assert_array_equal(few.confidences, many.confidences[:2])
    assert not np.array_equal(many.members, other.members)


def test_randomness_is_accepted_in_every_form_of_scikit_learn():
    def members(random_state):
        return ShadowModels(MLP(epochs=1), 2, random_state).fit(X, Y).members

    assert not np.array_equal(members(None), members(None))
    assert np.array_equal(members(np.random.RandomState(3)), members(np.random.RandomState(3)))


@each_model
def test_a_class_that_a_model_never_saw_keeps_its_column(model):
    classes = ["unheard", "rare", "common", "usual"]
    shadows = ShadowModels(model, n_models=8, random_state=0).fit(X, RARE, classes)
    assert shadows.classes_.tolist() == sorted(classes)
    assert shadows.confidences.shape == (8, 120, 4)
    np.testing.assert_allclose(shadows.confidences.sum(axis=2), 1, atol=1e-5)  # float32
    knows = shadows.members[:, 5]
    assert 0 < knows.sum() < 8, "this seed does not test what it should"
    for network, confidences in zip(shadows.networks, shadows.confidences):
        own = network.predict_proba(X)
        for column, label in enumerate(shadows.classes_):
            if label in network.classes_:
                expected = own[:, list(network.classes_).index(label)].astype(np.float32)
                np.testing.assert_array_equal(confidences[:, column], expected)
            else:
                assert (confidences[:, column] == 0).all()


@pytest.mark.slow
def test_models_are_fitted_where_joblib_is_told():
    def places(backend):
        with joblib.parallel_config(backend):
            shadows = ShadowModels(Whereabouts(), n_models=3, random_state=0).fit(X, Y)
        return {network.process for network in shadows.networks}, shadows.confidences

    here, by_threads = places("threading")
    elsewhere, by_processes = places("loky")
    assert here == {os.getpid()} and os.getpid() not in elsewhere
    np.testing.assert_array_equal(by_threads, by_processes)


class Whereabouts(DecisionTreeClassifier):
    """A tree that remembers the process it was fitted in."""

    def fit(self, X, y):
        self.process = os.getpid()
        return super().fit(X, y)


@each_model
def test_the_model_that_is_copied_stays_as_it_was(model):
    given_model = clone(model)
    ShadowModels(given_model, n_models=2, random_state=0).fit(X, Y)
    assert vars(given_model).keys() == vars(clone(model)).keys()
    if "random_state" in given_model.get_params():
        assert given_model.random_state is None


def test_an_earlier_epoch_is_the_collection_trained_for_so_long():
    late = ShadowModels(MLP(epochs=4, snapshots=[2]), n_models=3, random_state=0).fit(X, Y)
    confidences = late.confidences.copy()
    early, short = late.at(2), ShadowModels(MLP(epochs=2), n_models=3, random_state=0).fit(X, Y)
    np.testing.assert_array_equal(early.confidences, short.confidences)
    np.testing.assert_array_equal(early.predict_proba(X[:9]), short.predict_proba(X[:9]))
    np.testing.assert_array_equal(early.members, late.members)
    np.testing.assert_array_equal(late.confidences, confidences)


@each_model
def test_progress_rises_to_one(model):
    told = []
    ShadowModels(model, n_models=3, random_state=0).fit(X, Y, progress=told.append)
    assert told == sorted(told) and told[-1] == 1


class Stop(Exception):
    pass


def stop(share):
    raise Stop


@pytest.mark.filterwarnings("error")
@each_model
def test_a_stopped_fit_leaves_an_earlier_one_intact_and_a_new_one_unfitted(model):
    shadows = ShadowModels(model, n_models=3, random_state=0)
    with pytest.raises(Stop):
        shadows.fit(X, Y, progress=stop)
    assert vars(shadows).keys() == {"model", "n_models", "random_state", "train_size"}
    shadows.fit(X, Y)
    before = dict(vars(shadows))
    with pytest.raises(Stop):
        shadows.fit(X[:50, :2], Y[:50] + 1, progress=stop)
    assert {name: value is before[name] for name, value in vars(shadows).items()} == dict.fromkeys(
        before, True
    )


def test_who_saw_a_record_is_told_by_its_content():
    pool = np.array([[0, 1], [2, 3], [4, 5], [-0.0, 1], [6, 7], [8, 9]])
    shadows = ShadowModels(TREE, n_models=9, random_state=0).fit(pool, [0, 1, 0, 1, 0, 1])
    members = shadows.members
    assert (members[:, 0] != members[:, 3]).any(), "this seed does not test what it should"
    asked = np.array([[9, 9], [4, 5], [0, 1], [-0.0, 1], [1, 0], [4, 5]])
    doubled = members[:, 0] | members[:, 3]  # -0 is 0: two copies of one record
    nobody = np.zeros(9, bool)
    expected = [nobody, members[:, 2], doubled, doubled, nobody, members[:, 2]]
    np.testing.assert_array_equal(shadows.saw(asked), np.transpose(expected))
    # float64 or a list of ints: the same records
    np.testing.assert_array_equal(shadows.saw(asked.tolist()), np.transpose(expected))


def test_a_record_that_stands_in_the_pool_once_was_seen_by_those_who_learned_from_it():
    shadows = ShadowModels(TREE, n_models=5, random_state=0).fit(X, Y)
    np.testing.assert_array_equal(shadows.saw(X), shadows.members)
    np.testing.assert_array_equal(shadows.saw(X[::-1][:7]), shadows.members[:, ::-1][:, :7])
    assert not shadows.saw(X + 1).any() and shadows.saw(X[:0]).shape == (5, 0)


def test_what_is_known_of_the_pool_is_known_of_these_models_alone():
    shadows = ShadowModels(TREE, n_models=5, random_state=0).fit(X, Y)
    pool = shadows.X
    shadows.saw(pool)[:] = False  # the answer is the asker's own
    np.testing.assert_array_equal(shadows.saw(pool), shadows.members)
    others = shadows.without(2)
    np.testing.assert_array_equal(others.saw(pool), np.delete(shadows.members, 2, axis=0))
    before = shadows.members
    shadows.random_state = 1
    shadows.fit(X, Y)
    assert (shadows.members != before).any(), "this seed does not test what it should"
    np.testing.assert_array_equal(shadows.saw(shadows.X), shadows.members)


@given(st.lists(st.integers(0, 4), min_size=3, max_size=60), st.data(), st.integers(0, 999))
def test_a_draw_has_its_size_and_of_each_class_its_share(y, data, seed):
    y = np.array(y)
    size = data.draw(st.integers(1, len(y) - 1))
    drawn = stratified_draw(y, size, seed)
    assert drawn.dtype == bool and drawn.sum() == size
    for label in np.unique(y):
        share = size * (y == label).sum() / len(y)
        assert abs(drawn[y == label].sum() - share) < 1 + 1e-9
    assert np.array_equal(drawn, stratified_draw(y, size, seed))


def test_every_record_is_drawn_with_the_same_chance():
    y = np.repeat([0, 1, 2], [7, 5, 12])
    shares = np.mean([stratified_draw(y, 9, seed) for seed in range(4000)], axis=0)
    # 4.5 standard errors of a mean of 4,000 coins hold for all 24 records
    assert np.abs(shares - 9 / 24).max() < 4.5 * (9 / 24 * 15 / 24 / 4000) ** 0.5


@given(st.lists(st.integers(0, 9), min_size=2, max_size=60), st.integers(0, 999), st.booleans())
def test_groups_stay_together_and_come_near_the_size(groups, seed, half):
    groups = np.array(groups)
    if len(np.unique(groups)) < 2:
        groups[0] = -1
    size = len(groups) // 2
    drawn = draw_of_groups(groups, None if half else size, seed)
    assert 0 < drawn.sum() < len(groups)
    for group in np.unique(groups):
        assert len(set(drawn[groups == group])) == 1
    assert abs(drawn.sum() - len(groups) / 2) <= np.bincount(groups - groups.min()).max()


def test_every_group_is_in_half_the_time_whatever_its_size():
    groups = np.repeat(np.arange(6), [1, 2, 3, 4, 10, 20])
    drawn = np.array([draw_of_groups(groups, None, seed) for seed in range(4000)])
    first = np.searchsorted(groups, np.arange(6))
    assert np.abs(drawn[:, first].mean(axis=0) - 0.5).max() < 4.5 * (0.25 / 4000) ** 0.5


def test_shadow_models_learn_from_as_many_records_as_they_are_told_to():
    fitted = ShadowModels(TREE, n_models=5, random_state=0, train_size=30).fit(X, Y)
    assert (fitted.members.sum(axis=1) == 30).all()
    assert len({row.tobytes() for row in fitted.members}) == 5
    assert not np.array_equal(fitted.members[0], fitted.members[1])
    alone = ShadowModels(TREE, n_models=1, random_state=0, train_size=30).fit(X, Y)
    np.testing.assert_array_equal(alone.members, fitted.members[:1])


def test_households_stay_together_in_every_shadow_model():
    households = np.arange(120) // 3
    for train_size, nearest in ((None, 60), (31, 30)):
        shadows = ShadowModels(TREE, n_models=8, random_state=0, train_size=train_size)
        members = shadows.fit(X, Y, groups=households).members
        together = members.reshape(8, 40, 3)
        assert (together.all(axis=2) == together.any(axis=2)).all()
        assert (members.sum(axis=1) == nearest).all()


@pytest.mark.parametrize("train_size", [0, 1, 120, 500, 30.5, True])
def test_a_train_size_that_leaves_nobody_in_or_out_is_refused(train_size):
    with pytest.raises(ValueError, match="train_size must be a whole number of at least 2 and at"):
        ShadowModels(TREE, n_models=2, random_state=0, train_size=train_size).fit(X, Y)


@pytest.mark.parametrize("groups, message", [([1, 2], "one value for each"), (Y * 0, "got one")])
def test_groups_that_do_not_fit_are_refused(groups, message):
    with pytest.raises(ValueError, match=f"groups must hold .*{message}"):
        ShadowModels(TREE, n_models=2, random_state=0).fit(X, Y, groups=groups)


# Records and labels of any kind

PEOPLE = pd.DataFrame(
    {
        "job": np.where(np.arange(120) % 7 == 0, None, np.array(["cook", "nurse", "clerk"])[Y]),
        "age": np.where(np.arange(120) % 5 == 0, np.nan, X[:, 0].astype(float)),
        "number": np.arange(120),
    }
)
NAMES = np.array(["no", "yes", "maybe"])[Y]
OWN = make_pipeline(
    ColumnTransformer(
        [("job", OneHotEncoder(handle_unknown="ignore"), ["job"])], remainder="passthrough"
    ),
    HistGradientBoostingClassifier(max_iter=3),
)


def test_a_pipeline_learns_from_texts_and_missing_values():
    shadows = ShadowModels(OWN, n_models=3, random_state=0).fit(PEOPLE, NAMES)
    assert shadows.X is PEOPLE and shadows.classes_.tolist() == ["maybe", "no", "yes"]
    np.testing.assert_array_equal(shadows.saw(PEOPLE), shadows.members)
    again = PEOPLE[::-1].reset_index(drop=True)
    np.testing.assert_array_equal(shadows.saw(again), shadows.members[:, ::-1])
    for network, mask, told in zip(shadows.networks, shadows.members, shadows.confidences):
        np.testing.assert_array_equal(network.predict_proba(PEOPLE).astype(np.float32), told)
        alone = clone(network).fit(PEOPLE[mask], NAMES[mask])
        np.testing.assert_array_equal(alone.predict_proba(PEOPLE).astype(np.float32), told)


def test_two_thousand_ids_are_learned_and_told_apart():
    ids = 2**30 + np.arange(2000)[:, None]
    assert len(np.unique(ids.astype(np.float32))) < 40, "these ids do not test what they should"
    labels = np.random.default_rng(0).integers(2, size=2000)
    shadows = ShadowModels(DecisionTreeClassifier(), n_models=4, random_state=0).fit(ids, labels)
    np.testing.assert_array_equal(shadows.saw(ids), shadows.members)
    # scikit-learn's trees cast to float32 by themselves; ids as texts are told apart by them too
    texts = ids.astype(str)
    by_text = make_pipeline(OneHotEncoder(handle_unknown="ignore"), DecisionTreeClassifier())
    shadows = ShadowModels(by_text, n_models=4, random_state=0).fit(texts, labels)
    right = shadows.classes_[shadows.confidences.argmax(axis=2)] == labels
    assert right[shadows.members].all()


def test_a_model_of_whole_numbers_is_given_whole_numbers():
    ids = 2**53 + np.arange(60)[:, None]
    shadows = ShadowModels(Remembering(), n_models=3, random_state=0).fit(ids, Y[:60])
    right = shadows.confidences.argmax(axis=2) == Y[:60]
    np.testing.assert_array_equal(shadows.confidences.max(axis=2) == 1, shadows.members)
    assert right[shadows.members].all()


class Remembering(ClassifierMixin, BaseEstimator):
    """A classifier that knows by heart what it learned, and nothing else; exact whole numbers."""

    def fit(self, X, y):
        self.classes_, self.labels = np.unique(y), dict(zip(X[:, 0].tolist(), y.tolist()))
        return self

    def predict_proba(self, X):
        c = len(self.classes_)
        known = [self.labels.get(record) for record in X[:, 0].tolist()]
        return np.array(
            [np.full(c, 1 / c) if k is None else (self.classes_ == k).astype(float) for k in known]
        )


@given(st.lists(st.integers(0, 9), min_size=2, max_size=40), st.integers(0, 999))
def test_each_half_has_every_class_of_two_records(y, seed):
    y = np.array(y)
    half = stratified_half(y, seed)
    for label in np.unique(y):
        if (y == label).sum() >= 2:
            assert half[y == label].any() and not half[y == label].all()


def test_records_of_small_classes_are_in_half_the_time():
    y = np.repeat(np.arange(7), [1, 2, 2, 3, 2, 2, 1])
    halves = np.array([stratified_half(y, seed) for seed in range(4000)])
    # 4.5 standard errors of a mean of 4,000 coins hold for all 13 records
    assert np.abs(halves.mean(axis=0) - 0.5).max() < 4.5 * (0.25 / 4000) ** 0.5


def test_a_half_of_groups_has_every_class_of_two_groups():
    groups, rare = np.arange(40) // 2, np.isin(np.arange(40), [3, 30]).astype(int)
    halves = np.array([half_of_groups(groups, rare, seed) for seed in range(400)])
    assert (halves[:, 3] != halves[:, 30]).all() and (halves[:, ::2] == halves[:, 1::2]).all()
    plain = np.array([draw_of_groups(groups, None, seed) for seed in range(400)])
    kept = plain[:, 3] != plain[:, 30]
    assert 100 < kept.sum() < 300, "these seeds do not test what they should"
    np.testing.assert_array_equal(halves[kept], plain[kept])
    # 4.5 standard errors of a mean of 400 coins hold for all 20 groups
    assert np.abs(halves.mean(axis=0) - 0.5).max() < 4.5 * (0.25 / 400) ** 0.5
    np.testing.assert_array_equal(half_of_groups(groups, np.arange(40), 0), plain[0])


class Fussy(DecisionTreeClassifier):
    """A tree that will not learn without each of three classes, as gradient boosting may not."""

    def fit(self, X, y):
        if len(np.unique(y)) < 3:
            raise KeyError("expected: [0 1 2], got [0 1]")
        return super().fit(X, y)


@pytest.mark.filterwarnings("error::UserWarning")
@pytest.mark.parametrize("backend", ["threading", pytest.param("loky", marks=pytest.mark.slow)])
def test_a_shadow_model_that_fails_says_which_and_on_what(backend):
    shadows = ShadowModels(Fussy(), n_models=4, random_state=0)
    lacking = np.flatnonzero(~ShadowModels(TREE, 4, 0).fit(X, RARE).members[:, 5])
    said = (
        f"shadow model {lacking[0]}, .* 60 records of 2 classes, none of class 'rare'. KeyError.*"
    )
    with joblib.parallel_config(backend), pytest.raises(ValueError, match=said) as error:
        shadows.fit(X, RARE)
    assert isinstance(error.value.__cause__, KeyError)


def test_a_shadow_model_that_answers_nan_is_named():
    class Lost(DecisionTreeClassifier):
        def predict_proba(self, X):
            return np.where(X[:, :1] > 0, np.nan, super().predict_proba(X))

    with pytest.raises(ValueError, match=f"model 0, .* NaN about {(X[:, 0] > 0).sum()} of 120"):
        ShadowModels(Lost(), n_models=2, random_state=0).fit(X, Y)


class Threads(DecisionTreeClassifier):
    """A tree that remembers how many threads it might have used, and how many were fitted at
    once."""

    running, most = 0, 0

    def fit(self, X, y):
        Threads.running += 1
        Threads.most = max(Threads.most, Threads.running)
        time.sleep(0.05)
        self.blas = {found["num_threads"] for found in threadpool_info() if found["num_threads"]}
        Threads.running -= 1
        return super().fit(X, y)


def test_threads_within_threads_are_capped_and_set_free_again():
    with threadpool_limits(2):
        before = threadpool_info()
        with joblib.parallel_config("threading", n_jobs=2):
            shadows = ShadowModels(Threads(), n_models=4, random_state=0).fit(X, Y)
        assert [network.blas for network in shadows.networks] == [{1}] * 4
        assert threadpool_info() == before
        with joblib.parallel_config("threading", n_jobs=1):
            shadows = ShadowModels(Threads(), n_models=1, random_state=0).fit(X, Y)
        assert shadows.networks[0].blas == {2}, "one fit alone may use them all"


def test_the_number_of_jobs_that_joblib_is_told_is_kept():
    for n_jobs in (1, 3):
        Threads.most = 0
        with joblib.parallel_config("threading", n_jobs=n_jobs):
            ShadowModels(Threads(), n_models=6, random_state=0).fit(X, Y)
        assert Threads.most == n_jobs


def test_a_private_network_in_a_pipeline_is_told_the_public_classes():
    private = MLP(epochs=3, clip=1.0, noise_multiplier=1.0, expected_members=60)
    pipeline = make_pipeline(StandardScaler(), make_pipeline("passthrough", private))
    shadows = ShadowModels(pipeline, n_models=2, random_state=0).fit(X, Y, classes=[0, 1, 2, 3])
    assert all(network[-1][-1].classes_.tolist() == [0, 1, 2, 3] for network in shadows.networks)
    assert (shadows.confidences[..., 3] > 0).all()


def test_a_private_network_that_cannot_be_told_is_refused_in_words():
    private = MLP(epochs=3, clip=1.0, noise_multiplier=1.0, expected_members=60)
    hidden = CalibratedClassifierCV(private, cv=2)
    with pytest.raises(ValueError, match="shadow model 0, .*classes must be given with noise"):
        ShadowModels(hidden, n_models=2, random_state=0).fit(X, Y)


# One copy after another, and collections of which only answers are known


@each_model
def test_one_copy_after_another_answers_as_the_collection_does(model):
    shadows = ShadowModels(model, n_models=5, random_state=3).fit(X, Y)
    seeds = draw_seeds(3, 10).reshape(-1, 2)[:, 1]
    given = model, X, Y, shadows.members, seeds, shadows.classes_
    told = []
    answers = list(train_each(*given, progress=told.append))
    assert told == sorted(told) and told[-1] == 1 and answers[0].dtype == np.float32
    np.testing.assert_array_equal(answers, shadows.confidences)
    elsewhere = X[:7] + 1
    np.testing.assert_array_equal(
        list(train_each(*given, ask=elsewhere, start=2)), shadows.predict_proba(elsewhere)[2:]
    )
    assert list(train_each(*given, start=5)) == []


def test_answers_are_in_the_order_of_the_classes_that_is_asked_for():
    shadows = ShadowModels(TREE, n_models=3, random_state=0).fit(X, RARE)
    seeds = draw_seeds(0, 6).reshape(-1, 2)[:, 1]
    classes = ["usual", "unheard", "common", "rare"]
    told = np.array(list(train_each(TREE, X, RARE, shadows.members, seeds, classes)))
    np.testing.assert_array_equal(told[..., [2, 3, 0]], shadows.confidences)
    assert (told[..., 1] == 0).all()


def test_a_model_is_asked_in_blocks(monkeypatch):
    whole = ShadowModels(TREE, n_models=2, random_state=0).fit(X, Y)
    monkeypatch.setattr("miaedu.training.BLOCK", 50)
    np.testing.assert_array_equal(whole.predict_proba(X), whole.confidences)
    monkeypatch.setattr(
        DecisionTreeClassifier,
        "predict_proba",
        lambda self, X: np.full((len(X), 3), len(X) / 100, np.float32),
    )
    told = whole.predict_proba(X)
    assert set(told[:, :100].ravel()) == {np.float32(0.5)}
    assert set(told[:, 100:].ravel()) == {np.float32(0.2)}


def known(shadows, X=X, y=Y):
    return ShadowModels.from_answers(X, y, shadows.members, shadows.confidences, shadows.classes_)


@pytest.mark.parametrize("kind", [ThresholdAttack, ShadowAttack, CalibratedAttack, LiRA, RMIA])
def test_attacks_learn_from_known_answers_what_they_learn_from_the_models(kind):
    shadows = ShadowModels(TREE, n_models=6, random_state=0).fit(X, Y)
    target = BlackBox(DecisionTreeClassifier(random_state=9).fit(X[::2], Y[::2]))
    a, b = (kind().fit(collection) for collection in (shadows, known(shadows)))
    np.testing.assert_array_equal(a.score(target, X, Y), b.score(target, X[:], Y))
    assert a.threshold_ == b.threshold_
    a, b = (kind().fit(collection.without(2)) for collection in (shadows, known(shadows)))
    np.testing.assert_array_equal(
        a.score(shadows.door(2), X[5:], Y[5:]), b.score(known(shadows).door(2), X[5:], Y[5:])
    )


def test_exposure_is_measured_on_known_answers_as_on_the_models():
    targets = ShadowModels(MODELS["logistic"], n_models=8, random_state=0).fit(X, Y)
    a, b = (
        measure_exposure(ThresholdAttack(), collection, fpr=0.4)
        for collection in (targets, known(targets))
    )
    for name in ("auc", "flagged_in", "memorisation"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
    assert a.threshold == b.threshold < 1 and len(set(a.auc)) > 10


@pytest.mark.parametrize("kind", [np.asarray, pd.DataFrame])
def test_known_answers_are_looked_up_by_content(kind):
    records = kind(np.arange(8)[:, None])
    members, told = np.eye(3, 8, dtype=bool), np.random.default_rng(0).random((3, 8, 2))
    answers = told.astype(np.float32)[..., ::-1]
    shadows = ShadowModels.from_answers(records, ["b", "a"] * 4, members, told, ["b", "a"])
    assert shadows.classes_.tolist() == ["a", "b"]
    np.testing.assert_array_equal(shadows.predict_proba(records), answers)
    some = records[3:][::-1]
    np.testing.assert_array_equal(shadows.predict_proba(some), answers[:, 3:][:, ::-1])
    np.testing.assert_array_equal(
        shadows.without(1).predict_proba(some), answers[[0, 2], 3:][:, ::-1]
    )
    np.testing.assert_array_equal(shadows.networks[2].predict_proba(some), answers[2, 3:][::-1])
    np.testing.assert_array_equal(shadows.saw(some), members[:, 3:][:, ::-1])
    assert len(list(shadows.networks)) == 3
    with pytest.raises(ValueError, match="of 2 of the 5 records no answers are known"):
        shadows.predict_proba(records[3:] + 2)


# What is refused

REFUSED = {
    "NaN asked of many": (
        lambda t: t.shadows.predict_proba(refusals.with_one(np.nan)),
        ValueError,
        "X",
        "NaN",
    ),
    "NaN for shadows": (
        lambda t: t.shadows.fit(refusals.with_one(np.nan), t.Y),
        ValueError,
        "X",
        "NaN",
    ),
    "one class only for shadows": (
        lambda t: t.shadows.fit(t.X, 0 * t.Y),
        ValueError,
        "y",
        "two classes",
        "got one class: 0",
    ),
    "not public for shadows": (
        lambda t: t.shadows.fit(t.X, t.Y, classes=[0, 5]),
        ValueError,
        "classes",
        "1",
    ),
    "not public for shadow trees": (
        lambda t: ShadowModels(DecisionTreeClassifier(), 2).fit(t.X, t.Y, classes=[0, 5]),
        ValueError,
        "classes",
        "1",
    ),
    "other features asked of many": (
        lambda t: t.shadows.predict_proba(t.X[:, :2]),
        ValueError,
        "2 features",
        "3",
    ),
    "no shadows": (
        lambda t: ShadowModels(MLP(), 0).fit(t.X, t.Y),
        ValueError,
        "n_models",
        "at least 1",
        "got 0",
    ),
    "half a shadow": (
        lambda t: ShadowModels(MLP(), 1.5).fit(t.X, t.Y),
        ValueError,
        "n_models",
        "whole number",
        "got 1.5",
    ),
    "shadows without confidences": (
        lambda t: ShadowModels(SVC(), 2).fit(t.X, t.Y),
        TypeError,
        "model",
        "predict_proba",
        "SVC",
    ),
    "too few records for shadows": (
        lambda t: t.shadows.fit(t.X[:3], t.Y[:3]),
        ValueError,
        "X",
        "at least 4",
        "got 3",
    ),
    "bad settings of a shadow": (
        lambda t: ShadowModels(MLP(epochs=0), 2).fit(t.X, t.Y),
        ValueError,
        "epochs",
        "at least 1",
        "got 0",
    ),
    "a Series for shadows": (
        lambda t: t.shadows.fit(t.X[:, 0], t.Y),
        ValueError,
        "X",
        "got shape (40,)",
    ),
    "labels too few for shadows": (
        lambda t: t.shadows.fit(t.X, t.Y[:-1]),
        ValueError,
        "y",
        "40 records",
        "got shape (39,)",
    ),
    "a missing label for shadows": (
        lambda t: t.shadows.fit(t.X, [None, *t.Y[1:]]),
        ValueError,
        "y",
        "got None for record 0",
    ),
    "a mask of no collection": (
        lambda t: ShadowModels.from_answers(t.X, t.Y, t.halves[:, 1:], [], [0, 1]),
        ValueError,
        "members",
        "40)",
        "(2, 39)",
    ),
    "answers of no collection": (
        lambda t: ShadowModels.from_answers(t.X, t.Y, t.halves, np.zeros((2, 40, 3)), [0, 1]),
        ValueError,
        "confidences",
        "(2, 40, 2)",
        "(2, 40, 3)",
    ),
    "unfitted shadows": (
        lambda t: ShadowModels(MLP()).predict_proba(t.X),
        ValueError,
        "ShadowModels",
        "fit",
    ),
}


@refusals.each(REFUSED)
def test_what_shadow_models_cannot_use_is_refused_in_words_and_changes_nothing(
    action, error, words
):
    refusals.check(action, error, words)
