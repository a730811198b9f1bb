// A formula wider than the page can be scrolled, so the keyboard must reach it.
const reach = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
    else target.removeAttribute("tabindex");
  }
});
addEventListener("load", async () => {
  await window.MathJax?.startup?.promise;
  document.querySelectorAll("mjx-container").forEach((formula) => reach.observe(formula));
});
