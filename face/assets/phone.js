// The phone's screens: what happens meanwhile is told at once (GET /phones/{id}/events). Every
// form works without this script; a screen that waits then asks again by itself.
"use strict";
(function () {
  var body = document.body, address = body.dataset.events;
  // Whoever comes back by the back button sees the screen as it was kept: it may be over.
  window.addEventListener("pageshow", function (event) { if (event.persisted) location.reload(); });
  // A form is sent once, however often its button is pressed.
  document.addEventListener("submit", function (event) {
    if (event.target.dataset.sent) { event.preventDefault(); return; }
    event.target.dataset.sent = "yes";
    event.target.setAttribute("aria-busy", "true");
  });
  var problem = document.getElementById("problem");
  if (problem) problem.focus({ preventScroll: false });
  if (!address || !window.EventSource) return;
  var waits = "waits" in body.dataset;
  function here(to) { return typeof to === "string" && to.charAt(0) === "/" && to.charAt(1) !== "/"; }
  var stream = new EventSource(address + (waits ? "?waits=1" : ""));
  stream.addEventListener("moved", function (event) {
    if (!waits) return;
    var to = JSON.parse(event.data).to;
    stream.close();
    if (here(to)) location.replace(to); else location.reload();
  });
  stream.addEventListener("progress", function (event) {
    var told = JSON.parse(event.data), bar = document.getElementById("progress"), line = document.getElementById("progress-line");
    if (!bar || !line) return;
    if (told.all) { bar.max = told.all; bar.value = told.done || 0; } else { bar.removeAttribute("value"); }
    if (told.text) line.textContent = told.text;
  });
  function bubble(event) {
    var told = JSON.parse(event.data), box = document.getElementById("bubble");
    if (!box || !told.text || told.to === location.pathname + location.search) return; // it is here already
    box.hidden = false;
    box.querySelector("strong").textContent = told.text;
    if (here(told.to)) box.querySelector("a").href = told.to;
    box.scrollIntoView({ block: "nearest" });
  }
  stream.addEventListener("notice", bubble);
  stream.addEventListener("prompt", bubble);
  // A stream that was refused does not come back by itself: a screen that waits asks again.
  stream.addEventListener("error", function () {
    if (waits && stream.readyState === EventSource.CLOSED) setTimeout(function () { location.reload(); }, 2000);
  });
  window.addEventListener("pagehide", function () { stream.close(); });
})();
