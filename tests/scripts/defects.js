(box, texts) => {
  const found = [],
    shown = (part) => part.checkVisibility({ visibilityProperty: true });
  const name = (part) => (part.innerText || part.ariaLabel || part.tagName).slice(0, 40);
  const all = texts + ", .noUi-target, .noUi-handle, progress, select, input, .miaedu-panels svg";
  const parts = Array.from(box.querySelectorAll(all)).filter(shown);
  const places = parts.map((part) => part.getBoundingClientRect());
  const crossing = (p, q) =>
    Math.min(p.right, q.right) - Math.max(p.left, q.left) > 1 &&
    Math.min(p.bottom, q.bottom) - Math.max(p.top, q.top) > 1;
  parts.forEach((part, i) => {
    for (let j = 0; j < i; j++) {
      if (crossing(places[i], places[j]) && !part.contains(parts[j]) && !parts[j].contains(part))
        found.push(`"${name(parts[j])}" and "${name(part)}" overlap`);
    }
    if (part.matches(texts) && part.clientWidth && part.scrollWidth > part.clientWidth)
      found.push(`the text "${name(part)}" is cut`);
    for (let frame = part.parentElement; frame; frame = frame.parentElement) {
      if (!frame.clientWidth || getComputedStyle(frame).overflowX === "visible") continue;
      const left = frame.getBoundingClientRect().left + frame.clientLeft;
      if (places[i].left < left - 1 || places[i].right > left + frame.clientWidth + 1)
        found.push(`"${name(part)}" is clipped`);
    }
  });
  for (let frame = box; frame; frame = frame.parentElement) {
    if (
      ["auto", "scroll"].includes(getComputedStyle(frame).overflowX) &&
      frame.scrollWidth > frame.clientWidth
    )
      found.push("a horizontal scroll bar");
  }
  const pen = document.createElement("canvas").getContext("2d");
  for (const menu of box.querySelectorAll("select")) {
    pen.font = getComputedStyle(menu).font;
    for (const option of menu.options) {
      // beside the text: the padding, and an arrow of about its height
      if (pen.measureText(option.text).width + 30 > menu.clientWidth)
        found.push(`the option "${option.text}" is cut`);
    }
  }
  if (box.querySelector("[title=null]")) found.push('a tooltip says "null"');
  return found;
}
