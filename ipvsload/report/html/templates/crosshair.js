// A crosshair over all charts of a run: pointer or arrow keys, values in the legends.
for (const panel of document.querySelectorAll(".panel")) {
  const end = Number(panel.dataset.end);
  const plots = [...panel.querySelectorAll(".plot")];
  let at = null;

  const points = (path) => {
    if (path.known) return path.known;
    const found = [];
    let x = 0, y = 0;
    for (const [, command, a, b] of path.getAttribute("d").matchAll(/([MLHV])(-?\d+)(?: (-?\d+))?/g)) {
      if (command === "H") x = Number(a);
      else if (command === "V") y = Number(a);
      else {
        if (command === "M" && found.length) found.push([x, null]); // nothing is known in between
        x = Number(a); y = Number(b);
      }
      found.push([x, y]);
    }
    return (path.known = found);
  };

  const value = (plot, path) => {
    let last = null;
    for (const point of points(path)) {
      if (point[0] > at * 1000) break;
      last = point[1];
    }
    if (last === null) return "";
    const part = 1 - last / 1000, low = Number(plot.dataset.low), high = Number(plot.dataset.high);
    const real = "log" in plot.dataset ? low * (high / low) ** part : low + part * (high - low);
    return String(Number(real.toPrecision(real < high / 300 ? 1 : 3)));
  };

  const show = () => {
    panel.querySelector(".when").textContent = at === null ? "" : `at ${(at * end).toFixed(2)} s`;
    for (const plot of plots) {
      const cursor = plot.querySelector(".cursor");
      cursor.hidden = at === null;
      if (at !== null) cursor.style.left = `${at * 100}%`;
      for (const output of plot.closest("figure").querySelectorAll("output")) {
        const path = [...plot.querySelectorAll("path[data-name]")].find((p) => p.dataset.name === output.dataset.name);
        output.textContent = at === null || !path ? "" : value(plot, path);
      }
    }
  };

  const move = (to) => { at = to === null ? null : Math.min(1, Math.max(0, to)); show(); };
  for (const plot of plots) {
    plot.addEventListener("pointermove", (event) => {
      const box = plot.getBoundingClientRect();
      move((event.clientX - box.left) / box.width);
    });
    plot.addEventListener("pointerleave", () => move(null));
  }
  panel.addEventListener("blur", () => move(null));
  panel.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -0.01, ArrowRight: 0.01 }[event.key];
    if (by) { move((at ?? 0) + by); event.preventDefault(); }
    if (event.key === "Escape") move(null);
  });
}
