(group, markup) => {
  const other = group.cloneNode();
  other.innerHTML = markup;
  return other.innerHTML === group.innerHTML;
}
