// An identity is not left on a screen: its page empties itself after its time, and when it comes back from a history.
"use strict";
(() => {
  const shown = document.querySelector("[data-closes]");
  const close = () => { shown.replaceChildren(); location.replace(shown.dataset.to); };
  setTimeout(close, 1000 * Number(shown.dataset.closes));
  addEventListener("pagehide", () => shown.replaceChildren());
  addEventListener("pageshow", (event) => { if (event.persisted) close(); });
})();
