// Clicking a header sorts: the largest number first, words from A; then the other way round; then as it was.
// Without JavaScript the tables are as they are. The page may be a file of its own, so this is no module.
"use strict";

{
  const UNITS = { k: 1e3, M: 1e6, G: 1e9, T: 1e12, Ki: 1024 };
  const words = new Intl.Collator("en", { numeric: true });

  // The number that a cell begins with, in its unit; NaN where it begins with none, as a shape does.
  function number(text) {
    const found = /^[×+]?([-−]?)(\d[\d,]*(?:\.\d+)?)(?![\dx])(?: (k|M|G|T|Ki)\b)?/.exec(text);
    if (!found) return NaN;
    return (found[1] ? -1 : 1) * Number(found[2].replaceAll(",", "")) * (UNITS[found[3]] ?? 1);
  }

  function compare(a, b) {
    return number(a) - number(b) || words.compare(a, b);
  }

  function makeSortable(table) {
    const [body] = table.tBodies;
    const heads = [...table.tHead.rows[0].cells];
    const rows = [...body.rows];
    const totals = rows.filter((row) => row.cells[0].querySelector("strong"));
    const others = rows.filter((row) => !totals.includes(row));
    const text = (row, column) => row.cells[column].textContent.trim();
    const isKnown = (row, column) => !["", "-", "?"].includes(text(row, column));

    function order(column, way) {
      const sign = way === "descending" ? -1 : 1;
      const known = others.filter((row) => isKnown(row, column));
      known.sort((one, other) => sign * compare(text(one, column), text(other, column)));
      return [...known, ...others.filter((row) => !isKnown(row, column)), ...totals];
    }

    function sort(column) {
      const hasNumbers = others.some((row) => !Number.isNaN(number(text(row, column))));
      const ways = hasNumbers ? ["none", "descending", "ascending"] : ["none", "ascending", "descending"];
      const way = ways[(ways.indexOf(heads[column].ariaSort) + 1) % ways.length];
      heads.forEach((head, place) => (head.ariaSort = place === column ? way : "none"));
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
  }

  for (const table of document.querySelectorAll("article table.docutils")) {
    if (table.tHead && table.tBodies[0]?.rows.length > 2) makeSortable(table);
  }
}
