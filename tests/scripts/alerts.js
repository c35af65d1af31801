(box) => {
  window.alerts = [];
  new MutationObserver(() =>
    box.querySelectorAll("[role=alert]").forEach((alert) => alerts.push(alert.innerText)),
  ).observe(box, { childList: true, subtree: true });
}
