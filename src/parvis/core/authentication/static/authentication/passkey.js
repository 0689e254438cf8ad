/* Shows the passkey buttons where the browser knows passkeys, and says in French why one did not work. */
(function () {
  "use strict";
  const buttons = document.querySelectorAll("button[id^=passkey]");
  if (window.PublicKeyCredential) {
    for (const button of buttons) button.hidden = false;
  }
  document.addEventListener("allauth.error", function (event) {
    event.preventDefault();
    const button = buttons[0];
    if (!button) return;
    let said = document.getElementById("passkey_problem");
    if (!said) {
      said = document.createElement("p");
      said.id = "passkey_problem";
      said.setAttribute("role", "alert");
      button.closest("form").prepend(said);
    }
    said.textContent = "La clé d’accès n’a pas répondu, ou vous avez renoncé. Recommencez, ou choisissez une autre façon.";
  });
})();
