(control) =>
  Array.from(control.closest(".lm-Widget").querySelectorAll(".widget-label, .widget-label-basic"))
    .map((label) => label.innerText.replace("​", "").trim())
    .find((text) => text)
