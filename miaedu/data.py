"""The data sets of the course: each is a Dataset, and has a datasheet in data/ with its source,
columns and limits."""

import csv
import gzip
import re
from collections import Counter
from functools import lru_cache
from hashlib import sha256
from numbers import Integral

import numpy as np
from sklearn.utils import check_random_state

from .dataset import Dataset
from .places import course


def load_purchases(n_classes=10, n_records=4000, n_items=200, random_state=0, *, shoppers=None):
    """Invented shopping baskets, each shopper having a style, after the purchase data of Shokri et
    al. 2017.

    >>> import miaedu as mia
    >>> mia.load_purchases(n_classes=50, n_items=600, random_state=0)
    Dataset 'purchases': 4,000 records, 600 features, 50 classes
    >>> sorted(set(mia.load_purchases().X[0].tolist()))
    [0.0, 1.0]

    A record says which of `n_items` items (at least 10) a shopper bought: 1 or 0. Its class is the
    shopper's style; all `n_classes` (at least 2) have equally many of the `n_records` (at least
    `n_classes`), to within one. More classes are harder to learn and leak more. `random_state`:
    None, int or RandomState. `shoppers`, of the same kinds: draw by it other shoppers of the shop
    that `random_state` decides. How it is made: data/purchases.md.
    """
    least_of = {
        "n_classes": (n_classes, 2),
        "n_items": (n_items, 10),
        "n_records": (n_records, n_classes),
    }
    for name, (value, least) in least_of.items():
        if not isinstance(value, Integral) or value < least:
            raise ValueError(f"{name} must be a whole number of at least {least}, got {value!r}")
    random = check_random_state(random_state)
    popularity = random.permutation(np.arange(1, n_items + 1) ** -0.8)
    boosts = 1.7 * np.linspace(0, 1, 1 + max(1, round(n_items / 15)))[1:] ** 2
    favourites = random.random_sample((n_classes, n_items)).argsort(axis=1)[:, : len(boosts)]
    style = np.zeros((n_classes, n_items))
    style[np.arange(n_classes)[:, None], favourites] = boosts
    random = random if shoppers is None else check_random_state(shoppers)
    y = random.permutation(np.arange(n_records) % n_classes)
    loyalty = random.beta(1.2, 1, (n_records, 1))
    appetite = random.lognormal(-0.125, 0.5, (n_records, 1))  # its mean is 1
    rate = appetite * (0.09 * popularity / popularity.mean() + loyalty * style[y])
    # A shopper picks up an item after an exponential time and leaves at time 1, but not with fewer
    # than three items: next to empty baskets would be exact repeats of each other.
    time = random.standard_exponential((n_records, n_items)) / rate
    X = time <= np.maximum(1, np.partition(time, 2, axis=1)[:, 2:3])
    items, styles = (f"item {j}" for j in range(n_items)), (f"style {k}" for k in range(n_classes))
    return Dataset(
        "purchases",
        X,
        y,
        tuple(items),
        tuple(styles),
        repeats=True,
        story=(
            "Invented shoppers: nobody here is real. A record is what one shopper bought, a yes or "
            "no for each item of the shop, and the class is the shopper's style, by which the shop "
            "would choose advertisements. Anyone who can tell that a basket helped to train the "
            "shop's model knows that its owner is a customer there."
        ),
    )


@lru_cache
def load_clinic(target="health"):
    """People of the RAND Health Insurance Experiment (USA, 1974-82): their own view of their
    health, or doctor visits.

    >>> import miaedu as mia
    >>> mia.load_clinic()
    Dataset 'clinic': 5,638 records, 43 features, 4 classes, 1,966 groups
    >>> mia.load_clinic("visits").class_names[-1]
    '9 or more'

    `target`: "health" (poor, fair, good, excellent) or "visits" (doctor visits in the first year, 0
    to "9 or more"). Groups are households. Raises ValueError for another target or a damaged file.
    Columns, source: data/clinic.md.
    """
    table = _table("clinic")
    numbers = [
        "coins",
        "mdeoff",
        "tookphys",
        "black",
        "income",
        "xage",
        "female",
        "educdec",
        "num",
        "mhi",
        "disea",
        "physlm",
        "ghindx",
        "child",
    ]
    if target == "health":
        class_names, y = _in_order(table["health"], ["poor", "fair", "good", "excellent"])
        counts, codes = ["totadm", "mentvis", "notmdvis", "visits"], ["site", "plan"]
    elif target == "visits":
        # Only what was known on joining: the other counts are of the same year as the answer.
        class_names, y = (*map(str, range(9)), "9 or more"), table["visits"]
        counts, codes = [], ["site", "plan", "health"]
    else:
        raise ValueError(f'target must be "health" or "visits", got {target!r}')
    features = _features(table, numbers, counts, codes)
    features["ghindx missing"] = np.isnan(table["ghindx"])
    return _dataset(
        "clinic",
        features,
        y,
        class_names,
        groups=_households(table),
        story=(
            "Real people, without their names: the first year of each person in a health insurance "
            "experiment that ran in six places of the United States from 1974 to 1982. A record "
            "holds what was known when they joined and how often they needed care. They joined as "
            "households, so relatives share a plan and an income. Where everybody in a training "
            "set is ill, a person known to be in it is known to be ill."
        ),
    )


@lru_cache
def load_census(target="income"):
    """Ten thousand adults of the 1994 US census data known as Adult: above 50,000 dollars a year or
    not, or occupation.

    >>> import miaedu as mia
    >>> mia.load_census().class_names
    ('<=50K', '>50K')
    >>> mia.load_census("occupation")
    Dataset 'census': 10,000 records, 89 features, 14 classes

    `target`: "income" or "occupation"; the other one is a feature. Raises ValueError for another
    target or a damaged file. Columns, source: data/census.md.
    """
    if target not in ("income", "occupation"):
        raise ValueError(f'target must be "income" or "occupation", got {target!r}')
    table = _table("census")
    codes = [
        "workclass",
        "education",
        "marital",
        "occupation",
        "relationship",
        "race",
        "sex",
        "country",
        "income",
    ]
    codes.remove(target)
    features = _features(table, ["age", "hours"], ["gain", "loss"], codes)
    class_names, y = _in_order(table[target], np.unique(table[target]).tolist())
    return _dataset(
        "census",
        features,
        y,
        class_names,
        repeats=True,
        story=(
            "Real people, without their names: adults with a job, from the census data of 1994 of "
            "the United States. A record holds age, schooling, family, origin and work, mostly in "
            "coarse categories, so that some people have the very same record. With income as the "
            "class a model has little to memorise; with occupation, for the same people, it has "
            "much."
        ),
    )


@lru_cache
def load_digits():
    """Small pictures of handwritten digits, as scikit-learn ships them: a model that generalises
    well leaks little.

    >>> import miaedu as mia
    >>> mia.load_digits()
    Dataset 'digits': 1,797 records, 64 features, 10 classes

    X (1797, 64): the ink in each of 8 x 8 pixels, from 0 to 1. Raises ValueError if scikit-learn's
    copy is another one.
    """
    from sklearn import datasets

    X, y = _verified("digits", datasets.load_digits())
    features = {
        f"pixel {row} {column}": X[:, 8 * row + column] / 16
        for row in range(8)
        for column in range(8)
    }
    return _dataset(
        "digits",
        features,
        y,
        map(str, range(10)),
        story=(
            "Digits from 0 to 9, handwritten by 13 people and shrunk to 8 x 8 pixels; a record is "
            "one digit. Digits look alike, no matter who writes them, so a model learns much about "
            "digits in general and little about one record."
        ),
    )


@lru_cache
def load_tumours():
    """Breast masses measured under a microscope, as scikit-learn ships them: two classes, almost
    easy to tell apart.

    >>> import miaedu as mia
    >>> mia.load_tumours()
    Dataset 'tumours': 569 records, 30 features, 2 classes

    X (569, 30): measurements less their mean, in standard deviations. Raises ValueError if
    scikit-learn's copy is another one.
    """
    from sklearn import datasets

    bunch = datasets.load_breast_cancer()
    X, y = _verified("tumours", bunch)
    features = {str(name): _standardised(column) for name, column in zip(bunch.feature_names, X.T)}
    return _dataset(
        "tumours",
        features,
        y,
        map(str, bunch.target_names),
        story=(
            "Real patients, without their names: cells drawn with a needle from 569 breast masses, "
            "measured in a picture. To learn that somebody's record is in such a set is to learn "
            "that they were examined for cancer, whatever was found."
        ),
    )


# The data sets by name; each list of data sets elsewhere is this one.
LOADERS = {
    "purchases": load_purchases,
    "clinic": load_clinic,
    "census": load_census,
    "digits": load_digits,
    "tumours": load_tumours,
}


def _dataset(name, features, y, class_names, **more):
    return Dataset(
        name,
        np.column_stack(list(features.values())),
        y,
        tuple(features),
        tuple(class_names),
        **more,
    )


def _features(table, numbers, counts, codes):
    """Columns by name: numbers and logarithms of counts, standardised, then 0 and 1 for each value
    of a code."""
    features = {name: _standardised(table[name]) for name in numbers}
    features |= {name: _standardised(np.log1p(table[name])) for name in counts}
    for name in codes:
        for value in np.unique(table[name]):
            features[f"{name}={str(value).removesuffix('.0')}"] = table[name] == value
    return features


def _standardised(column):
    """Less the mean, in standard deviations, both of the whole file: the same, no matter who is
    drawn as a member later.

    A missing value becomes the mean.
    """
    column = column.astype(np.float64)
    return np.nan_to_num((column - np.nanmean(column)) / np.nanstd(column))


def _in_order(texts, order):
    return tuple(order), np.array([order.index(text) for text in texts])


def _households(table):
    """A number for each person, shared by a household: people with the same site, plan, income and
    family size.

    Some incomes, 0 for one, stand in many families' records. So where more people share all four
    than the family has members, a household is a run of neighbouring rows. How well this does:
    data/clinic.md.
    """
    keys = list(zip(*(table[name].tolist() for name in ("site", "plan", "income", "num"))))
    sharing, numbers, run = Counter(keys), {}, 0
    households = []
    for before, key in zip([None, *keys], keys):
        run += key != before
        crowded = sharing[key] > key[-1]
        households.append(numbers.setdefault((key, run * crowded), len(numbers)))
    return np.array(households)


@lru_cache
def _table(name):
    """The columns of data/<name>.csv.gz by name: text, or float64 (n,) with NaN where a value is
    missing."""
    content = _read(f"{name}.csv.gz")
    _verify(name, content, f"{name}.csv.gz", "reinstall miaedu")
    header, *rows = csv.reader(gzip.decompress(content).decode("utf-8").splitlines())
    table = {}
    for column, values in zip(header, zip(*rows)):
        try:
            table[column] = np.array([float(value or "nan") for value in values])
        except ValueError:
            table[column] = np.array(values)
    return table


def read_columns(name):
    """The columns of a data set's file by name, as they stand there: texts, or float64 (n,) with
    NaN where a value is missing.

    >>> import miaedu as mia
    >>> columns = mia.read_columns("census")
    >>> columns["age"][:2].dtype, columns["education"].dtype.kind
    (dtype('float64'), 'U')

    `name` is "census" or "clinic"; what each column holds stands in its datasheet.
    """
    if name not in ("census", "clinic"):
        raise ValueError(f'name must be "census" or "clinic", got {name!r}')
    # of its own: what a reader does to it is not to be seen by others
    return {column: values.copy() for column, values in _table(name).items()}


def _verified(name, bunch):
    """The records and labels of one of scikit-learn's data sets, if they are those of the
    datasheet."""
    X, y = bunch.data.astype("<f4"), bunch.target.astype("<i8")
    remedy = "reinstall scikit-learn, or update miaedu"
    _verify(name, X.tobytes() + y.tobytes(), f"scikit-learn's copy of {name}", remedy)
    return X, y


def _verify(name, content, what, remedy):
    """Raise a ValueError unless the content has the sha256 that the datasheet states."""
    stated = re.search(r"sha256\W+([0-9a-f]{64})\b", _read(f"{name}.md").decode("utf-8"))
    expected, found = stated[1] if stated else "missing", sha256(content).hexdigest()
    if found != expected:
        raise ValueError(
            f"{what} is not what its datasheet {name}.md describes: the sha256 there is "
            f"{expected}, that of the data is {found}; {remedy}"
        )


def _read(filename):
    path = course("data", filename)
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise FileNotFoundError(f"{path} is missing; reinstall miaedu") from None
