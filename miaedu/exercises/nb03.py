"""Exercises of notebook 03: the algorithm."""
from . import quiz

EXERCISES = {
    "03.q1": quiz(
        "What a shadow model should be like.",
        "b",
        {"a": "a better model than the target overfits less: it behaves differently on what it has seen, and teaches the wrong line.",
         "c": "the attacker must know who is in the shadow's training set; of the target's he knows nobody."},
        "What is carried over from the shadow to the target?",
        "It should err, and be sure of itself, where the target does.",
    ),
}
