(box) => {
  // what is wrong with the letters in the picture
  const found = [];
  for (const svg of box.querySelectorAll(".miaedu-panels svg")) {
    const paper = svg.getBoundingClientRect();
    for (const text of svg.querySelectorAll("text")) {
      const place = text.getBoundingClientRect(),
        size = parseFloat(getComputedStyle(text).fontSize);
      if (
        place.left < paper.left - 1 ||
        place.right > paper.right + 1 ||
        place.top < paper.top - 1 ||
        place.bottom > paper.bottom + 1
      )
        found.push(`"${text.textContent}" is cut off at the edge`);
      if (size * svg.getScreenCTM().a < 12)
        found.push(`"${text.textContent}" is smaller than 9 points`);
    }
  }
  const paper = getComputedStyle(box.querySelector(".miaedu-panels")).backgroundColor;
  if (paper !== "rgb(255, 255, 255)") found.push(`the paper is ${paper}`);
  return found;
}
