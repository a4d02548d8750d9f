// Labels stay where a wide table is scrolled; what has gone under them is shaded then.
for (const box of document.querySelectorAll(".scroll")) {
  box.addEventListener("scroll", () => box.classList.toggle("scrolled", box.scrollLeft > 0), { passive: true });
}
