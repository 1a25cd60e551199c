// Sets the theme before the first paint, so that a dark screen does not flash white. Same key as the DSFR.
(function () {
  const root = document.documentElement;
  let scheme = null;
  try {
    scheme = localStorage.getItem("scheme");
  } catch (error) {
    // Storage refused by the browser: follow the system.
  }
  scheme = scheme || "system";
  const dark = scheme === "dark" || (scheme === "system" && matchMedia("(prefers-color-scheme: dark)").matches);
  root.setAttribute("data-fr-scheme", scheme);
  root.setAttribute("data-fr-theme", dark ? "dark" : "light");
})();
