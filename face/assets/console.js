// The call's clock of the hotline: counts from when the call was looked up. Without script the
// page says when that was.
(function () {
  "use strict";
  var clock = document.querySelector("[data-call-since]");
  if (!clock) return;
  // The server says how old the call is: the two clocks need not agree.
  var began = Date.now() - 1000 * Number(clock.dataset.callSince);
  function two(n) { return n < 10 ? "0" + n : String(n); }
  function tick() {
    var s = Math.max(0, Math.floor((Date.now() - began) / 1000));
    clock.textContent = two(Math.floor(s / 60)) + ":" + two(s % 60);
  }
  tick();
  setInterval(tick, 1000);
})();
