() => {
  const start = performance.now(),
    look = () => {
      if (!document.querySelector(".miaedu-panels svg")) return requestAnimationFrame(look);
      window.firstExplorer = (performance.now() - start) / 1000;
    };
  look();
}
