/** Small improvements of server-rendered pages; each is optional for the person who reads the page. */

type Root = Document | HTMLElement;

/** Close an open `<details data-menu>` with Escape or a click outside it. */
function closeMenus(except: EventTarget | null): void {
  for (const menu of document.querySelectorAll<HTMLDetailsElement>("details[data-menu][open]")) {
    if (!(except instanceof Node && menu.contains(except))) menu.open = false;
  }
}

/** Submit a filter form as soon as one of its choices changes. */
function submitOnChange(root: Root): void {
  for (const field of root.querySelectorAll<HTMLSelectElement | HTMLInputElement>("[data-submit-on-change]")) {
    field.addEventListener("change", () => field.form?.requestSubmit());
  }
}

/** Keep a button from being pressed twice while its form is on its way. */
function guardAgainstDoubleSubmit(root: Root): void {
  for (const form of root.querySelectorAll<HTMLFormElement>('form[method="post"]:not([hx-post])')) {
    form.addEventListener("submit", (event) => {
      if (form.dataset.sent) {
        event.preventDefault();
        return;
      }
      form.dataset.sent = "yes";
      form.setAttribute("aria-busy", "true");
    });
  }
}

/** Offer to copy a value (an identifier, a fingerprint) to the clipboard. */
function copyButtons(root: Root): void {
  for (const button of root.querySelectorAll<HTMLButtonElement>("button[data-copy]")) {
    if (!navigator.clipboard) continue;
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(button.dataset.copy ?? "");
      button.textContent = "Copié";
    });
  }
}

/** Let a toast be dismissed; without JavaScript it simply stays in the page. */
function dismissibleToasts(root: Root): void {
  for (const button of root.querySelectorAll<HTMLButtonElement>("button[data-dismiss]")) {
    button.hidden = false;
    button.addEventListener("click", () => button.closest(".toast")?.remove());
  }
}

/** Arrow keys move from row to row in tables that ask for it; Enter follows the row's link. */
function keyboardRows(root: Root): void {
  for (const table of root.querySelectorAll<HTMLTableElement>("table[data-keyboard]")) {
    const links = [...table.querySelectorAll<HTMLAnchorElement>("tbody tr a[data-row]")];
    table.addEventListener("keydown", (event) => {
      const at = links.indexOf(document.activeElement as HTMLAnchorElement);
      if (at < 0 || !["ArrowDown", "ArrowUp"].includes(event.key)) return;
      event.preventDefault();
      links[at + (event.key === "ArrowDown" ? 1 : -1)]?.focus();
    });
  }
}

let listening = false;

/** Improve everything under `root`; called once for the page and once for each fragment that htmx brings. */
export function enhance(root: Root): void {
  submitOnChange(root);
  guardAgainstDoubleSubmit(root);
  copyButtons(root);
  dismissibleToasts(root);
  keyboardRows(root);
  if (listening) return;
  listening = true;
  document.addEventListener("click", (event) => closeMenus(event.target));
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") closeMenus(null);
  });
  // A page that comes back from the browser's history may be sent again.
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll<HTMLFormElement>("form[data-sent]")) delete form.dataset.sent;
  });
}
