"""Dataset.from_arrays, and the split into members, non-members and pool."""

import warnings
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import miaedu as mia


class Frame:
    """What a DataFrame looks like from outside: it has columns and turns into an array."""

    def __init__(self, values, columns):
        self.values, self.columns = np.array(values), columns

    def __array__(self, dtype=None, copy=None):
        return self.values.astype(dtype) if dtype else self.values


def numbered(counts, groups=None, repeats=False):
    """A Dataset whose only feature is the record's number; class k has counts[k] records, in mixed
    order."""
    y = np.random.RandomState(0).permutation(np.repeat(np.arange(len(counts)), counts))
    return mia.Dataset(
        "numbered",
        np.arange(len(y))[:, None],
        y,
        ("number",),
        tuple(map(str, range(len(counts)))),
        groups=groups,
        repeats=repeats,
    )


def numbers(pair):
    return pair[0][:, 0].astype(int).tolist()


# A reader's own data


@pytest.mark.parametrize(
    "y, more, codes, names",
    [
        (["cat", "ant", "cat", "bee"], {}, [2, 0, 2, 1], ("ant", "bee", "cat")),
        ([3, 1, 2, 1], {}, [2, 0, 1, 0], ("1", "2", "3")),
        ([1.0, 0.0, 1.0, 0.0], {}, [1, 0, 1, 0], ("0", "1")),
        ([True, False, False, True], {}, [1, 0, 0, 1], ("False", "True")),
        (np.array([10, 9, 10, 9], dtype=object), {}, [1, 0, 1, 0], ("9", "10")),
        (["no", "yes", "no", "no"], {"class_names": ["yes", "no"]}, [1, 0, 1, 1], ("yes", "no")),
        (
            [0, 2, 2, 0],
            {"class_names": ["low", "middle", "high"]},
            [0, 2, 2, 0],
            ("low", "middle", "high"),
        ),
        (
            [False, True, True, False],
            {"class_names": ["sick", "well"]},
            [0, 1, 1, 0],
            ("sick", "well"),
        ),
    ],
)
def test_labels_become_codes(y, more, codes, names):
    data = mia.Dataset.from_arrays(np.eye(4), y, **more)
    assert data.y.tolist() == codes and data.y.dtype == np.int64
    assert data.class_names == names and data.n_classes == len(names)


def test_from_arrays_takes_a_frame_and_keeps_its_column_names():
    X = Frame([[1, 0.5], [2, 0.25]], ["age", "dose"])
    data = mia.Dataset.from_arrays(X, Frame(["a", "b"], None), story="Tale.")
    assert data.feature_names == ("age", "dose")
    assert data.X.dtype == np.float32 and data.X.flags.c_contiguous
    assert data.story == "Tale." and data.groups is None
    assert mia.Dataset.from_arrays([[1], [2]], [0, 1]).feature_names == ("feature 0",)


def test_repeats_are_natural_for_whole_numbers_unless_the_reader_says_otherwise():
    assert mia.Dataset.from_arrays([[1, 0], [0, 2]], [0, 1]).repeats is True
    assert mia.Dataset.from_arrays([[1, 0.5], [0, 2]], [0, 1]).repeats is False
    assert mia.Dataset.from_arrays([[1, 0.5], [0, 2]], [0, 1], repeats=True).repeats is True


def test_a_dataset_is_its_own_copy_and_cannot_be_written_to():
    X, y, groups = np.ones((2, 2), np.float32), np.array([0, 1]), np.array([7, 9])
    data = mia.Dataset.from_arrays(X, y, groups=groups)
    X[0], y[0], groups[0] = 5, 1, 9
    assert data.X[0, 0] == 1 and data.y[0] == 0 and data.groups.tolist() == [0, 1]
    for array in (data.X, data.y, data.groups):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
    with pytest.raises(AttributeError):
        data.name = "other"


def test_a_dataset_says_what_it_is_in_one_line():
    data = mia.Dataset.from_arrays(
        np.ones((1200, 3)), np.arange(1200) % 2, groups=np.arange(1200) // 2
    )
    assert repr(data) == "Dataset 'your data': 1,200 records, 3 features, 2 classes, 600 groups"
    assert len(data) == 1200


@pytest.mark.parametrize(
    "X, y, more, said",
    [
        ([[1, np.nan], [2, 3]], [0, 1], {}, "got nan in record 0, feature 1"),
        ([[1, 2], [np.inf, 3]], [0, 1], {}, "got inf in record 1, feature 0"),
        ([[1, 2], [1e300, 3]], [0, 1], {}, "got 1e+300 in record 1, feature 0"),
        (
            [["1", "2"], ["red", "3"]],
            [0, 1],
            {},
            "encode text, fill in missing values first), got '1' in record 0",
        ),
        (
            Frame(np.array([[1, "red"], [2, 3]], dtype=object), ["a", "b"]),
            [0, 1],
            {},
            "got 'red' in record 0, feature 1",
        ),
        (
            Frame(np.array([[1, None], [2, 3]], dtype=object), ["a", "b"]),
            [0, 1],
            {},
            "got None in record 0, feature 1",
        ),
        ([[1j, 2], [2, 3]], [0, 1], {}, "X must hold numbers"),
        ([[1, 2], [3]], [0, 1], {}, "the same number of features"),
        ([1, 2, 3], [0, 1, 0], {}, "got shape (3,)"),
        (np.zeros((0, 3)), [], {}, "got shape (0, 3)"),
        (np.zeros((2, 0)), [0, 1], {}, "got shape (2, 0)"),
        (
            np.eye(3),
            [0, 1],
            {},
            "y must hold one value for each of the 3 records of X, got shape (2,)",
        ),
        (np.eye(2), [[0], [1]], {}, "got shape (2, 1)"),
        (np.eye(2), [0, np.nan], {}, "y must hold a value for every record, got nan for record 1"),
        (np.eye(2), ["a", None], {}, "got None for record 1"),
        (np.eye(2), np.array(["a", np.nan], dtype=object), {}, "got nan for record 1"),
        (np.eye(2), [0, np.inf], {}, "got inf for record 1"),
        (np.eye(2), [0.5, 1], {}, "not amounts (cut amounts into ranges first), got 0.5"),
        (np.eye(2), [1, 1], {}, "at least two classes, got only 1"),
        (np.eye(2), ["a", "a"], {}, "at least two classes, got only 'a'"),
        (np.eye(2), [0, 1], {"feature_names": ["a"]}, "must name the 2 features of X, got 1 names"),
        (np.eye(2), [0, 2], {"class_names": ["a", "b"]}, "y has 2"),
        (np.eye(2), ["a", "c"], {"class_names": ["a", "b"]}, "y has 'c'"),
        (
            np.eye(2),
            [0, 1],
            {"groups": [1]},
            "groups must hold one value for each of the 2 records of X, got shape (1,)",
        ),
        (
            np.eye(2),
            [0, 1],
            {"groups": [1, np.nan]},
            "groups must hold a value for every record, got nan for record 1",
        ),
    ],
)
def test_bad_data_is_refused_with_its_first_offending_value(X, y, more, said):
    with pytest.raises(ValueError) as error:
        mia.Dataset.from_arrays(X, y, **more)
    assert said in str(error.value)


def test_text_labels_are_encoded_where_numbers_are_needed():
    rng, codes = np.random.default_rng(0), np.arange(40) % 2
    X, names = rng.normal(codes[:, None], 1, (40, 3)), np.array(["stays", "leaves"])[codes]
    world = mia.split(mia.Dataset.from_arrays(X, names), 10, random_state=0)
    target = mia.BlackBox(mia.MLP(epochs=2, random_state=0).fit(*world.members))
    assert mia.evaluate(mia.GapAttack(), target, world).members.sum() == 10
    # Without a Dataset, labels may stay texts from one end to the other.
    net = mia.MLP(epochs=20, random_state=0).fit(X, names)
    shadows = mia.ShadowModels(mia.MLP(epochs=2), 2, random_state=0).fit(X, names)
    scores = mia.ShadowAttack().fit(shadows).score(mia.BlackBox(net), X, names)
    assert net.score(X, names) > 0.7 and np.isfinite(scores).all()


# Split


@st.composite
def dealt(draw):
    counts = draw(st.lists(st.integers(1, 40), min_size=1, max_size=8))
    n_members = draw(st.integers(1, max(1, sum(counts) - 1)))
    n_nonmembers = draw(st.integers(1, max(1, sum(counts) - n_members)))
    if n_members + n_nonmembers > sum(counts):
        counts = [*counts, 1]
    return counts, n_members, n_nonmembers, draw(st.integers(0, 1000))


@settings(max_examples=200)
@given(dealt())
def test_every_record_is_dealt_once_in_proportion_and_by_the_seed(case):
    counts, n_members, n_nonmembers, seed = case
    data = numbered(counts)
    world = mia.split(data, n_members, n_nonmembers, random_state=seed)
    parts = [numbers(part) for part in (world.members, world.nonmembers, world.pool)]
    assert [len(part) for part in parts] == [
        n_members,
        n_nonmembers,
        len(data) - n_members - n_nonmembers,
    ]
    assert sorted(sum(parts, [])) == list(range(len(data)))
    for (_, y), part in zip((world.members, world.nonmembers, world.pool), parts):
        assert y.tolist() == data.y[part].tolist()
        quota = len(part) * np.array(counts) / len(data)
        # The pool is what two parts leave, each less than a record off.
        off = np.abs(np.bincount(y, minlength=len(counts)) - quota).max()
        assert off < (2 if part is parts[2] else 1)
    again = mia.split(data, n_members, n_nonmembers, random_state=seed)
    assert [numbers(part) for part in (again.members, again.nonmembers, again.pool)] == parts


def test_a_world_has_as_many_nonmembers_as_members_and_the_public_classes():
    data = numbered([50, 30, 20])
    world = mia.split(data, 20, random_state=0)
    assert repr(world) == "World: 20 members, 20 non-members, 60 in the pool, 3 classes"
    assert world.classes.tolist() == [0, 1, 2]
    for (X, y), counts in (
        (world.members, [10, 6, 4]),
        (world.nonmembers, [10, 6, 4]),
        (world.pool, [30, 18, 12]),
    ):
        assert np.bincount(y).tolist() == counts
        assert X.dtype == np.float32 and numbers((X, y)) != sorted(numbers((X, y)))  # shuffled
    assert mia.split(data, 50, random_state=0).pool[0].shape == (0, 1)


def test_leftover_records_go_to_classes_by_lot():
    # Ten classes of ten, five records: which classes are lucky must differ between seeds.
    lucky = {
        tuple(mia.split(numbered([10] * 10), 5, random_state=seed).members[1]) for seed in range(20)
    }
    assert len({label for labels in lucky for label in labels}) == 10


def test_random_state_is_that_of_scikit_learn():
    data = numbered([500, 500])
    a, b = (numbers(mia.split(data, 100, random_state=seed).members) for seed in (0, 1))
    assert a != b
    assert a == numbers(mia.split(data, 100, random_state=np.random.RandomState(0)).members)
    assert numbers(mia.split(data, 100).members) != numbers(mia.split(data, 100).members)


@settings(max_examples=100)
@given(st.lists(st.integers(1, 6), min_size=8, max_size=60), st.integers(0, 1000), st.booleans())
def test_a_group_stays_in_one_part_and_sizes_are_within_one_group(sizes, seed, coin):
    n = sum(sizes)
    # Group numbers with gaps and in mixed order, as a Dataset cut down by hand has them.
    groups = np.random.RandomState(1).permutation(np.repeat(3 * np.arange(len(sizes)) + 2, sizes))
    data = numbered([n - n // 2, n // 2], groups)
    world = mia.split(data, max(1, n // 4), random_state=seed, coin=coin)
    parts = [numbers(part) for part in (world.members, world.nonmembers, world.pool)]
    assert sorted(sum(parts, [])) == list(range(n))
    homes = [set(groups[part]) for part in parts]
    assert sum(map(len, homes)) == len(set(groups))
    asked = max(1, n // 4)
    if coin:
        assert 2 * asked <= len(parts[0]) + len(parts[1]) < 2 * asked + max(sizes)
    else:
        assert asked <= len(parts[0]) < asked + max(sizes) and asked <= len(parts[1]) < asked + max(
            sizes
        )


@pytest.mark.parametrize("coin", [False, True])
def test_a_world_knows_the_households_of_its_records(coin):
    clinic = mia.load_clinic("visits")
    home = {}
    for record, group in zip(clinic.X, clinic.groups):
        home.setdefault(record.tobytes(), set()).add(int(group))
    assert all(len(homes) == 1 for homes in home.values()), "twins share a household"
    world = mia.split(clinic, n_members=900, coin=coin, random_state=3)
    for part in ("members", "nonmembers", "pool"):
        X, groups = getattr(world, part)[0], getattr(world.groups, part)
        assert [{group} for group in groups.tolist()] == [home[x.tobytes()] for x in X]
    both = world.groups.both_sides
    assert both.tolist() == [*world.groups.members.tolist(), *world.groups.nonmembers.tolist()]
    for one, other in combinations(world.groups, 2):
        assert len(one) and not set(one.tolist()) & set(other.tolist())


def test_a_world_that_was_dealt_by_record_has_no_groups():
    data = numbered([30, 30], groups=np.arange(60) // 3)
    for world in (mia.split(numbered([30, 30]), 10), mia.split(data, 10, by_group=False)):
        assert world.groups == (None, None, None) and world.groups.both_sides is None


def test_groups_can_be_set_aside():
    data = numbered([30, 30], np.arange(60) // 30)
    assert len(mia.split(data, 7, by_group=False, random_state=0).members[1]) == 7
    assert len(mia.split(data, 7, random_state=0).members[1]) == 30


def test_coins_are_fair_and_independent():
    # 400 worlds of 50 candidates. The mean number of members has standard error sqrt(12.5 / 400) =
    # 0.18; the sample variance of a binomial of variance 12.5 has standard error about 12.5 *
    # sqrt(2 / 400) = 0.88. Both within 4.
    data = numbered([60, 40])
    worlds = [mia.split(data, 25, coin=True, random_state=seed) for seed in range(400)]
    n = np.array([len(world.members[1]) for world in worlds])
    assert all(len(w.members[1]) + len(w.nonmembers[1]) == 50 for w in worlds)
    assert abs(n.mean() - 25) < 4 * 0.18 and abs(n.var(ddof=1) - 12.5) < 4 * 0.88
    assert all(
        np.bincount(np.r_[w.members[1], w.nonmembers[1]]).tolist() == [30, 20] for w in worlds
    )


def test_one_coin_for_a_whole_group():
    # 400 worlds of 20 groups of five, all candidates: members come by the five; 10 groups on
    # average, variance 5.
    data = numbered([50, 50], np.arange(100) // 5)
    n = np.array(
        [len(mia.split(data, 50, coin=True, random_state=seed).members[1]) for seed in range(400)]
    )
    assert (n % 5 == 0).all()
    assert abs(n.mean() / 5 - 10) < 4 * np.sqrt(5 / 400) and abs(
        (n / 5).var(ddof=1) - 5
    ) < 4 * 5 * np.sqrt(2 / 400)


def with_doubles(repeats):
    """Six records; numbers 1 and 3 are alike but for the sign of a zero, and so are 4 and 5."""
    X = [[0.5, 1], [0, 2], [3, 3], [-0.0, 2], [5, 5], [5, 5]]
    return mia.Dataset("doubles", X, [0, 1, 0, 1, 0, 1], ("a", "b"), ("no", "yes"), repeats=repeats)


def doubles_apart(world):
    """How many records have a double in another part, counted the slow way."""
    parts = enumerate((world.members, world.nonmembers, world.pool))
    rows = [(part, tuple(row)) for part, (X, _) in parts for row in X]
    return sum(any(p != part and r == row for p, r in rows) for part, row in rows)


def test_doubles_in_two_parts_are_an_error_where_unnatural_and_a_counted_warning_elsewhere():
    seen = set()
    for seed in range(20):
        apart = doubles_apart(
            mia.split(with_doubles(False), 2, random_state=seed, duplicates="allow")
        )
        seen.add(apart)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            mia.split(with_doubles(True), 2, random_state=seed)
        said = [f"{apart} of the 6 records of 'doubles'"] * (apart > 0)
        assert [str(w.message).split(" have ")[0] for w in caught] == said
        assert all(w.filename == __file__ for w in caught)
        if apart:
            with pytest.raises(ValueError, match=f'^{apart} of the 6 records .*duplicates="allow"'):
                mia.split(with_doubles(False), 2, random_state=seed)
            with pytest.warns(UserWarning, match="double"):
                mia.split(with_doubles(False), 2, random_state=seed, duplicates="warn")
            with pytest.raises(ValueError):
                mia.split(with_doubles(True), 2, random_state=seed, duplicates="error")
        else:
            mia.split(with_doubles(False), 2, random_state=seed)
    assert seen >= {2, 4}  # the seeds do part the doubles


@pytest.mark.parametrize(
    "arguments, said",
    [
        ({"n_members": 0}, "n_members must be a whole number of at least 1, got 0"),
        ({"n_members": -3}, "got -3"),
        ({"n_members": 2.5}, "n_members must be a whole number of at least 1, got 2.5"),
        (
            {"n_members": 2, "n_nonmembers": 0},
            "n_nonmembers must be a whole number of at least 1, got 0",
        ),
        (
            {"n_members": 6},
            "n_members + n_nonmembers must be at most 10, the number of records, got 6 + 6",
        ),
        ({"n_members": 3, "n_nonmembers": 8}, "got 3 + 8"),
        ({"n_members": 8, "n_nonmembers": 8, "coin": True}, "got 8 + 8"),
        (
            {"n_members": 2, "by_group": True},
            "by_group needs groups, but Dataset 'numbered' has none",
        ),
        (
            {"n_members": 2, "duplicates": "drop"},
            'duplicates must be "error", "warn" or "allow", got \'drop\'',
        ),
        ({"n_members": 2, "random_state": "zero"}, "zero"),
    ],
)
def test_a_split_that_cannot_be_is_refused(arguments, said):
    with pytest.raises(ValueError) as error:
        mia.split(numbered([5, 5]), **arguments)
    assert said in str(error.value)


def test_one_group_cannot_be_on_both_sides():
    with pytest.raises(
        ValueError, match="n_members must leave a group of records for the non-members, got 2"
    ):
        mia.split(numbered([5, 5], np.zeros(10)), 2)


# A World of one's own

TRAIN = np.array([[0.1, 1], [0.2, 2], [0.3, 3]])
TEST = TRAIN + 10


def own_world(X_train=TRAIN, y_train=(0, 1, 0), X_test=TEST, y_test=(1, 0, 1), *more, **given):
    return mia.World.from_arrays(X_train, y_train, X_test, y_test, *more, **given)


def test_a_world_of_ones_own_keeps_records_and_labels_as_they_come():
    pool = (TRAIN - 10, ["yes", "maybe", "no"])
    world = own_world(y_train=["no", "yes", "no"], y_test=["no", "no", "no"], pool=pool)
    assert world.members[0] is TRAIN and world.nonmembers[0] is TEST and world.pool[0] is pool[0]
    assert world.members[1].tolist() == ["no", "yes", "no"]
    assert world.classes.tolist() == ["maybe", "no", "yes"]
    assert [ids.tolist() for ids in world.ids] == [[0, 1, 2], [0, 1, 2]]
    assert repr(world) == "World: 3 members, 3 non-members, 3 in the pool, 3 classes"
    assert world.groups == (None, None, None)
    assert mia.split(numbered([5, 5]), 2, random_state=0).ids is None


def test_without_a_pool_there_is_an_empty_one():
    X, y = own_world().pool
    assert X.shape == (0, 2) and y.shape == (0,)


@pytest.mark.parametrize(
    "labels, kind, classes",
    [
        ((True, False, True), "b", [False, True]),
        (np.array([1.0, 2.0, 1.0]), "f", [1, 2]),
        (np.array(["a", "b", "a"], dtype=object), "U", ["a", "b"]),
        (np.array([3, 1, 3], dtype=object), "i", [1, 3]),
    ],
)
def test_labels_of_any_kind(labels, kind, classes):
    world = own_world(y_train=labels, y_test=labels)
    assert world.members[1].dtype.kind == kind and world.classes.tolist() == classes


def test_a_world_of_frames_knows_its_records_by_their_index():
    people = pd.DataFrame(
        {"job": ["cook", None, "nurse", "cook"], "age": [30, 31.5, np.nan, 41]}, index=list("wxyz")
    )
    world = own_world(people[:2], pd.Series(["no", "yes"]), people[2:], pd.Series(["no", "no"]))
    assert [ids.tolist() for ids in world.ids] == [["w", "x"], ["y", "z"]]
    assert world.members[0].equals(people[:2]) and world.pool[0].shape == (0, 2)
    with pytest.raises(
        ValueError, match="X_test must have the columns of X_train, but has no 'age'"
    ):
        own_world(people[:2], [0, 1], people[2:][["job"]], [0, 1])
    with pytest.raises(ValueError, match="1 of the 2 records of X_test are in X_train too"):
        own_world(people[:2], [0, 1], people[1:3], [0, 1])


def test_ids_and_groups_are_led_along():
    homes = ["oak", "elm", "oak"], ["ash", "ash", "yew"], ["elm", "fir", "fir"]
    ids = [[7, 8, 9], ["a", "b", "c"]]
    world = own_world(pool=(TRAIN - 10, [0, 1, 0]), ids=ids, groups=homes)
    assert [given.tolist() for given in world.ids] == ids
    assert world.groups.both_sides.tolist() == [3, 1, 3, 0, 0, 4]
    assert world.groups.pool.tolist() == [1, 2, 2]
    assert own_world(groups=homes[:2]).groups.pool is None


@pytest.mark.parametrize("dtype", [np.float64, np.int64, object])
def test_overlaps_between_any_two_parts_are_counted(dtype):
    big = 2**53 if dtype == np.int64 else 0.25
    rows = np.arange(20).astype(dtype)[:, None] + np.array([big], dtype)
    parts = dict(train=range(6), test=range(4, 10), pool=range(9, 14))

    def world(duplicates):
        train, test, pool = (rows[list(part)] for part in parts.values())
        labels = [np.arange(len(X)) % 2 for X in (train, test, pool)]
        return mia.World.from_arrays(
            train, labels[0], test, labels[1], (pool, labels[2]), duplicates=duplicates
        )

    with pytest.raises(ValueError) as error:
        world("error")
    said = str(error.value)
    assert said.startswith(
        "2 of the 6 records of X_test are in X_train too; 1 of the 5 records of pool are in X_test"
    )
    assert "pool are in X_train" not in said and "duplicates='allow'" in said
    with pytest.warns(UserWarning, match="^2 of the 6") as caught:
        world("warn")
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        world("allow")
        parts |= dict(test=range(6, 9))
        world("error")


@pytest.mark.parametrize(
    "given, said",
    [
        (dict(X_test=TEST[:, :1]), "X_train and X_test must have the same number of features, got"),
        (dict(X_train=TRAIN[:, 0]), "X_train must be a table of shape"),
        (dict(X_test=TEST[:0], y_test=[]), "X_test must be a table of shape"),
        (dict(y_train=[0, 1]), "y_train must hold one value for each of the 3 records of X_train"),
        (dict(y_test=[0, None, 1]), "y_test must hold a value for every record, got None for rec"),
        (dict(y_test=[0, np.nan, 1]), "y_test must hold a value for every record, got nan"),
        (dict(y_train=[0.5, 1.5, 2]), "y_train must hold labels, not amounts"),
        (dict(y_train=["a", 1, "b"]), "y_train must hold values of one kind, got texts and 1"),
        (dict(y_train=["0", "1", "0"]), "labels of one kind, got the text '0' and the number 1"),
        (dict(y_train=[0, 0, 0], y_test=[0, 0, 0]), "at least two classes, got only 0"),
        (dict(pool=TRAIN - 10), "pool must hold X and y, got ndarray"),
        (dict(pool=(TRAIN - 10, [0, 1])), "the pool's y must hold one value for each of the 3"),
        (dict(pool=(TRAIN[:, :1], [0, 1, 1])), "X_train and pool must have the same number"),
        (dict(ids=([1, 2, 3], [1, 2])), "ids of X_test must hold one value for each of the 3"),
        (dict(ids=[1, 2, 3]), "ids must hold two arrays, .* got 3 of them"),
        (dict(groups=[[1, 2], [1, 2, 3]]), "groups of X_train must hold one value for each"),
        (dict(groups=[[1, 2, 3], ["a", "b", "c"]]), "groups must hold texts in all parts, or"),
        (dict(duplicates="drop"), 'duplicates must be "error", "warn" or "allow", got \'drop\''),
    ],
)
def test_a_world_that_cannot_be_is_refused(given, said):
    with pytest.raises(ValueError, match=said):
        own_world(**given)
