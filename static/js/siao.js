// The pages work without this file: it only helps.

// After a refused form, the summary of errors takes the focus (RGAA 11.10).
const summary = document.querySelector("[data-resume-erreurs]");
if (summary) {
  summary.focus();
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
