async ([box, quiet, limit]) => {
  const bar = box.querySelector(".miaedu-progress"),
    start = performance.now();
  const busy = () => bar?.checkVisibility({ visibilityProperty: true });
  for (let last = start, seen = ""; performance.now() - last < quiet || busy();) {
    if (performance.now() - start > limit) throw Error("the explorer did not settle");
    await new Promise((resolve) => setTimeout(resolve, 25));
    if (box.innerHTML !== seen) [last, seen] = [performance.now(), box.innerHTML];
  }
}
