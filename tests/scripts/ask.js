async (code) => {
  const kernel = jupyterapp.shell.currentWidget.sessionContext.session.kernel,
    said = [];
  const asked = kernel.requestExecute({ code, store_history: false });
  asked.onIOPub = ({ content }) => said.push(content.text ?? content.traceback?.join("\n") ?? "");
  const { content } = await asked.done;
  if (content.status !== "ok") throw Error(said.join(""));
  return said.join("");
}
