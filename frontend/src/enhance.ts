/** Small improvements of server-rendered pages; each is optional for the person who reads the page.
 *
 * Everything listens at the document, so what htmx brings later is covered and nothing is ever wired twice. */

const closest = <T extends Element>(event: Event, selector: string): T | null =>
  event.target instanceof Element ? event.target.closest<T>(selector) : null;

/** Close the open `<details data-menu>` that `except` is not inside of. */
function closeMenus(except: EventTarget | null): void {
  for (const menu of document.querySelectorAll<HTMLDetailsElement>("details[data-menu][open]")) {
    if (!(except instanceof Node && menu.contains(except))) menu.open = false;
  }
}

/** Keep a form that is on its way from being sent twice. */
function guardAgainstDoubleSubmit(event: Event): void {
  const form = event.target;
  if (!(form instanceof HTMLFormElement) || form.method !== "post" || form.hasAttribute("hx-post")) return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "yes";
  form.setAttribute("aria-busy", "true");
}

/** A page that comes back from the browser's history may be sent again. */
function releaseForms(): void {
  for (const form of document.querySelectorAll<HTMLFormElement>("form[data-sent]")) {
    delete form.dataset.sent;
    form.removeAttribute("aria-busy");
  }
}

async function copyToClipboard(button: HTMLButtonElement): Promise<void> {
  await navigator.clipboard.writeText(button.dataset.copy ?? "");
  button.textContent = "Copié";
}

/** Arrow keys move from row to row in a table that asks for it; Enter follows the row's link. */
function moveBetweenRows(event: KeyboardEvent): void {
  const table = closest<HTMLTableElement>(event, "table[data-keyboard]");
  if (!table || !["ArrowDown", "ArrowUp"].includes(event.key)) return;
  const links = [...table.querySelectorAll<HTMLAnchorElement>("tbody a[data-row]")];
  const at = links.indexOf(document.activeElement as HTMLAnchorElement);
  if (at < 0) return;
  event.preventDefault();
  links[at + (event.key === "ArrowDown" ? 1 : -1)]?.focus();
}

/** Say under a text with a limit how long it is; what is too long can be typed, and is refused when it is sent. */
function count(text: HTMLTextAreaElement | HTMLInputElement): void {
  const limit = Number(text.dataset.limit);
  let said = text.nextElementSibling;
  if (!said?.hasAttribute("data-count")) {
    said = document.createElement("p");
    said.className = "field-help num";
    said.setAttribute("data-count", "");
    text.after(said);
  }
  const length = [...text.value].length;
  const over = length > limit;
  said.textContent = `${length} caractère${length > 1 ? "s" : ""} sur ${limit}${over ? ` : ${length - limit} de trop` : ""}`;
  if (over) said.setAttribute("role", "status");
  else said.removeAttribute("role");
}

/** Show the buttons that only work with JavaScript, and the count of texts with a limit. */
export function reveal(root: ParentNode): void {
  for (const text of root.querySelectorAll<HTMLTextAreaElement | HTMLInputElement>("[data-limit]")) count(text);
  for (const button of root.querySelectorAll<HTMLButtonElement>("button[data-dismiss], button[data-fill]"))
    button.hidden = false;
  if (!navigator.clipboard) return;
  for (const button of root.querySelectorAll<HTMLButtonElement>("button[data-copy]")) button.hidden = false;
}

/** Write in a field the value that a button proposes, as if it had been typed. */
function fill(button: HTMLButtonElement): void {
  const field = document.getElementById(button.dataset.fill ?? "");
  if (!(field instanceof HTMLInputElement)) return;
  field.value = button.value;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  field.focus();
}

/** Listen once for the whole page. */
export function listen(): void {
  document.addEventListener("submit", guardAgainstDoubleSubmit);
  document.addEventListener("change", (event) =>
    closest<HTMLSelectElement | HTMLInputElement>(event, "[data-submit-on-change]")?.form?.requestSubmit(),
  );
  document.addEventListener("input", (event) => {
    const text = closest<HTMLTextAreaElement | HTMLInputElement>(event, "[data-limit]");
    if (text) count(text);
  });
  document.addEventListener("click", (event) => {
    closeMenus(event.target);
    closest(event, "button[data-dismiss]")?.closest(".toast")?.remove();
    const proposal = closest<HTMLButtonElement>(event, "button[data-fill]");
    if (proposal) fill(proposal);
    const copy = closest<HTMLButtonElement>(event, "button[data-copy]");
    if (copy) void copyToClipboard(copy);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") closeMenus(null);
    moveBetweenRows(event);
  });
  window.addEventListener("pageshow", releaseForms);
}
