// A saved page: its data hold a frame for each position of each preset.
const { fields, lines, frames, markup } = JSON.parse(document.getElementById("data").textContent);
const places = document.forms[0].elements; // of the knob and, if there are several, the preset
const been = new Set(); // the frames that the reader has seen

function show() {
  const preset = Number(places.preset?.value ?? 0);
  const position = Number(places.knob.value);
  const number = preset * fields.knob.labels.length + position;
  const { parts, points, words, numbers, code } = frames[number];
  const drawn = Object.entries(parts).map(([id, place]) => [id, markup[place]]);
  showFrame(document, { parts: Object.fromEntries(drawn), words });
  showNumbers(document, numbers);
  for (const [id, line] of Object.entries(lines)) {
    const before = [...been].filter((other) => other !== number);
    const left = before.flatMap((other) => frames[other].left[preset][id] ?? []);
    grow(document.getElementById(id), line, [...new Set([...points[id], ...left])]);
  }
  been.add(number);
  document.querySelector(".miaedu-code code").textContent = code;
  const output = document.querySelector("output");
  if (output) output.textContent = fields.knob.labels[position];
  if (output) places.knob.setAttribute("aria-valuetext", output.textContent);
}

// Draw a line, some markup of which is given, with markers at these points, texts of "x y".
function grow(group, line, points) {
  group.innerHTML = points.length ? line : "";
  if (!points.length) return;
  points.sort((a, b) => parseFloat(a) - parseFloat(b));
  group.querySelector(":scope > path")?.setAttribute("d", `M ${points.join(" L ")}`);
  const marker = group.querySelector("use");
  const markers = points.map((point) => {
    const copy = marker.cloneNode();
    ["x", "y"].forEach((name, i) => copy.setAttribute(name, point.split(" ")[i]));
    return copy;
  });
  marker.parentNode.replaceChildren(...markers);
}

// Keep the room of the longest text, so that nothing below jumps.
function reserve(element, texts) {
  const room = document.createElement("div");
  room.className = "room";
  element.replaceWith(room);
  const unseen = [...new Set(texts)].map((text) => {
    const copy = element.cloneNode();
    copy.textContent = text;
    copy.style.visibility = "hidden";
    return copy;
  });
  room.append(element, ...unseen);
}

// The address tells the position: #epochs=8&preset=large. Without one the page is as it opened.
const opening = Object.keys(fields).map((field) => [field, places[field].value]);
function readAddress() {
  const told = new URLSearchParams(location.hash.slice(1));
  if (!location.hash) for (const [field, place] of opening) places[field].value = place;
  for (const [field, { name, labels }] of Object.entries(fields)) {
    const place = labels.indexOf(told.get(name));
    if (place >= 0) places[field].value = place;
  }
  show();
}

function writeAddress() {
  const told = Object.entries(fields).map(([field, { name, labels }]) => [
    name,
    labels[places[field].value],
  ]);
  history.replaceState(null, "", `#${new URLSearchParams(told)}`);
}

function tellHeight() {
  const { height } = document.documentElement.getBoundingClientRect();
  parent.postMessage({ miaedu: Math.ceil(height) }, "*");
}

// The page is dark where its reader's system is. A page around it that has a switch of its own may
// send { scheme: "dark" } or { scheme: "light" }.
function obey({ data, source }) {
  if (source !== parent || !["dark", "light"].includes(data?.scheme)) return;
  document.getElementById("dark").media = data.scheme === "dark" ? "all" : "not all";
  document.documentElement.style.colorScheme = data.scheme;
}

for (const [name, of] of [
  [".miaedu-words", "words"],
  [".miaedu-numbers p", "numbers"],
  [".miaedu-code code", "code"],
]) {
  reserve(document.querySelector(name), frames.map((frame) => frame[of]));
}
document.forms[0].addEventListener("input", show);
document.forms[0].addEventListener("change", writeAddress);
addEventListener("hashchange", readAddress);
addEventListener("message", obey);
new ResizeObserver(tellHeight).observe(document.documentElement);
readAddress();
tellHeight(); // an observer sleeps in a frame that is scrolled out of sight
