(control) => {
  // to and fro
  if (control.type === "checkbox") return "Space";
  const [now, max] = [Number(control.ariaValueNow), Number(control.ariaValueMax)];
  control.back = now > 0 && (now >= max || control.back);
  return control.back ? "ArrowLeft" : "ArrowRight";
}
