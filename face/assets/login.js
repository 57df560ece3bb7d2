// A login's page moves on as soon as the phone has answered. Without this script the page asks
// again every few seconds by itself.
"use strict";
(function () {
  var waiting = document.querySelector("[data-login-events]");
  if (!waiting) return;
  var copy = document.querySelector("[data-login-copy]");
  if (copy && navigator.clipboard) {
    copy.hidden = false;
    copy.addEventListener("click", function () {
      navigator.clipboard.writeText(copy.dataset.loginCopy).then(function () { copy.textContent = copy.dataset.loginCopied; });
    });
  }
  // Whoever comes back by the back button sees the page as it was kept: it may be over.
  window.addEventListener("pageshow", function (event) { if (event.persisted) location.reload(); });
  var asking;
  function askAgain() { asking = setTimeout(function () { location.reload(); }, 4000); }
  if (!window.EventSource) return askAgain();
  var stream = new EventSource(waiting.dataset.loginEvents);
  stream.addEventListener("moved", function (event) {
    stream.close();
    if (event.data.charAt(0) === "/" && event.data.charAt(1) !== "/") location.replace(event.data);
  });
  // A stream that was refused does not come back by itself.
  stream.addEventListener("error", function () { if (stream.readyState === EventSource.CLOSED) askAgain(); });
  // What the person chose here goes first: the word that it happened would lead elsewhere.
  document.addEventListener("submit", function () { stream.close(); clearTimeout(asking); });
  // A computer that slept, or a phone that came back from the app, may have missed the word.
  document.addEventListener("visibilitychange", function () {
    if (!document.hidden && stream.readyState === EventSource.CLOSED) location.reload();
  });
})();
