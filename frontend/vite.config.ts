import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Every file of src/islands is an entry of its own, loaded only by the pages that name it. */
const islands = readdirSync(here("src/islands"))
  .filter((name) => name.endsWith(".ts"))
  .map((name) => here(`src/islands/${name}`));

export default defineConfig({
  root: here("."),
  base: "./",
  build: {
    outDir: here("../src/parvis/core/web/static/parvis"),
    emptyOutDir: true,
    manifest: "manifest.json",
    assetsInlineLimit: 0,
    cssCodeSplit: true,
    modulePreload: { polyfill: false },
    rollupOptions: {
      input: [here("src/main.ts"), ...islands],
      // htmx only evaluates hx-on and hx-vars, which the content policy forbids and no template uses.
      onwarn: (warning, warn) => (warning.code === "EVAL" && warning.id?.includes("htmx.org") ? undefined : warn(warning)),
    },
  },
  css: {
    preprocessorOptions: {
      scss: {
        quietDeps: true,
        // Bootstrap 5.3 is written with @import; it has no module version.
        silenceDeprecations: ["import", "global-builtin", "color-functions", "if-function"],
      },
    },
  },
});
