"""Findings as sentences: the captions and alt texts of pictures."""

from types import SimpleNamespace

import numpy as np

from .privacy import max_advantage, max_auc

POOLS = {  # what shadow models learn from, where it is not what usually is
    "noisy": "noisy records",
    "marginals": "records drawn from marginals",
    "another shop": "another shop's records",
    "synthesized": "synthesized records",
    "uniform": "records drawn blindly",
}
MEASURES = "auc", "advantage", "gap_advantage", "recall", "fpr", "train_accuracy", "test_accuracy"


def describe(results):
    """What an experiment found, in words: the caption and the alt text of its picture.

    >>> import miaedu as mia
    >>> words = mia.describe(mia.run(mia.Experiment(n_shadows=4)))
    >>> words.startswith("With 4 shadow models, the shadow attack reaches AUC 0.")
    True

    `results` is a :class:`Result`, or several of them, repetitions of one experiment: then the
    spread is given in place of the interval.
    """
    results = results if isinstance(results, (list, tuple)) else [results]
    e, reports = results[0].experiment, [result.adaptive for result in results]
    if len(results) == 1:
        spread = "95 % interval {:.2f} to {:.2f}".format(*reports[0].interval("auc"))
    else:
        aucs = [report.auc for report in reports]
        spread = f"{min(aucs):.2f} to {max(aucs):.2f} over {len(reports)} repetitions"
    attacker = f"the {e.attack.replace('_', '-')} attack"
    how = ", adapted to the hiding" if e.hide else ""
    if e.n_queries > 1:
        how += f", averaging {e.n_queries} answers about each record"
    if how:
        attacker += f"{how},"
    if e.attack != "gap":
        pool = f" of {POOLS[e.pool]}" if e.pool in POOLS else ""
        attacker = f"with {e.n_shadows} shadow model{'s' * (e.n_shadows > 1)}{pool}, {attacker}"
    mean = SimpleNamespace(
        **{name: np.mean([getattr(report, name) for report in reports]) for name in MEASURES}
    )
    words = [
        f"{attacker} reaches AUC {mean.auc:.2f} ({spread}) and advantage {mean.advantage:z.2f}"
    ]
    if e.hide:
        auc, advantage = np.mean(
            [(result.naive.auc, result.naive.advantage) for result in results], axis=0
        )
        words.append(f"not adapted, AUC {auc:.2f} and advantage {advantage:z.2f}")
    words.append(f"the gap attack's advantage is {mean.gap_advantage:z.2f}")
    found = "; ".join(words)
    return " ".join(
        [
            f"{found[0].upper()}{found[1:]}.",
            flagged(mean.recall, mean.fpr, "it"),
            f"The target is right on {mean.train_accuracy:.0%} of its members",
            f"and on {mean.test_accuracy:.0%} of the non-members.",
            *_promise(results[0]),
        ]
    )


def flagged(hits, alarms, attack="the attack"):
    """Hits and false alarms, shares, as a sentence.

    >>> flagged(0.96, 0.444)
    'Of 100 members the attack flags 96, of 100 non-members 44.'
    """
    return f"Of 100 members {attack} flags {100 * hits:.0f}, of 100 non-members {100 * alarms:.0f}."


def _promise(result):
    """The proven part of the words, for an experiment with a clip."""
    e = result.experiment
    if e.clip and not e.noise_multiplier:
        return ["Gradients are clipped, but without noise nothing is promised."]
    if e.clip:
        return [
            f"Noise {e.noise_multiplier:g} over {e.epochs} steps promises mu {result.mu:.2f}, that "
            f"is epsilon {result.epsilon():.1f} at delta 1e-5, for a record that a coin puts in or "
            "leaves out: pooled over retrained targets, no attack's ROC curve has an AUC above "
            f"{max_auc(result.mu):.2f} or an advantage above {max_advantage(result.mu):.2f}."
        ]
    return []
