// The pages work without this file: it only helps.

// After a refused form, the summary of errors takes the focus (RGAA 11.10). Otherwise what the page has to say does (what
// was done, what was found): the keyboard goes on from there instead of going through the header again.
// An address that names a button (the next person of a list) has said where the keyboard goes on: the browser went there.
const named = document.getElementById(location.hash.slice(1));
const told =
  document.querySelector("[data-resume-erreurs]") ||
  (named && named.matches("button") ? named : document.querySelector("[data-premier-focus]"));
if (told) {
  told.focus();
}

// A second click on a submit button sends nothing more.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "1";
});
// A notice or a tag that can be removed from the page.
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-retire]");
  if (button) {
    button.closest(button.dataset.retire).remove();
  }
});
window.addEventListener("pageshow", () => {
  for (const form of document.forms) {
    delete form.dataset.sent;
  }
});
// A button that fills a field with a value it knows: « Aujourd'hui ».
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-remplit]");
  if (button) {
    event.preventDefault();
    const field = document.getElementById(button.dataset.remplit);
    field.value = button.dataset.valeur;
    field.dispatchEvent(new Event("change", { bubbles: true }));
  }
});

// A long list to tick gets a field that narrows it by words; what is ticked stays in sight.
function folded(text) {
  return text.normalize("NFKD").replace(/[\u0300-\u036f]/g, "").toLowerCase();
}
for (const list of document.querySelectorAll("[data-filtrable]")) {
  const lines = [...list.querySelectorAll(".fr-fieldset__element")];
  if (lines.length > 10) {
    const label = document.createElement("label");
    label.className = "fr-label";
    label.textContent = "Ne montrer que les lignes qui contiennent";
    const field = document.createElement("input");
    field.type = "search";
    field.className = "fr-input fr-mb-1w";
    field.autocomplete = "off";
    label.append(field);
    const left = document.createElement("p");
    left.className = "fr-text--sm fr-mb-1w";
    left.setAttribute("role", "status");
    list.before(label, left);
    field.addEventListener("input", () => {
      const words = folded(field.value).split(/\s+/);
      for (const line of lines) {
        const found = words.every((word) => folded(line.textContent).includes(word));
        line.hidden = !found && !line.querySelector("input").checked;
      }
      left.textContent = `${lines.filter((line) => !line.hidden).length} sur ${lines.length}`;
    });
    // Enter in this field would send the form half filled.
    field.addEventListener("keydown", (event) => event.key === "Enter" && event.preventDefault());
  }
}
