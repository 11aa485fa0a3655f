// Line numbers beside the texts of an agreement, and the way from a finding to its line.
"use strict";
(() => {
  const texts = [...document.querySelectorAll(".numbered textarea")];

  function number(text) {
    const gutter = text.previousElementSibling, count = text.value.split("\n").length;
    if (gutter.childElementCount !== count) {
      gutter.replaceChildren(...Array.from({ length: count }, (_, line) => {
        const each = document.createElement("span");
        each.textContent = `${line + 1}\n`;
        return each;
      }));
    }
    gutter.scrollTop = text.scrollTop;
    marked(text);
  }

  function marked(text) {
    const lines = [...text.previousElementSibling.children];
    for (const each of lines) each.className = "";
    for (const finding of document.querySelectorAll(`#checks a[href="#${text.id}"]`)) {
      lines[finding.dataset.line - 1]?.classList.add("found");
    }
  }

  function jump(finding) {
    const text = document.getElementById(finding.hash.slice(1)), lines = text.value.split("\n");
    const line = Math.min(Number(finding.dataset.line), lines.length) - 1;
    // Columns count characters; a selection counts units of UTF-16.
    const units = (from, to) => [...lines[line]].slice(from, to).join("").length;
    const column = Number(finding.dataset.column) - 1;
    const start = lines.slice(0, line).reduce((sum, each) => sum + each.length + 1, 0) + units(0, column);
    text.focus();
    text.setSelectionRange(start, start + units(column, column + Number(finding.dataset.length)));
    text.scrollTop = Math.max(0, (line - 3) * parseFloat(getComputedStyle(text).lineHeight));
    number(text);
  }

  function layOut() {
    const text = document.getElementById("clauses");
    text.value = document.getElementById("formatted").textContent;
    text.dispatchEvent(new Event("input", { bubbles: true }));
    text.focus();
  }

  function refresh() {
    for (const text of texts) number(text);
    for (const button of document.querySelectorAll("[data-lay-out]")) button.hidden = false;
  }

  for (const text of texts) {
    text.addEventListener("input", () => number(text));
    text.addEventListener("scroll", () => { text.previousElementSibling.scrollTop = text.scrollTop; });
  }
  document.addEventListener("click", (event) => {
    const finding = event.target.closest("#checks [data-line]");
    if (finding) { event.preventDefault(); jump(finding); }
    if (event.target.closest("[data-lay-out]")) layOut();
  });
  document.addEventListener("htmx:afterSettle", refresh);
  refresh();
})();
