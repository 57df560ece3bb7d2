// What every page does a little better with a script: a tap is answered at once, a form is sent
// once however often it is tapped, and a connection that is gone is told. Servers refuse what
// comes twice all the same.
"use strict";
(function () {
  var sent = [], root = document.documentElement, said;
  // What a tap asked for is on its way: that is seen, and heard of, before it is there. What is
  // answered with a file leaves the page where it is: it may be asked for anew after a while.
  function busy() {
    if ("busy" in root.dataset) return;
    root.dataset.busy = "";
    said = document.createElement("p");
    said.className = "away";
    said.setAttribute("role", "status");
    (document.getElementById("main") || document.body).appendChild(said);
    setTimeout(function () { said.textContent = document.body.dataset.busy; }, 0);
    setTimeout(again, 8000);
  }
  // A link to a file, to another tab or within the page leaves the page where it is.
  function leads(link) {
    if (link.target || link.hasAttribute("download") || /\.[a-z0-9]+$/.test(link.pathname)) return false;
    return /^https?:$/.test(link.protocol) && !(link.hash && link.href.split("#")[0] === location.href.split("#")[0]);
  }
  document.addEventListener("click", function (event) {
    var link = event.target.closest && event.target.closest("a[href]");
    if (!link || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    if (leads(link)) busy();
  });
  document.addEventListener("submit", function (event) {
    var form = event.target;
    if (event.defaultPrevented || form.hasAttribute("hx-post") || form.hasAttribute("hx-get")) return;
    if (form.method !== "post") return busy();
    if (sent.indexOf(form) >= 0) return event.preventDefault();
    sent.push(form);
    busy();
    // After the browser has read the form: a button that is off is not sent.
    setTimeout(function () {
      form.querySelectorAll("button").forEach(function (b) { b.setAttribute("aria-busy", "true"); });
    }, 0);
  });
  // Who comes back by the back button may send it again, and the server says what is true then.
  window.addEventListener("pageshow", again);
  function again() {
    sent = [];
    if ("busy" in root.dataset) {
      delete root.dataset.busy;
      said.remove();
    }
    document.querySelectorAll("button[aria-busy]").forEach(function (b) { b.removeAttribute("aria-busy"); });
  }
  // A problem names the field that it is about; one that this page does not have is not led to.
  document.querySelectorAll(".problem a[href^='#']").forEach(function (a) {
    if (!document.getElementById(a.hash.slice(1))) a.parentNode.hidden = true;
  });
  var offline = document.querySelector(".offline");
  function connection() { if (offline) offline.hidden = navigator.onLine !== false; }
  window.addEventListener("online", connection);
  window.addEventListener("offline", connection);
  connection();
})();
