() =>
  Array.from(jupyterapp.shell.currentWidget.content.model.cells)
    .map((cell) => cell.toJSON())
    .filter((cell) => cell.cell_type === "code")
