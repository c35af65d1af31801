// Put a frame in its place: the moving parts of a picture, and its words. Explorers and saved pages
// share this.
function showFrame(root, { parts, words }) {
  const figure = root.querySelector(".miaedu-figure");
  for (const [id, markup] of Object.entries(parts)) {
    figure.querySelector(`[id="${id}"]`).innerHTML = markup;
  }
  figure.querySelector("[role=img]").setAttribute("aria-label", words);
  figure.querySelector(".miaedu-words").textContent = words;
}

function showNumbers(root, numbers) {
  const folded = root.querySelector(".miaedu-numbers");
  folded.hidden = !numbers;
  folded.querySelector("p").textContent = numbers;
}
