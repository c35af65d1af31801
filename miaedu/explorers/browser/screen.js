function render({ model, el }) {
  el.innerHTML = model.get("html");
  const find = (name) => el.querySelector(name);

  const show = {
    frame(frame) {
      if (!frame.parts) return;
      showFrame(el, frame);
      find(".miaedu-code code").textContent = frame.code;
    },
    numbers(text) {
      showNumbers(el, text);
    },
    message(text) {
      const alert = document.createElement("p");
      alert.setAttribute("role", "alert");
      alert.textContent = text;
      find(".miaedu-message").replaceChildren(...(text ? [alert] : []));
    },
    note(text) {
      find(".miaedu-note").textContent = text;
      find(".miaedu-note").hidden = !text;
    },
    progress(share) {
      const busy = share !== null;
      find(".miaedu-progress").value = share ?? 0;
      find(".miaedu-progress").classList.toggle("miaedu-busy", busy);
      find(".miaedu-figure").setAttribute("aria-busy", busy);
    },
  };

  const listeners = Object.entries(show).map(([name, put]) => {
    const listener = () => put(model.get(name));
    model.on(`change:${name}`, listener);
    listener();
    return () => model.off(`change:${name}`, listener);
  });
  return () => listeners.forEach((stop) => stop());
}

export default { render };
