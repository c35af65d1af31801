const frames = JSON.parse(document.getElementById("frames").textContent);
const knob = document.getElementById("knob");

function show() {
  const frame = frames[knob.value];
  showFrame(document, frame);
  showNumbers(document, frame.numbers);
  document.getElementById("value").textContent = frame.value;
  knob.setAttribute("aria-valuetext", frame.value);
}

knob.addEventListener("input", show);
show();
