(name) => {
  const panel = window.jupyterapp?.shell?.currentWidget,
    kernel = panel?.sessionContext?.session?.kernel;
  return (
    panel?.context?.path === name &&
    panel.context.isReady &&
    kernel?.connectionStatus === "connected" &&
    kernel.status === "idle"
  );
}
