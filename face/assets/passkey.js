// The passkey ceremony of the operators' console (W3C Web Authentication): asks the browser with
// the options that the page carries, puts what it answers into the form, and sends the form.
(function () {
  "use strict";
  var form = document.querySelector("form[data-passkey]");
  if (!form) return;
  var go = form.querySelector("[data-passkey-go]"), said = form.querySelector("[data-passkey-said]");
  go.hidden = false;
  function octets(text) {
    var raw = atob(text.replace(/-/g, "+").replace(/_/g, "/")), out = new Uint8Array(raw.length);
    for (var i = 0; i < raw.length; i++) out[i] = raw.charCodeAt(i);
    return out.buffer;
  }
  function words(buffer) {
    if (!buffer) return undefined;
    var raw = "", all = new Uint8Array(buffer);
    for (var i = 0; i < all.length; i++) raw += String.fromCharCode(all[i]);
    return btoa(raw).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  }
  function named(list) {
    return (list || []).map(function (one) { return Object.assign({}, one, { id: octets(one.id) }); });
  }
  function ask() {
    var options = JSON.parse(form.dataset.options);
    options.challenge = octets(options.challenge);
    if (form.dataset.passkey === "create") {
      options.user.id = octets(options.user.id);
      options.excludeCredentials = named(options.excludeCredentials);
      return navigator.credentials.create({ publicKey: options });
    }
    options.allowCredentials = named(options.allowCredentials);
    return navigator.credentials.get({ publicKey: options });
  }
  function answer(key) {
    var r = key.response, out = { id: key.id, rawId: words(key.rawId), type: key.type, clientExtensionResults: key.getClientExtensionResults(), response: { clientDataJSON: words(r.clientDataJSON) } };
    if (key.authenticatorAttachment) out.authenticatorAttachment = key.authenticatorAttachment;
    if (r.attestationObject) {
      out.response.attestationObject = words(r.attestationObject);
      if (r.getTransports) out.response.transports = r.getTransports();
    } else {
      out.response.authenticatorData = words(r.authenticatorData);
      out.response.signature = words(r.signature);
      out.response.userHandle = words(r.userHandle);
    }
    return JSON.stringify(out);
  }
  go.addEventListener("click", function () {
    if (!window.PublicKeyCredential || !navigator.credentials) { said.textContent = form.dataset.unable; return; }
    go.disabled = true;
    said.textContent = "";
    ask().then(function (key) {
      form.elements.answer.value = answer(key);
      form.submit();
    }).catch(function () {
      go.disabled = false;
      said.textContent = form.dataset.failed;
      go.focus();
    });
  });
  // Who comes back to a kept page would answer an old question.
  window.addEventListener("pageshow", function (event) { if (event.persisted) location.reload(); });
})();
