"""The three questions of notebook 00, by which readers see whether they have what the course
needs."""

from . import quiz

PYTHON = "The Python tutorial explains list comprehensions in its chapter on data structures."
GUIDE = 'scikit-learn\'s page "Getting Started" explains it in ten minutes.'

EXERCISES = {
    "00.q1": quiz(
        "Read a line of Python.",
        "c",
        "`[False, True, False]`",
        {
            "a": (
                "the list has an entry for each score, and each answers the question: is it at "
                f"least 0.5? {PYTHON}"
            ),
            "b": (
                "no entry is left out: a comprehension does that with an if at its end, and here "
                f"is none. {PYTHON}"
            ),
        },
        "Go through the three scores one after another. What is 0.2 >= 0.5?",
        "You know enough Python for this course.",
    ),
    "00.q2": quiz(
        "Know what goes into a classifier.",
        "a",
        "the number of features: what is known of each record",
        {
            "b": (
                "X has a row for each record and a column for each feature, and a shape begins "
                f"with the rows. {GUIDE}"
            ),
            "c": f"how many classes there are shows in y, not in the shape of X. {GUIDE}",
        },
        "Rows are records. What are columns?",
        "You know your way around X and y.",
    ),
    "00.q3": quiz(
        "Know why a model is tested on records that it has not learned from.",
        "b",
        "about 66 times of 100",
        {
            "a": (
                "it may know those 100 by heart, which says nothing about new ones; look at the "
                f"other number. {GUIDE}"
            ),
            "c": f"nothing is broken: a model is nearly always better on what it has seen. {GUIDE}",
        },
        "Tomorrow's records are new to the model. Which of the two numbers was measured on new "
        "ones?",
        "The distance between the two numbers is what this course is about.",
    ),
}
