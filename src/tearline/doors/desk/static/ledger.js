// Checks the proof of an entry here, in the officer's browser: RFC 6962, section 2.1.1, and a C2SP signed note.
"use strict";
(() => {
  const box = document.getElementById("proof");
  const bytes = (text) => Uint8Array.from(atob(text), (each) => each.charCodeAt(0));
  const join = (...parts) => new Uint8Array(parts.flatMap((part) => [...part]));
  const sha256 = async (data) => new Uint8Array(await crypto.subtle.digest("SHA-256", data));
  const same = (a, b) => a.length === b.length && a.every((each, at) => each === b[at]);

  async function root(leaf, index, size, path) {
    let hash = leaf, at = index, last = size - 1;
    for (const beside of path) {
      if (last === 0) return null;
      if (at % 2 === 1 || at === last) {
        hash = await sha256(join([1], beside, hash));
        while (at % 2 === 0 && at !== 0) { at = Math.floor(at / 2); last = Math.floor(last / 2); }
      } else hash = await sha256(join([1], hash, beside));
      at = Math.floor(at / 2); last = Math.floor(last / 2);
    }
    return last === 0 ? hash : null;
  }

  async function signed(note, vkey) {
    const text = note.slice(0, note.indexOf("\n\n") + 1), [name, , key] = splitKey(vkey), public_ = bytes(key).slice(1);
    const imported = await crypto.subtle.importKey("raw", public_, "Ed25519", false, ["verify"]);
    for (const line of note.slice(text.length + 1).split("\n")) {
      const [dash, who, signature] = line.split(" ");
      if (dash === "\u2014" && who === name && signature
        && await crypto.subtle.verify("Ed25519", imported, bytes(signature).slice(4), new TextEncoder().encode(text))) return true;
    }
    return false;
  }
  const splitKey = (vkey) => { const [name, id, ...rest] = vkey.split("+"); return [name, id, rest.join("+")]; };

  function sorted(value) { // RFC 8785 orders names by UTF-16 code units, as sort() does
    if (Array.isArray(value)) return value.map(sorted);
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(Object.keys(value).sort().map((name) => [name, sorted(value[name])]));
  }

  async function tell(step, check) {
    const output = box.querySelector(`[data-step=${step}]`);
    let holds;
    try { holds = await check(); } catch { holds = null; }
    output.textContent = holds === null ? box.dataset.cannot : holds ? "\u2714 " + box.dataset.good : "\u2718 " + box.dataset.bad;
    output.className = holds === null ? "warn" : holds ? "good" : "bad";
  }

  (async () => {
    const proof = await (await fetch(box.dataset.api, { headers: { accept: "application/json" } })).json();
    const [, size, rootText] = proof.checkpoint.split("\n");
    await tell("path", async () => {
      const leaf = await sha256(join([0], bytes(proof.data)));
      const found = await root(leaf, proof.entry.number, proof.size, proof.path.map(bytes));
      return Number(size) === proof.size && found !== null && same(found, bytes(rootText));
    });
    await tell("signature", () => signed(proof.checkpoint, proof.vkey));
    await tell("shown", () => {
      const hashed = JSON.parse(new TextDecoder().decode(bytes(proof.data))), shown = {};
      for (const name of document.querySelectorAll("#says dt[data-name]")) {
        const value = name.nextElementSibling, text = value.textContent;
        shown[name.dataset.name] = "json" in value.dataset ? JSON.parse(text) : text;
      }
      return document.getElementById("act").textContent === hashed.act && document.getElementById("at").textContent === hashed.at
        && JSON.stringify(sorted(shown)) === JSON.stringify(sorted(hashed.body));
    });
  })();
})();
