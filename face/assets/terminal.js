// Screens of kiosk and clinic: the keys on the screen, the time that is left, the word that a
// chip or a town has answered, a tone for who wants one. Every screen works without it.
"use strict";
(function () {
  // Sound is off unless it was switched on here; no file is played.
  var sounds = document.querySelector("[data-sound]"), audio;
  function tone(high) {
    if (!sounds || !window.AudioContext) return;
    audio = audio || new AudioContext();
    var o = audio.createOscillator(), g = audio.createGain();
    o.frequency.value = high ? 880 : 523;
    g.gain.setValueAtTime(0.08, audio.currentTime);
    g.gain.exponentialRampToValueAtTime(0.001, audio.currentTime + 0.15);
    o.connect(g).connect(audio.destination);
    o.start();
    o.stop(audio.currentTime + 0.15);
  }
  if (document.querySelector("[data-done]")) tone(true);
  document.addEventListener("click", function (event) { if (event.target.closest && event.target.closest("button")) tone(false); });

  // The pad: the digits stay in the field, which shows dots.
  var form = document.querySelector("[data-pin]");
  if (form) {
    var pad = form.querySelector("[data-pad]"), field = form.querySelector("input[name=pin]"), typed = form.querySelector("[data-typed]");
    pad.hidden = false;
    field.inputMode = "none"; // the pad is there already
    var say = function () { typed.textContent = typed.dataset.typed.replace("#", String(field.value.length)); };
    field.addEventListener("input", say);
    pad.addEventListener("click", function (event) {
      var key = event.target.closest("[data-digit]");
      if (!key) return;
      if (key.dataset.digit === "clear") field.value = "";
      else if (key.dataset.digit === "back") field.value = field.value.slice(0, -1);
      else if (field.value.length < field.maxLength) field.value += key.dataset.digit;
      say();
    });
    // Who types on a keyboard need not find the field first.
    document.addEventListener("keydown", function (event) {
      if (/^[0-9]$/.test(event.key) && document.activeElement !== field && !event.ctrlKey && !event.metaKey && !event.altKey) field.focus();
    });
    // Nothing of a person stays behind when the page is left or kept for the back button.
    window.addEventListener("pagehide", function () { field.value = ""; });
  }
  window.addEventListener("pageshow", function (event) { if (event.persisted) location.reload(); });

  // The time that is left, told in words when it is nearly over.
  var left = document.querySelector("[data-left]");
  if (left) {
    var over = Date.now() + Number(left.dataset.left) * 1000, clock = left.querySelector("[data-clock]"), soon = document.querySelector("[data-soon]");
    var tick = setInterval(function () {
      var s = Math.max(0, Math.ceil((over - Date.now()) / 1000));
      clock.textContent = Math.floor(s / 60) + ":" + String(s % 60).padStart(2, "0");
      if (s <= 30 && !soon.textContent) { soon.textContent = soon.dataset.soon; tone(true); }
      if (s === 0) { clearInterval(tick); setTimeout(function () { location.replace(left.dataset.over); }, 1500); }
    }, 500);
  }

  // A word for whoever left is not for the next person.
  var clears = document.querySelector("[data-clears]");
  if (clears) setTimeout(function () { location.replace("/"); }, Number(clears.dataset.clears) * 1000);

  // A step is under way: the next screen comes when it has ended.
  if (document.querySelector("[data-wait]")) {
    var again = function () { setTimeout(function () { location.replace("/visit"); }, 1000); };
    if (!window.EventSource) return again();
    var stream = new EventSource("/visit/events");
    stream.addEventListener("over", function () { stream.close(); location.replace("/visit"); });
    stream.addEventListener("error", function () { if (stream.readyState === EventSource.CLOSED) again(); });
  }
})();
