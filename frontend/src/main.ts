/** Entry of every page: typeface, styles, and what JavaScript improves. Every page works without it. */
import "./layers.css";
import "@fontsource-variable/atkinson-hyperlegible-next/wght.css";
import "./bootstrap.scss";
import "./styles";
import htmx from "htmx.org";
import { listen, reveal } from "./enhance";

declare global {
  interface Window {
    htmx: typeof htmx;
  }
}

window.htmx = htmx;

listen();
reveal(document); // a module runs once the page is parsed
document.addEventListener("htmx:load", (event) => reveal((event as CustomEvent<{ elt: HTMLElement }>).detail.elt));
