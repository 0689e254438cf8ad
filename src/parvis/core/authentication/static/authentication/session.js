/* Two minutes before an idle session ends, says so, and keeps it open with one click (WCAG 2.2.1).
 *
 * Tabs of the same browser share the time of the last activity, so that one that is read keeps the others quiet. */
(function () {
  "use strict";
  const script = document.currentScript;
  const { idle, extend, login } = script.dataset;
  const LIMIT = Number(idle) * 1000;
  const WARNING = 120000;
  const KEY = "parvis-activite";
  let last = Date.now();
  let dialog = null;

  function note() {
    last = Date.now();
    try { localStorage.setItem(KEY, String(last)); } catch { /* private browsing: this tab counts alone */ }
  }

  function lastActivity() {
    try { last = Math.max(last, Number(localStorage.getItem(KEY)) || 0); } catch { /* as above */ }
    return last;
  }

  function build() {
    dialog = document.createElement("dialog");
    dialog.className = "card card-pad";
    dialog.setAttribute("aria-labelledby", "fin-de-session");
    dialog.innerHTML =
      '<h2 id="fin-de-session">Votre session va se fermer</h2><p data-said></p>' +
      '<div class="form-actions"><button type="button" class="btn btn-primary">Rester connecté</button></div>';
    dialog.querySelector("button").addEventListener("click", stay);
    dialog.addEventListener("cancel", function (event) { event.preventDefault(); void stay(); });
    document.body.append(dialog);
  }

  async function stay() {
    const answer = await fetch(extend, { cache: "no-store", redirect: "error" }).catch(() => null);
    if (answer && answer.status === 204) {
      note();
      dialog.close();
    } else {
      over();
    }
  }

  function say(text) {
    const said = dialog.querySelector("[data-said]");
    if (said.textContent !== text) said.textContent = text;
  }

  function over() {
    dialog.querySelector("h2").textContent = "Votre session est fermée";
    say("Ce que vous aviez saisi est encore sur cette page : copiez-le si besoin, puis reconnectez-vous.");
    const link = document.createElement("a");
    link.className = "btn btn-primary";
    link.href = login + "?next=" + encodeURIComponent(location.pathname + location.search);
    link.textContent = "Me reconnecter";
    dialog.querySelector(".form-actions").replaceChildren(link);
    clearInterval(timer);
  }

  function look() {
    const left = LIMIT - (Date.now() - lastActivity());
    if (left > WARNING) {
      if (dialog && dialog.open) dialog.close();
      return;
    }
    if (!dialog) build();
    if (!dialog.open) dialog.showModal();
    if (left <= 0) return over();
    say("Sans action de votre part, elle se fermera dans " + (left > 60000 ? "deux minutes" : "moins d’une minute") + ".");
  }

  note();
  document.addEventListener("htmx:afterRequest", note);
  const timer = setInterval(look, 5000);
})();
