// What every page does a little better with a script: a form is sent once however often it is
// tapped, and a connection that is gone is told. Servers refuse what comes twice all the same.
"use strict";
(function () {
  var sent = [];
  document.addEventListener("submit", function (event) {
    var form = event.target;
    if (event.defaultPrevented || form.method !== "post" || form.hasAttribute("hx-post")) return;
    if (sent.indexOf(form) >= 0) return event.preventDefault();
    sent.push(form);
    // One that is answered with a file leaves the page where it is: it may be sent anew after a while.
    setTimeout(again, 8000);
    // After the browser has read the form: a button that is off is not sent.
    setTimeout(function () {
      form.querySelectorAll("button").forEach(function (b) { b.setAttribute("aria-busy", "true"); });
    }, 0);
  });
  // Who comes back by the back button may send it again, and the server says what is true then.
  window.addEventListener("pageshow", again);
  function again() {
    sent = [];
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
