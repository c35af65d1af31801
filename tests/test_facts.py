"""Notebooks 00 to 02 say nothing that is not held: facts of law, history and citation have their
source here, and no number stands in the prose outside of these facts and the sentences of the
claims."""

import ast
import re
from pathlib import Path

import pytest
from course import cells, one_line, sentence

HERE = Path(__file__).parent
GDPR = "Regulation (EU) 2016/679 (GDPR), "
EDPB = "European Data Protection Board, Opinion 28/2024 on AI models, adopted 17 December 2024"
WP216 = "Article 29 Working Party, Opinion 05/2014 on anonymisation techniques (WP 216)"
SHOKRI = "IEEE S&P 2017, doi 10.1109/SP.2017.41; arXiv 1610.05820"
YEOM = "IEEE CSF 2018; arXiv 1709.01604"
CARLINI = "IEEE S&P 2022; arXiv 2112.03570"
DAS = "2024; arXiv 2406.16201"
RAND = "data/clinic.md, after Cameron and Trivedi 2005 and Deb and Trivedi 2002"
HOMER = "Homer et al., PLoS Genetics 2008"
DEFINITION = "definition"

FACTS = {
    "00": [
        ("inference attack** (Shokri et al. 2017)", SHOKRI),
        ("IEEE S&P 2017, [arXiv 1610.05820](https://arxiv.org/abs/1610.05820): the attack", SHOKRI),
        ("Fredrikson, Jha, CSF 2018, [arXiv 1709.01604](https://arxiv.org/abs/1709.01604)", YEOM),
        ("overfitting is enough for an attack, but an attack can succeed without it", YEOM),
        ("How sure a model is of a class, from 0 to 1.", DEFINITION),
        ("the **confidence vector**; together they make 1.", "softmax sums to 1"),
        ("TPR − FPR: 0 for an attack that knows nothing, 1 for one that never errs.", DEFINITION),
        ("0.5 for an attack that knows nothing, 1 for one that tells all members", DEFINITION),
        ("hardly any false alarms, such as 1 or 0.1 of 100", CARLINI),
        ("Epsilon 0 is perfect, large epsilons promise nothing", DEFINITION),
        ("0 is perfect, above 3 or so next to nothing is promised", "AUC Φ(3 / √2) = 0.983"),
        ("and on 66 of 100 new ones", "made up for a question"),
        ("A model is right on 100 of 100 records that it was trained on", "made up likewise"),
        ("b) about 66 times of 100", "made up likewise"),
    ],
    "01": [
        ("Between 1974 and 1982 the RAND Health Insurance Experiment", RAND),
        ("in six places of the United States", RAND),
        ("one row for each person's first year", RAND),
        ("The attack is the one that Shokri et al. published in 2017.", SHOKRI),
        ("**2008.** Genetic studies used to publish averages", HOMER),
        ("No single person's record was in them.", HOMER),
        ("test from these averages whether that person was in the study group", HOMER),
        ("moved such files to controlled access", "NIH, August 2008"),
        ("the Wellcome Trust and the Broad Institute withdrew theirs as well", "August 2008"),
        ("In November 2018 the NIH updated their rules of access.", "NOT-OD-19-023, 1 Nov 2018"),
        (
            "**2009.** Braun and colleagues looked at the same test",
            "Braun et al., PLoS Genet 5(10)",
        ),
        (
            "its real false alarms were well above the first claims",
            "Braun et al., PLoS Genet 5(10)",
        ),
        ("As checked in July 2026; the European Union only; **not legal advice**", "the course"),
        ("**Personal data** (GDPR, Recital 26)", GDPR + "Recital 26"),
        ("by means that are reasonably likely to be used", GDPR + "Recital 26"),
        ("cost, time and technology count. Anonymous data are outside", GDPR + "Recital 26"),
        (
            "are personal data for anybody who has the means to undo the codes (Court of Justice, "
            "C-413/23 P, 2025)",
            GDPR + "Art. 4(5), Recital 26; EDPS v SRB, 4 September 2025",
        ),
        ("**Models** (European Data Protection Board, Opinion 28/2024)", EDPB),
        ("is not always anonymous: each case is looked at by itself", EDPB),
        ("Two risks must both be insignificant: that people's data are extracted", EDPB),
        ("from the model, or obtained by asking it", EDPB),
        ('**Three tests of anonymity** (Opinion 05/2014, "WP 216")', WP216),
        ("singled out, their records linked, or something inferred about them", WP216),
        ("Failing one calls for a thorough evaluation of the risk.", WP216),
        ("**A personal data breach** (Art. 33) has to be reported", GDPR + "Art. 33(1)"),
        ("unless a risk to people is unlikely", GDPR + "Art. 33(1)"),
        ("without undue delay, where feasible within 72 hours after the", GDPR + "Art. 33(1)"),
        ("became aware of it, later with reasons", GDPR + "Art. 33(1)"),
        ("A reform was a proposal in July 2026.", "Digital Omnibus"),
        ("**Fines** (Art. 83(5)) for breaking the basic principles", GDPR + "Art. 83(5)(a)"),
        ("people's rights or the rules on transfers abroad", GDPR + "Art. 83(5)(b), (c)"),
        ("up to 20 million euros or 4 % of the worldwide annual turnover", GDPR + "Art. 83(5)"),
        ("turnover, whichever is higher", GDPR + "Art. 83(5)"),
        ("It is not by itself a finding of breach.", "judgement of the course"),
        ("Homer et al., PLoS Genetics, 2008, and Braun et al., PLoS Genetics 5(10), 2009", HOMER),
        ("IEEE S&P 2017, [arXiv 1610.05820](https://arxiv.org/abs/1610.05820)", SHOKRI),
        ("membership inference on hospital stays, among others", SHOKRI + ", Texas hospital stays"),
        (
            "Jayaraman et al., PETS 2021, [arXiv 2005.10881](https://arxiv.org/abs/2005.10881)",
            "PETS 2021; arXiv 2005.10881",
        ),
        ("Tramèr, 2024, [arXiv 2406.16201](https://arxiv.org/abs/2406.16201)", DAS),
        (
            "Art. 4 (what the words mean), 5, 9 (health and other special data), 25, 32, 33, 34, "
            "35, 83",
            GDPR + "the articles named",
        ),
        ("Opinion 28/2024 (17 December 2024)", EDPB),
        ("Article 29 Working Party, Opinion 05/2014 (WP 216)", WP216),
    ],
    "02": [
        ("after the purchase data of Shokri et al. (2017)", SHOKRI),
        ("1 for each item bought and 0 for the others", "data/purchases.md"),
        ("One number for each of the ten classes, and together they make 1", "softmax sums to 1"),
        ("0 for somebody who guesses, 1 for somebody who knows", DEFINITION),
        ("the share of hits minus the share of false alarms", DEFINITION),
        ("Guessing gives one half.", DEFINITION),
        (
            "divides the noise by the square root of n: 100 answers leave a tenth",
            "variance of a mean",
        ),
        ("IEEE CSF 2018, [arXiv 1709.01604](https://arxiv.org/abs/1709.01604)", YEOM),
        ("overfitting is enough for an attack, but not needed", YEOM),
        ("IEEE S&P 2022, [arXiv 2112.03570](https://arxiv.org/abs/2112.03570)", CARLINI),
        ("Foundation Models*, 2024, [arXiv 2406.16201](https://arxiv.org/abs/2406.16201)", DAS),
        (
            "IEEE S&P 2017, [arXiv 1610.05820](https://arxiv.org/abs/1610.05820): notebook 03",
            SHOKRI,
        ),
    ],
}
# What a cell is told to do: the words, and the code that does it.
SETTINGS = {
    "00": [
        ("after 32 epochs, how many of 100 members will the attack flag", "epochs=32"),
        ("What is the 200?", 'mia.check("00.q2", answer)'),
        ("go from 1 epoch to 32", "mia.overfitting(more=False)"),
    ],
    "01": [
        ("All three are shares from 0 to 1", 'mia.check("01.3", worth)'),
        ("below the quantile **0.25** (`<` or `<=`, both will do)", 'mia.check("01.2", answer)'),
        ("somebody asks about 10,000 people, and 1 in 1,000 is a member", "10_000 - 10_000 / n"),
        ("set *members* to 1 in 1,000", "mia.base_rate()"),
        ("Say it with people: of 10,000, so many.", "10_000 / n"),
    ],
    "02": [
        ("get a confidence of at least 0.9 in their true class", "np.mean(sure[side] >= 0.9)"),
        ("Try at least 0.00, 0.01, 0.02 up to 1.00.", 'mia.check("02.2", answer)'),
        ("from 0.50 to the right, slowly", "mia.threshold()"),
        ("Then 0.00 and 1.00: where on the curve are you", "mia.threshold()"),
        ("from 1 epoch to 32, and watch the two histograms part", "mia.overfitting()"),
        ("stay at 32 epochs, and go from 100 members to 1,000", "mia.overfitting()"),
        ("on sound records (500 members first, then 500 non-members", "n_members=500"),
    ],
}
# What carries a number without claiming one: pictures (another test holds their words), code, the
# map, links to notebooks, keys of exercises, the minutes (a test of the exercises adds them up),
# and "of 100", which stands for percent.
BARE = "|".join(
    [
        r"!\[[^\]]*\]\([^)]*\)",
        r"```.*?```",
        r"`[^`]*`",
        r"^\|[^\n]*\|$",
        r"\]\([^)]*\)",
        r"(?i:notebooks? 0\d)",
        r"\b0\d\.q?\d\b",
        r"\*, \d+ minutes?",
        r"About \d+ minutes",
        r"about (?:\d+|ten) seconds",
        r"00 to 03 make a first lab, 04 a second one",
        r"\*\*\d\.\*\*",
        r"\b(?:[Oo]f|among) 100\b(?= [a-z])",
    ]
)


@pytest.mark.parametrize("number, fact", [(n, fact) for n in FACTS for fact in FACTS[n]], ids=str)
def test_a_fact_stands_in_its_notebook(number, fact):
    text, source = fact
    assert sentence(number, text) and source


@pytest.mark.parametrize("number, setting", [(n, each) for n in SETTINGS for each in SETTINGS[n]])
def test_a_setting_in_the_words_is_one_in_the_code(number, setting):
    text, code = setting
    assert sentence(number, text)
    assert any(code in cell.source for cell in cells(number, "code"))


@pytest.mark.parametrize("number", FACTS)
def test_every_number_in_the_prose_is_held_by_a_claim_or_has_a_source(number):
    held = [text for text, _ in FACTS[number] + SETTINGS[number]]
    for node in ast.walk(ast.parse((HERE / f"test_claims_{number}.py").read_text("utf-8"))):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "sentence":
            held.append(one_line(node.args[1].value))
    for cell in cells(number, "markdown"):
        left = list(cell.source)
        for text in held:
            anywhere = r"\s+".join(map(re.escape, text.split()))  # wherever its lines break
            for found in re.finditer(anywhere, cell.source):
                left[found.start() : found.end()] = re.sub(r"\d", "#", found[0])
        left = re.sub(BARE, "", "".join(left), flags=re.S | re.M)
        assert not re.search(r"\d", left), left
