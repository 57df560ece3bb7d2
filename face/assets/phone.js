// The phone's screens: what happens meanwhile is told at once (GET /phones/{id}/events). Every
// form works without this script; a screen that waits then asks again by itself.
"use strict";
(function () {
  var body = document.body, address = body.dataset.events;
  // Whoever comes back by the back button sees the screen as it was kept: it may be over.
  window.addEventListener("pageshow", function (event) { if (event.persisted) location.reload(); });
  // What a tap asked for is on its way: that is seen, and heard of, before it is there.
  var place = document.querySelector(".handset") || document.documentElement, said;
  function busy() {
    if ("busy" in place.dataset) return;
    place.dataset.busy = "";
    said = document.createElement("p");
    said.className = "away";
    said.setAttribute("role", "status");
    (document.querySelector(".handset") || document.querySelector("main") || body).appendChild(said);
    setTimeout(function () { said.textContent = body.dataset.busy; }, 0);
  }
  function idle() {
    if (!("busy" in place.dataset)) return;
    delete place.dataset.busy;
    said.remove();
  }
  // A form is sent once, however often its button is pressed. One that is answered with a file
  // leaves the screen where it is: it may be sent anew after a while.
  document.addEventListener("submit", function (event) {
    var form = event.target;
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "yes";
    form.setAttribute("aria-busy", "true");
    busy();
    setTimeout(function () { delete form.dataset.sent; form.removeAttribute("aria-busy"); idle(); }, 8000);
  });
  document.addEventListener("click", function (event) {
    var link = event.target.closest && event.target.closest("a[href]");
    if (!link || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey || link.target || link.hash || link.hasAttribute("download") || /\.[a-z0-9]+$/.test(link.pathname)) return;
    busy();
    setTimeout(idle, 8000);
  });
  // What is typed blind may be looked at.
  document.querySelectorAll(".screen fieldset.secret").forEach(function (field) {
    var secrets = field.querySelectorAll("input[type=password]");
    if (!secrets.length) return;
    var label = document.createElement("label"), box = document.createElement("input");
    label.className = "tick reveal";
    box.type = "checkbox";
    box.addEventListener("change", function () { secrets.forEach(function (one) { one.type = box.checked ? "text" : "password"; }); });
    label.append(box, " " + body.dataset.reveal);
    secrets[secrets.length - 1].closest("label").after(label);
  });
  var offline = document.querySelector(".offline");
  function connection() { if (offline) offline.hidden = navigator.onLine !== false; }
  window.addEventListener("online", connection);
  window.addEventListener("offline", connection);
  connection();
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
    if (event.type === "notice" && here(told.to) && document.querySelector('.screen a[href="' + CSS.escape(told.to) + '"]')) return; // the screen says so itself
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
