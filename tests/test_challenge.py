"""The competition: what the students get, who keeps the truth, and how files are scored."""

import contextlib
import csv
import re

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

import miaedu as mia
from miaedu.__main__ import main
from miaedu.editions.challenge import N_MEMBERS, N_TARGETS, challenge, measured, ranking


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("competition")
    challenge(folder / "class", folder / "truth.csv", seed=3)
    return folder


def rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def submit(path, truth, score):
    """Write the file of somebody who gives each record the score of its (target, record,
    member)."""
    lines = [f"{row['target']},{row['record']},{score(row)}" for row in rows(truth)]
    path.write_text("\n".join(["target,record,score", *lines]))
    return path


def numbers(rows, letter):
    names = [name for name in rows[0] if name[0] == letter and name[1:].isdigit()]
    return np.array([[row[name] for name in names] for row in rows], float)


def test_the_students_get_answers_and_a_pool_and_no_members(made):
    files = sorted(path.name for path in (made / "class").iterdir())
    each = [f"{kind}_{target:02}.csv" for kind in ("answers", "pool") for target in range(10)]
    assert files == [".gitignore", "README.md", *each]
    answers = rows(made / "class" / "answers_00.csv")
    assert len(answers) == 2 * N_MEMBERS and not {"member", "is_member"} & set(answers[0])
    assert numbers(answers, "x").shape == (1000, 200)
    assert np.allclose(numbers(answers, "p").sum(axis=1), 1, atol=1e-4)


def test_half_of_each_targets_records_are_members_and_their_order_tells_nothing(made):
    truth = rows(made / "truth.csv")
    assert len(truth) == 2 * N_MEMBERS * N_TARGETS
    for target in range(N_TARGETS):
        member = np.array([int(r["member"]) for r in truth if r["target"] == str(target)])
        assert member.sum() == N_MEMBERS
        # 1,000 records: the standard error of this AUC is 0.018
        assert abs(roc_auc_score(member, np.arange(1000)) - 0.5) < 0.07


def test_the_truth_is_that_of_the_answers(made):
    """A threshold on the confidence, fitted to nothing, finds the members, and a shadow attack that
    learns from the pool finds more."""
    truth, answers = rows(made / "truth.csv"), rows(made / "class" / "answers_03.csv")
    member = [int(row["member"]) for row in truth if row["target"] == "3"]
    p, y = numbers(answers, "p"), np.array([int(row["y"]) for row in answers])
    simple = roc_auc_score(member, p[np.arange(len(y)), y])
    assert simple > 0.7
    pool = rows(made / "class" / "pool_03.csv")
    labels = np.array([int(row["y"]) for row in pool])
    shadows = mia.ShadowModels(mia.MLP(), n_models=4, random_state=0)
    attack = mia.CalibratedAttack().fit(shadows.fit(numbers(pool, "x"), labels))

    class Told:
        classes_ = np.arange(10)

        def predict_proba(self, X):
            return p

    scores = attack.score(mia.BlackBox(Told()), numbers(answers, "x"), y)
    assert roc_auc_score(member, scores) > simple


def test_a_perfect_file_is_first_and_a_random_one_about_a_half(made, capsys):
    random, truth = np.random.default_rng(0), made / "truth.csv"
    files = [
        submit(made / "chance.csv", truth, lambda row: random.random()),
        submit(made / "perfect.csv", truth, lambda row: row["member"]),
        submit(made / "wrong.csv", truth, lambda row: -int(row["member"])),
    ]
    main(["challenge", str(made / "class"), "--truth", str(truth), "--score", *map(str, files)])
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.split() == ["rank", "AUC", "TPR", "at", "1", "%", "who"]
    assert [line.split()[0] + line.split()[3] for line in lines] == [
        "1perfect",
        "2chance",
        "3wrong",
    ]
    turned = ["(better with the sign turned)" in line for line in lines]
    assert turned == [False, False, True]
    assert lines[0].split()[1:3] == ["1.000", "1.000"] and lines[2].split()[1] == "0.000"
    # 10 targets of 1,000 records: the standard error of the mean AUC is 0.006
    assert abs(float(lines[1].split()[1]) - 0.5) < 0.025


def test_equal_results_share_a_rank(made):
    files = [
        submit(made / f"{name}.csv", made / "truth.csv", lambda row: row["member"])
        for name in ("b", "a")
    ]
    lines, refused = ranking(files, made / "truth.csv")
    assert [line.split()[::3] for line in lines[1:]] == [["1", "a"], ["1", "b"]] and not refused


def test_by_hand():
    """Two targets: one in order, AUC 1; in the other one of four pairs is right, AUC 1/4."""
    members = {
        (0, 0): True,
        (0, 1): False,
        (1, 0): True,
        (1, 1): True,
        (1, 2): False,
        (1, 3): False,
    }
    scores = {(0, 0): 9.0, (0, 1): 1.0, (1, 0): 2.0, (1, 1): 4.0, (1, 2): 3.0, (1, 3): 5.0}
    auc, tpr = measured(scores, members)
    assert auc == (1 + 0.25) / 2
    assert tpr == 1 / 3, "of three members one stands above the highest non-member"


GOOD = ["target,record,score", "0,0,1"]
BAD = {
    "is empty": ([], "the first line of .* must be target,record,score, got"),
    "has no header": (GOOD[1:], "the first line of .* must be target,record,score, got"),
    "has a word": ([*GOOD, "0,1,high"], "line 3 of .* must be two whole numbers and a number"),
    "has too few columns": ([*GOOD, "0,1"], "line 3 of .* must be two whole numbers and a number"),
    "has half a record": ([*GOOD, "0,1.5,1"], "line 3 of .* must be two whole numbers"),
    "has no number": ([*GOOD, "0,1,nan"], "line 3 of .* must have a finite score, got nan"),
    "repeats itself": ([*GOOD, "0,0,2"], "line 3 of .* names record 0 of target 0 again"),
    "is short": (GOOD, "must have a line for each of the 10,000 records; it lacks record 1 of"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_file_that_is_not_as_asked_gets_a_reason_and_no_rank(name, made):
    lines, reason = BAD[name]
    path = made / "odd.csv"
    path.write_text("\n".join(lines))
    _, (line,) = ranking([path], made / "truth.csv")
    assert line.startswith("   -  odd: ")
    pytest.raises(ValueError, lambda: raise_(line)).match(reason)


def raise_(line):
    raise ValueError(line)


def test_a_record_that_was_not_asked_about_is_named(made):
    path = submit(made / "more.csv", made / "truth.csv", lambda row: 1)
    path.write_text(path.read_text() + "\n10,0,1")
    assert "has the unknown record 0 of target 10" in ranking([path], made / "truth.csv")[1][0]


def test_a_file_that_is_not_there_or_no_text_gets_a_reason(made):
    (made / "picture.csv").write_bytes(b"\xff\xfe\x00")
    files = [made / "gone.csv", made / "picture.csv"]
    _, (gone, picture) = ranking(files, made / "truth.csv")
    assert "No such file" in gone and "must be a CSV file in UTF-8" in picture


def test_the_truth_is_kept_apart_and_never_lost(tmp_path, capsys):
    with pytest.raises(SystemExit):
        main(["challenge", str(tmp_path), "--truth", str(tmp_path / "in" / "truth.csv")])
    assert "truth must lie outside the folder that students get" in capsys.readouterr().err
    (tmp_path / "class-truth.csv").write_text("mine")
    with pytest.raises(SystemExit):
        main(["challenge", str(tmp_path / "class")])
    assert "truth must be a new file" in capsys.readouterr().err
    assert (tmp_path / "class-truth.csv").read_text() == "mine"


def test_without_a_seed_each_competition_is_another(tmp_path, monkeypatch):
    monkeypatch.setattr("miaedu.editions.challenge.N_TARGETS", 1)
    for name in ("a", "b", "c"):
        challenge(tmp_path / name, tmp_path / f"{name}.csv", seed=5 if name == "c" else None)
    challenge(tmp_path / "d", tmp_path / "d.csv", seed=5)
    told = [(tmp_path / f"{name}.csv").read_text() for name in "abcd"]
    assert told[0] != told[1] and told[2] == told[3]


def test_a_folder_and_a_pattern_are_scored_and_a_file_that_cannot_be_ends_with_1(
    made, tmp_path, capsys
):
    for name in ("a", "b"):
        submit(tmp_path / f"{name}.csv", made / "truth.csv", lambda row: row["member"])
    score = ["challenge", str(made / "class"), "--truth", str(made / "truth.csv"), "--score"]
    for files in (tmp_path, tmp_path / "*.csv"):
        main([*score, str(files)])
        assert [line.split()[-1] for line in capsys.readouterr().out.splitlines()[1:]] == ["a", "b"]
    (tmp_path / "c.csv").write_text("nothing")
    with pytest.raises(SystemExit) as ending:
        main([*score, str(tmp_path)])
    assert ending.value.code == 1
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == [
        "rank",
        "1",
        "1",
        "-",
    ]
    for files in (tmp_path / "*.txt", made / "class" / "none*.csv"):
        with pytest.raises(SystemExit):
            main([*score, str(files)])
        said = capsys.readouterr().err
        assert f"--score must name CSV files or a folder of them, got {files}" in said


def test_from_within_its_folder_a_competition_finds_the_truth_beside_it(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr("miaedu.editions.challenge.N_TARGETS", 1)
    (tmp_path / "class").mkdir()
    monkeypatch.chdir(tmp_path / "class")
    main(["challenge", ".", "--seed", "1"])
    submit(tmp_path / "me.csv", tmp_path / "class-truth.csv", lambda row: row["member"])
    main(["challenge", ".", "--score", "../me.csv"])
    assert capsys.readouterr().out.splitlines()[-1].split() == ["1", "1.000", "1.000", "me"]
    (tmp_path / "class-truth.csv").rename(tmp_path / "away.csv")
    with pytest.raises(SystemExit):
        main(["challenge", ".", "--score", "../me.csv"])
    assert "class-truth.csv: name it by --truth" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["challenge", "."])
    assert "DIR must be a new folder or an empty one, got ., which holds" in capsys.readouterr().err


def code(folder):
    return re.search(r"```python\n(.*?)```", (folder / "README.md").read_text("utf-8"), re.S)[1]


def test_what_students_get_runs_as_it_stands_and_scores(made, tmp_path):
    for path in (made / "class").iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    with contextlib.chdir(tmp_path):
        exec(code(tmp_path), {})
    lines, refused = ranking([tmp_path / "my-name.csv"], made / "truth.csv")
    assert refused == []
    confidence_auc, tpr, who = lines[1].split()[1:]
    assert who == "my-name"
    # over five seeds the mean AUC was within 0.01, the TPR within 0.02 of what is said
    said_auc, said_tpr = baseline(tmp_path, "threshold on the confidence")
    assert abs(float(confidence_auc) - said_auc) < 0.03 and abs(float(tpr) - said_tpr) < 0.03


@pytest.mark.slow
def test_the_calibrated_attack_reaches_what_students_are_told(made):
    commented_out = r"# (shadows|scores) ="
    source = code(made / "class")
    assert len(re.findall(commented_out, source)) == 2
    source = re.sub(commented_out, r"\1 =", source)
    with contextlib.chdir(made / "class"):
        exec(source, {})
    path = (made / "class" / "my-name.csv").rename(made / "calibrated.csv")
    auc, tpr = ranking([path], made / "truth.csv")[0][1].split()[1:3]
    said_auc, said_tpr = baseline(made / "class", "calibrated attack")
    # over five seeds the mean AUC was within 0.005, the TPR within 0.03
    assert abs(float(auc) - said_auc) < 0.02 and abs(float(tpr) - said_tpr) < 0.06


def baseline(folder, name):
    """What a competition's README says that a baseline reaches: its mean AUC and its TPR."""
    text = (folder / "README.md").read_text("utf-8")
    return map(float, re.search(rf"^\| {name} \| ([\d.]+) \| ([\d.]+) \|$", text, re.M).groups())
