"""How an attacker without labelled data makes some: here, by letting the target label records from
anywhere."""

import numpy as np


def label_by_querying(black_box, X):
    """Labels (n,) for records X (n, d) from anywhere: the target's own most confident class. Costs
    one query a record.

    >>> import miaedu as mia
    >>> digits = mia.load_digits()
    >>> api = mia.BlackBox(mia.MLP(random_state=0).fit(digits.X[:900], digits.y[:900]))
    >>> labels = mia.label_by_querying(api, digits.X[900:])
    >>> labels.shape, api.n_queries
    ((897,), 897)

    Raises ValueError when the black box's budget does not cover all records. Source: Shokri et al.
    2017, section V-C.
    """
    return black_box.classes_[np.argmax(black_box.predict_proba(X), axis=1)]
