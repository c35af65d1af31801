// Twins: each tells the height that it needs, and is told whether it is dark here.
const twins = () => [...document.querySelectorAll(".miaedu-twin iframe")];
const root = document.documentElement;

function tellScheme({ contentWindow }) {
  contentWindow.postMessage({ scheme: root.dataset.theme }, "*");
}

addEventListener("message", ({ data, source }) => {
  const twin = twins().find(({ contentWindow }) => contentWindow === source);
  if (!twin || !data?.miaedu) return;
  twin.style.height = data.miaedu + "px";
  tellScheme(twin);
});
new MutationObserver(() => twins().forEach(tellScheme)).observe(root, {
  attributeFilter: ["data-theme"],
});

// The lines to embed a twin, with the address that it has here.
addEventListener("DOMContentLoaded", () => {
  for (const twin of document.querySelectorAll(".miaedu-twin")) {
    const { src } = twin.querySelector("iframe");
    const lines = twin.querySelector(".miaedu-embed");
    lines.textContent = lines.textContent.replace(/src="[^"]*"/, `src="${src}"`);
  }
});

// On a phone: a tap on a picture makes it large, or small again.
addEventListener("click", ({ target }) => {
  if (target.matches(".cell_output img")) target.classList.toggle("large");
});
