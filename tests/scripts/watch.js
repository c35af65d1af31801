(box) => {
  const watch = (window.watch = {}),
    find = (name) => box.querySelector(name);
  const bar = find(".miaedu-progress"),
    panels = find(".miaedu-panels");
  const painted = () =>
    new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
  const press = ({ timeStamp }) =>
    Object.assign(watch, { pressed: timeStamp, first: null, final: null });
  addEventListener("keydown", press, { capture: true });
  new MutationObserver(async (changes) => {
    const { pressed } = watch,
      fresh = changes.some(({ target }) => panels.contains(target));
    if (!pressed || (!fresh && (watch.first || !bar.checkVisibility({ visibilityProperty: true }))))
      return;
    await painted();
    const took = performance.now() - pressed;
    watch.first ??= took;
    if (fresh) watch.final = took;
  }).observe(box, { childList: true, subtree: true, attributes: true });
}
