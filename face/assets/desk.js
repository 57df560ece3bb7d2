// What the desk does where there is script: a page that watches fetches itself when the
// world tells that something changed; a world that turns is asked until it stands again.
(() => {
  const fresh = async () => {
    const answer = await fetch(location.pathname + location.search, { headers: { Accept: "text/html" } });
    if (!answer.ok) return;
    const there = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("live");
    const here = document.getElementById("live");
    if (!there || !here || here.contains(document.activeElement) && document.activeElement.matches("input, select")) return;
    const open = [...here.querySelectorAll("details")].map((d) => d.open);
    here.replaceChildren(...there.childNodes);
    here.querySelectorAll("details").forEach((d, i) => { if (open[i]) d.open = true; });
  };
  const rooms = document.querySelector(".rooms"), room = rooms && rooms.querySelector("[aria-current]");
  if (room) rooms.scrollLeft = room.offsetLeft + room.offsetWidth / 2 - rooms.clientWidth / 2;
  const live = document.querySelector("[data-live]");
  if (live) {
    let stream;
    const listen = () => { stream = new EventSource(live.dataset.live); stream.addEventListener("changed", fresh); };
    listen();
    addEventListener("pagehide", () => stream.close());
    addEventListener("pageshow", (e) => { if (e.persisted) { listen(); fresh(); } });
  }
  const turning = document.querySelector("[data-turning]");
  if (turning) {
    const ask = async () => {
      try {
        const answer = await fetch("/api/world");
        const now = answer.ok && await answer.json();
        if (now && String(now.turns) !== turning.dataset.turns) { location.replace(turning.dataset.turning); return; }
      } catch { /* it does not stand yet */ }
      setTimeout(ask, 400);
    };
    setTimeout(ask, 400);
  }
})();
