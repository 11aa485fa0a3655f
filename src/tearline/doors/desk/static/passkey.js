// Passkeys: asks the desk what it wants, the browser for the passkey, and tells the desk. No library.
"use strict";
(() => {
  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const text = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

  async function post(url, body) {
    const answer = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    const told = await answer.json();
    if (!answer.ok) throw new Error(told.error);
    return told;
  }

  function read(options) {
    options.challenge = bytes(options.challenge);
    if (options.user) options.user.id = bytes(options.user.id);
    for (const each of [...(options.allowCredentials || []), ...(options.excludeCredentials || [])]) each.id = bytes(each.id);
    return options;
  }

  function written(credential) {
    const { response } = credential, told = {};
    for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (response[name]) told[name] = text(response[name]);
    }
    return { id: credential.id, rawId: text(credential.rawId), type: credential.type, response: told };
  }

  async function run(button) {
    const { passkey, options, send, label, failed } = button.dataset;
    const problem = document.getElementById("problem");
    problem.hidden = true;
    button.disabled = true;
    try {
      const publicKey = read(await post(options, {}));
      const credential = await navigator.credentials[passkey]({ publicKey });
      const named = label ? "?label=" + encodeURIComponent(document.getElementById(label).value) : "";
      location.assign((await post(send + named, written(credential))).next);
    } catch (error) {
      // The browser's own errors tell nothing to a person; the desk's do.
      problem.textContent = error instanceof DOMException || !error.message ? failed : `${failed} (${error.message})`;
      problem.hidden = false;
      button.disabled = false;
    }
  }

  for (const button of document.querySelectorAll("[data-passkey]")) {
    button.addEventListener("click", () => run(button));
  }
})();
