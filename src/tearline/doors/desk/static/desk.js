// Keys and the theme. Every key only presses what is on the page already: without this script nothing is lost.
"use strict";
(() => {
  const stored = (name) => { try { return localStorage.getItem(name); } catch { return null; } };
  const store = (name, value) => { try { localStorage.setItem(name, value); } catch { /* private window */ } };
  const root = document.documentElement;
  if (stored("theme")) root.dataset.theme = stored("theme");
  const dark = () => root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  const on = () => stored("keys") !== "off"; // WCAG 2.2, 2.1.4: keys of one letter can be turned off
  const typing = (target) => target.closest("input, textarea, select, [contenteditable], dialog[open]");
  const rows = () => [...document.querySelectorAll("[data-row]")];
  let row = -1, going = 0;

  function move(by) {
    const all = rows();
    if (!all.length) return;
    all[row]?.classList.remove("here");
    row = Math.min(all.length - 1, Math.max(0, row + by));
    all[row].classList.add("here");
    (all[row].querySelector("a, button, input") ?? all[row]).focus();
  }

  function help() {
    const dialog = document.getElementById("keys"), list = dialog.querySelector("[data-keys-list]");
    const texts = document.getElementById("keys-texts").content.firstElementChild.dataset;
    const found = [["?", texts.help], ...(document.querySelector("[type=search]") ? [["/", texts.search]] : []),
      ...(rows().length ? [["j", texts.down], ["k", texts.up]] : []),
      ...[...document.querySelectorAll("[data-key]")].map((each) => [each.dataset.key, each.dataset.keySays ?? each.textContent.replace(/\s*\S$/, (end) => each.querySelector("kbd") ? "" : end).trim()]),
      ...[...document.querySelectorAll("[data-go]")].map((each) => ["g " + each.dataset.go, each.textContent.trim()])];
    list.replaceChildren(...found.flatMap(([key, says]) => {
      const term = document.createElement("dt"), told = document.createElement("dd"), cap = document.createElement("kbd");
      cap.textContent = key; term.append(cap); told.textContent = says;
      return [term, told];
    }));
    dialog.querySelector("[data-keys-switch]").checked = on();
    dialog.showModal();
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !on() || typing(event.target)) return;
    const within = going && event.timeStamp - going < 1500;
    going = 0;
    const pressed = within ? document.querySelector(`[data-go="${CSS.escape(event.key)}"]`)
      : document.querySelector(`[data-key="${CSS.escape(event.key)}"]:not(:disabled)`);
    if (pressed) { event.preventDefault(); if (/^(INPUT|TEXTAREA|SELECT)$/.test(pressed.tagName)) pressed.focus(); else pressed.click(); }
    else if (event.key === "g") going = event.timeStamp;
    else if (event.key === "?") help();
    else if (event.key === "/") { const search = document.querySelector("[type=search]"); if (search) { event.preventDefault(); search.focus(); } }
    else if (event.key === "j") move(1);
    else if (event.key === "k") move(-1);
  });

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-theme-switch]")) { root.dataset.theme = dark() ? "light" : "dark"; store("theme", root.dataset.theme); }
    if (event.target.closest("[data-keys-help]")) help();
    for (const open of document.querySelectorAll("details.who[open]")) if (!open.contains(event.target)) open.open = false;
  });
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-keys-switch]")) store("keys", event.target.checked ? "on" : "off");
    if (event.target.matches("[data-submits]")) event.target.form.requestSubmit();
  });
})();
