/** Entry of every page: typeface, styles, and what JavaScript improves. Every page works without it. */
import "./layers.css";
import "@fontsource-variable/atkinson-hyperlegible-next/wght.css";
import "./bootstrap.scss";
import "./styles";
import htmx from "htmx.org";
import { enhance } from "./enhance";

declare global {
  interface Window {
    htmx: typeof htmx;
  }
}

window.htmx = htmx;

document.addEventListener("DOMContentLoaded", () => enhance(document));
document.addEventListener("htmx:load", (event) => enhance((event as CustomEvent<{ elt: HTMLElement }>).detail.elt));
