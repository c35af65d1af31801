() => {
  window.finished = null;
  jupyterapp.commands.execute("notebook:run-all-cells").then(() => {
    window.finished = true;
  });
}
