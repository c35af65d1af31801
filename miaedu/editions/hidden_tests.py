"""How nbgrader puts the hidden tests back at grading, without taking them for a change of the
student's."""

from copy import deepcopy


def sanitizing():
    """The steps that nbgrader takes with a submission before it runs it, for its configuration.

    They are its own, but for one. A gradebook keeps each test with its hidden part, so nbgrader's
    ``OverwriteCells`` warns of every test as handed out that it "has changed", and a test that a
    student did change is one warning among many. Here a test as handed out gets its hidden part
    without a word. ImportError: nbgrader, of the extra ``teach``, is not installed.
    """
    from nbgrader.api import MissingEntry
    from nbgrader.converters import Autograde
    from nbgrader.preprocessors import ClearHiddenTests, OverwriteCells

    class PutHiddenTestsBack(OverwriteCells):
        def preprocess_cell(self, cell, resources, index):
            name = cell.metadata.get("nbgrader", {}).get("grade_id")
            try:
                kept = self.gradebook.find_source_cell(name, self.notebook_id, self.assignment_id)
            except MissingEntry:  # a cell of the student's own
                return super().preprocess_cell(cell, resources, index)
            handed_out = deepcopy(cell)
            handed_out.source = kept.source
            ClearHiddenTests(parent=self).preprocess_cell(handed_out, resources, index)
            if kept.locked and cell.source == handed_out.source:
                cell.source = kept.source
            return super().preprocess_cell(cell, resources, index)

    steps = Autograde.sanitize_preprocessors.default()
    return [PutHiddenTestsBack if step is OverwriteCells else step for step in steps]
