// Clicking a header sorts: the largest number first, words from A; then the other way round; then as it was.
const table = document.querySelector("table");
const [body] = table.tBodies;
const heads = [...table.tHead.rows[0].cells];
const rows = [...body.rows];
const names = rows.map((row) => row.cells[0].textContent);
const words = new Intl.Collator("en", { numeric: true });
const whole = /^-?\d+$/;
const isTree = rows.some((row) => row.dataset.path);

function value(row, column) {
  const cell = row.cells[column];
  return cell.dataset.value ?? (column ? cell.textContent : (row.dataset.path ?? cell.textContent));
}

function compare(one, other) {
  if (whole.test(one) && whole.test(other)) {
    const apart = BigInt(one) - BigInt(other);
    return apart > 0n ? 1 : apart < 0n ? -1 : 0;
  }
  return Number(one) - Number(other) || words.compare(one, other);
}

function order(column, way) {
  const known = rows.filter((row) => value(row, column) !== "");
  const unknown = rows.filter((row) => value(row, column) === "");
  const sign = way === "descending" ? -1 : 1;
  known.sort((one, other) => sign * compare(value(one, column), value(other, column)));
  return [...known, ...unknown];
}

function sort(column) {
  const numbers = rows.some((row) => row.cells[column].dataset.value);
  const ways = numbers ? ["none", "descending", "ascending"] : ["none", "ascending", "descending"];
  const way = ways[(ways.indexOf(heads[column].ariaSort) + 1) % ways.length];
  heads.forEach((head, number) => (head.ariaSort = number === column ? way : "none"));
  table.classList.toggle("sorted", way !== "none");
  rows.forEach((row, number) => {
    row.cells[0].textContent = way === "none" ? names[number] : (row.dataset.path ?? names[number]);
  });
  body.append(...(way === "none" ? rows : order(column, way)));
}

heads.forEach((head, column) => {
  const button = document.createElement("button");
  button.type = "button";
  button.append(...head.childNodes);
  button.addEventListener("click", () => sort(column));
  head.append(button);
  head.ariaSort = "none";
});

const hint = document.createElement("p");
hint.className = "hint";
hint.textContent = isTree
  ? "Click a header to sort the layers by it, without their blocks; the third click brings back the tree."
  : "Click a header to sort by it; the third click brings back the first order.";
table.parentElement.before(hint);
