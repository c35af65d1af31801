() => {
  window.complaints = [];
  const { kernel } = jupyterapp.shell.currentWidget.sessionContext.session;
  kernel.iopubMessage.connect((_, { header, content }) => {
    if (header.msg_type === "error") complaints.push(content.traceback.join("\n"));
    if (header.msg_type !== "stream" || content.name !== "stderr") return;
    // JupyterLab asks for widgets as soon as it opens a notebook; the kernel may not know of them.
    if (!content.text.startsWith("No such comm")) complaints.push(content.text);
  });
}
