// Printing is the browser's own; the button is there for who does not know where it is.
"use strict";
(function () {
  document.querySelectorAll("[data-print]").forEach(function (b) {
    b.hidden = false;
    b.addEventListener("click", function () { window.print(); });
  });
})();
