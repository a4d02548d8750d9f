// Picked columns stand out in all charts that have a line a column; a pointer picks for a moment.
const names = [...document.querySelectorAll(".columns .name")];
const picked = new Set();
const bringOut = (column) => {
  const shown = new Set(picked);
  if (column !== null) shown.add(column);
  for (const chart of document.querySelectorAll(".columns")) {
    chart.classList.toggle("picked", shown.size > 0);
    for (const one of chart.querySelectorAll("[data-column]")) one.classList.toggle("on", shown.has(one.dataset.column));
  }
};
for (const name of names) {
  const { column } = name.dataset;
  name.addEventListener("click", () => {
    if (!picked.delete(column)) picked.add(column);
    for (const one of names) if (one.dataset.column === column) one.setAttribute("aria-pressed", picked.has(column));
    bringOut(null);
  });
  name.addEventListener("pointerenter", (event) => { if (event.pointerType === "mouse") bringOut(column); });
  name.addEventListener("pointerleave", () => bringOut(null));
}
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  picked.clear();
  for (const one of names) one.setAttribute("aria-pressed", "false");
  bringOut(null);
});
