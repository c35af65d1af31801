// What ipywidgets leaves out: a slider's handle has no name, and speaks its position for its value.
const HANDLE = ".noUi-handle, .ui-slider-handle";

function set(part, name, value) {
  if (part.getAttribute(name) !== value) part.setAttribute(name, value);
}

function improve(root) {
  for (const part of root.querySelectorAll(`select, input, summary, ${HANDLE}`)) {
    set(part, "data-lm-suppress-shortcuts", "true"); // or JupyterLab takes its arrow keys
  }
  for (const silent of root.querySelectorAll('[title="null"]')) silent.removeAttribute("title");
  for (const slider of root.querySelectorAll(".widget-slider")) {
    const [handle, label, readout] = [HANDLE, ".widget-label", ".widget-readout"].map((part) =>
      slider.querySelector(part),
    );
    if (!handle || !label || !readout) continue;
    set(handle, "aria-label", label.textContent.trim());
    set(handle, "aria-valuetext", readout.textContent.trim());
    set(readout, "aria-label", label.textContent.trim());
    set(readout, "contenteditable", "false");
  }
}

function render({ el }) {
  el.style.display = "none";
  let waiting;
  const observer = new MutationObserver((changes) => {
    if (changes.some(({ target }) => !target.parentElement?.closest("figure"))) start();
  });
  const what = {
    subtree: true,
    childList: true,
    characterData: true,
    attributeFilter: ["aria-valuetext", "title", "contenteditable"],
  };
  const start = () => {
    const root = el.closest(".miaedu-explorer");
    if (!root) return void (waiting = setTimeout(start, 50)); // not on the page yet
    improve(root);
    observer.observe(root, what);
  };
  start();
  return () => {
    clearTimeout(waiting);
    observer.disconnect();
  };
}

export default { render };
