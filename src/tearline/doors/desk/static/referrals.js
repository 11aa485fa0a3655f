// The seconds that are left to undo, and the field that a decision begins with. Without it all works the same.
"use strict";
(() => {
  const kept = new WeakMap();

  function count() {
    for (const each of document.querySelectorAll("[data-gone-after]")) {
      if (!kept.has(each)) kept.set(each, performance.now() + 1000 * Number(each.dataset.goneAfter));
      const left = Math.ceil((kept.get(each) - performance.now()) / 1000);
      each.querySelector(".seconds").textContent = `${Math.max(0, left)} s`;
      if (left <= 0) each.hidden = true;
    }
  }

  // At once, so that nothing of a reason that is typed straight after the key is lost.
  document.addEventListener("click", (event) => {
    const choice = event.target.closest("details[name=decide] > summary")?.parentElement;
    if (!choice) return;
    event.preventDefault();
    choice.open = !choice.open;
    if (choice.open) choice.querySelector("[name=why]")?.focus();
  });
  setInterval(count, 500);
  count();
})();
