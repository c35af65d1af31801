"""How nbgrader prepares a submission before it runs it: hidden tests are put back without being
taken for a change of the student's, and odd cells stop nobody's grading."""

from copy import deepcopy


def sanitizing():
    """The steps that nbgrader takes with a submission before it runs it, for its configuration.

    They are its own, but for one. A gradebook keeps each test with its hidden part, so nbgrader's
    ``OverwriteCells`` warns of every test as handed out that it "has changed", and a test that a
    student did change is one warning among many. Here a test as handed out gets its hidden part
    without a word. A copy of a cell, and a cell of another lab, become plain cells, since what
    nbgrader leaves of their metadata would stop the grading of the whole class. Where tests are
    missing, a warning says so. ImportError: nbgrader, of the extra ``teach``, is not installed.
    """
    from nbgrader.api import MissingEntry
    from nbgrader.converters import Autograde
    from nbgrader.preprocessors import ClearHiddenTests, OverwriteCells

    class PutHiddenTestsBack(OverwriteCells):
        def preprocess(self, nb, resources):
            nb, resources = super().preprocess(nb, resources)
            about = resources["nbgrader"]
            with self.gradebook:
                kept = self.gradebook.find_notebook(self.notebook_id, self.assignment_id)
                asked = [cell.name for cell in kept.grade_cells]
            if told := about_missing(asked, nb.cells):
                self.log.warning("%s of %s: %s", self.notebook_id, about["student"], told)
            return nb, resources

        def preprocess_cell(self, cell, resources, index):
            name = cell.metadata.get("nbgrader", {}).get("grade_id")
            try:
                kept = self.gradebook.find_source_cell(name, self.notebook_id, self.assignment_id)
            except MissingEntry:  # a cell of the student's own, a copy, or one of another lab
                cell.metadata.pop("nbgrader", None)
                return cell, resources
            handed_out = deepcopy(cell)
            handed_out.source = kept.source
            ClearHiddenTests(parent=self).preprocess_cell(handed_out, resources, index)
            if kept.locked and cell.source == handed_out.source:
                cell.source = kept.source
            return super().preprocess_cell(cell, resources, index)

    steps = Autograde.sanitize_preprocessors.default()
    return [PutHiddenTestsBack if step is OverwriteCells else step for step in steps]


def about_missing(asked, cells):
    """What to say of a submission whose cells lack some of the graded ones that are asked for;
    nothing where it lacks none.

    >>> about_missing(["00-q1-check"], [])
    "no cell of this lab is in it: is it the course's own notebook? It gets 0 points"
    """
    there = {cell.metadata.get("nbgrader", {}).get("grade_id") for cell in cells}
    missing = [name for name in asked if name not in there]
    if not missing:
        return ""
    if len(missing) == len(asked):
        return "no cell of this lab is in it: is it the course's own notebook? It gets 0 points"
    return f"{', '.join(missing)} not in it, and 0 points there"
