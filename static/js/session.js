// Says that the session is about to end, and extends it on demand, as far as its absolute end. Without this file, nothing typed is lost either:
// the form is offered again after login.
(function () {
  const box = document.querySelector("[data-fin-de-session]");
  if (!box) {
    return;
  }
  const WARNING = 5 * 60; // seconds before the end
  const IDLE = Number(box.dataset.inactivite); // less than this is left after a request: the absolute end is near
  const form = box.querySelector("form");
  const tabs = new BroadcastChannel("session");
  let timers = [];

  function ends(in_seconds) {
    timers.forEach(clearTimeout);
    show(null);
    timers = [
      setTimeout(() => show(in_seconds < IDLE ? "derniere" : "bientot"), Math.max(0, in_seconds - WARNING) * 1000),
      setTimeout(() => show("finie"), in_seconds * 1000),
    ];
  }

  function show(what) {
    for (const sentence of ["bientot", "derniere", "finie"]) {
      box.querySelector(`[data-${sentence}]`).hidden = what !== sentence;
    }
    form.hidden = what !== "bientot";
    box.hidden = what === null;
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    event.stopPropagation();
    const answer = await fetch(form.action, { method: "POST", body: new FormData(form), redirect: "manual" });
    if (!answer.ok) {
      show("finie");
      return;
    }
    const { reste } = await answer.json();
    ends(reste);
    tabs.postMessage(reste);
  });

  // What one tab does keeps the session of all.
  tabs.addEventListener("message", (event) => ends(event.data));
  const left = Number(box.dataset.finDeSession);
  ends(left);
  tabs.postMessage(left);
})();
