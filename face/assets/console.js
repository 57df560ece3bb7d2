// What the console's pages do a little better with a script.
//
// The call's clock of the hotline: counts from when the call was looked up. Without script the
// page says when that was.
(function () {
  "use strict";
  var clock = document.querySelector("[data-call-since]");
  if (!clock) return;
  // The server says how old the call is: the two clocks need not agree.
  var began = Date.now() - 1000 * Number(clock.dataset.callSince);
  var left = document.querySelector("[data-call-left]");
  function two(n) { return n < 10 ? "0" + n : String(n); }
  function tick() {
    var s = Math.max(0, Math.floor((Date.now() - began) / 1000));
    clock.textContent = two(Math.floor(s / 60)) + ":" + two(s % 60);
    if (!left) return;
    var rest = Number(left.dataset.callLeft) - s + Number(clock.dataset.callSince);
    left.textContent = rest > 0 ? left.dataset.left.replace("00:00", two(Math.floor(rest / 60)) + ":" + two(rest % 60)) : left.dataset.over;
  }
  tick();
  setInterval(tick, 1000);
})();

// Live figures that get no answer (no connection, no server, signed out) say that they are old.
(function () {
  "use strict";
  var said = document.querySelector("[data-stale]");
  if (!said) return;
  var last = Date.now(), shown = "";
  setInterval(function () {
    var at = document.querySelector("#figures time"), now = at ? at.dateTime : "";
    if (now && now !== shown) { shown = now; last = Date.now(); }
    said.hidden = Date.now() - last <= 1000 * Number(said.dataset.stale);
  }, 1000);
  document.addEventListener("visibilitychange", function () { if (!document.hidden) last = Date.now(); });
})();
