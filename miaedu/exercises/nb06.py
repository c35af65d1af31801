"""Exercises of notebook 06: the paper reproduced. What is right is counted again, in the course's
own results."""

import numpy as np

from ..paper import our_draws
from . import Exercise, prediction, quiz

SHOPS = tuple(f"purchases, {c} classes" for c in (2, 10, 20, 50, 100))


def draws_in_order():
    """In how many draws the precision rises from row to row, as the paper's does; as text."""
    ours = our_draws("table-2")
    columns = np.array([ours[row]["precision"] for row in SHOPS])
    kept = (np.diff(columns, axis=0) > 0).all(axis=0)
    return f"{kept.sum()} of {len(kept)}"


def counts():
    """In how many draws Adult leaks less than purchases with 2 classes, and what typical mistakes
    give."""
    ours = our_draws("table-2")
    adult, shops = ours["adult"], ours[SHOPS[0]]
    less = {key: int((adult[key] < shops[key]).sum()) for key in adult}
    return {
        "right": less["precision"],
        "reversed": len(adult["precision"]) - less["precision"],
        "calibrated": less["calibrated_precision"],
        "auc": less["auc"],
    }


def count(answer):
    """Complain about a number that is not the count of draws, naming the mistake that gives it, or
    return None."""
    value, found = float(answer), counts()
    mistakes = {
        "right": None,
        "reversed": "that counts the draws in which Adult leaks more.",
        "calibrated": "that is the count by the calibrated attack, which is newer than the paper.",
        "auc": "that is the count by AUC. The paper's column is a precision.",
    }
    for name, complaint in mistakes.items():
        if value == found[name]:
            return complaint
    return "compare the two arrays of precisions draw by draw, and count where Adult's is smaller."


def small_difference(answer):
    """What the right count of 06.2 teaches."""
    return (
        f"{answer:g} of 10 by this measure, and {counts()['auc']} of 10 by AUC. So small a "
        "difference turns with the measure: the paper's 0.002, in one draw, is no order to be "
        "reproduced."
    )


EXERCISES = {
    "06.1": prediction(
        "Predict whether an order can be reproduced where numbers cannot.",
        "b",
        "With more classes there are fewer records of each, and the target knows more of its "
        "members by heart.",
        {
            "a": (
                "the answers do grow, but the gap attack, which looks at the label alone, rises "
                "from row to row as well. What happens to the records of one class?"
            ),
            "c": (
                "attack models are as many as classes, but each then learns from fewer answers, "
                "which makes an attack weaker. What happens to the target?"
            ),
        },
        draws_in_order,
        "Two thousand members are dealt to 2 classes, or to 100. How many records show the target "
        "what a class is like?",
        "the fewer records a class has, the more of them must be learned by heart, here as there.",
    ),
    "06.2": Exercise(
        "See whether a small difference is an order.",
        count,
        'mia.our_draws("table-2") has a dict of arrays for each row; key "precision".',
        """ours = mia.our_draws("table-2")
adult, two = (ours[row]["precision"] for row in ("adult", "purchases, 2 classes"))
answer = (adult < two).sum()
""",
        small_difference,
    ),
    "06.q1": quiz(
        "What an agreement shows that was tuned for.",
        "c",
        "nothing: the generator was chosen so that it would",
        {
            "a": "the shoppers are made up, and were made up until the accuracy was about right.",
            "b": "an attack is not needed for it: the accuracy is the target's alone.",
        },
        "Read the datasheet of the purchases: what was the generator chosen by?",
        "What was put in cannot be found. The precision of the attack was not put in.",
    ),
    "06.q2": quiz(
        "Say what was reproduced.",
        "b",
        "that leaks grow with the number of classes; how large they are depends on the model and "
        "the data",
        {
            "a": "at the paper's own sizes ours is far from the paper's number: see the figure.",
            "c": (
                "the order came back on other data, with another kind of model. That is more than "
                "the same number on the same data would have shown."
            ),
        },
        "Which came back in nearly every draw, the order or the size?",
        "An order that survives a change of data and model is worth more than a digit.",
    ),
}
