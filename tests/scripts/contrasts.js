(box, texts) => {
  // contrast ratios of WCAG 2.2, each colour painted over what lies behind it
  const pen = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const paint = (colour) => {
    pen.fillStyle = colour;
    pen.fillRect(0, 0, 1, 1);
  };
  const linear = (c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
  const light = () => {
    const [red, green, blue] = Array.from(pen.getImageData(0, 0, 1, 1).data, (value) =>
      linear(value / 255),
    );
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const read = (part) => part.checkVisibility() && part.innerText.trim();
  return Array.from(box.querySelectorAll(texts))
    .filter(read)
    .map((part) => {
      const behind = [];
      for (let at = part; at; at = at.parentElement)
        behind.unshift(getComputedStyle(at).backgroundColor);
      ["white", ...behind].forEach(paint);
      const back = light();
      paint(getComputedStyle(part).color);
      const [dark, bright] = [back, light()].sort((a, b) => a - b);
      return [part.innerText.slice(0, 40), (bright + 0.05) / (dark + 0.05)];
    });
}
