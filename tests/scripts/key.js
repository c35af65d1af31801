(control) =>
  control.type === "checkbox"
    ? "Space"
    : control.options
      ? control.selectedIndex < control.options.length - 1
        ? "ArrowDown"
        : "ArrowUp"
      : control.ariaValueNow < control.ariaValueMax * 1
        ? "ArrowRight"
        : "ArrowLeft"
