// Builds the console into dist/console, which wrangler.toml binds. Names of files below `files/` contain a hash of their
// content, so that browsers may keep them.
import { defineConfig } from "vite";

export default defineConfig({
  root: import.meta.dirname,
  base: "/_/console/",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: "../dist/console",
    emptyOutDir: true,
    assetsDir: "files",
    // The policy of the page allows no inline content.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: "es2023",
    reportCompressedSize: false,
  },
});
