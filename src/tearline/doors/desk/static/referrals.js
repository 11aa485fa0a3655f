// The seconds that are left to undo, and the field that a decision begins with. Without it all works the same.
"use strict";
(() => {
  const began = performance.now(), kept = new WeakMap();

  function count() {
    for (const each of document.querySelectorAll("[data-gone-after]")) {
      if (!kept.has(each)) kept.set(each, performance.now() + 1000 * Number(each.dataset.goneAfter));
      const left = Math.ceil((kept.get(each) - performance.now()) / 1000);
      each.querySelector(".seconds").textContent = `${Math.max(0, left)} s`;
      if (left <= 0) each.hidden = true;
    }
  }

  document.addEventListener("toggle", (event) => {
    if (event.target.matches?.("details[name=decide]") && event.target.open && performance.now() - began > 300)
      event.target.querySelector("[name=why]")?.focus();
  }, true);
  setInterval(count, 500);
  count();
})();
