(part) => {
  const look = getComputedStyle(part);
  return [look.outline, look.boxShadow, look.backgroundColor].join();
}
