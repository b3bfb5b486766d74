// Chromium without a window: opens a page, lets it do what it does, and tells what has become of it.
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { outputOf, words } from "../run-command.ts";
import { clientEnvironment, newFolder, type Site } from "../site.ts";

const CHROMIUM = "/usr/bin/chromium";
const TIMEOUT_MS = 120_000;

/** How long a page may take by its own clock, which stands still while it waits for the network. */
const PAGE_TIME_MS = 20_000;

/** Opens a URL and answers the document that is there once nothing happens any more. */
export async function openPage(site: Site, url: string): Promise<string> {
  const folder = newFolder(site, "chromium");
  try {
    return await outputOf(
      CHROMIUM,
      [
        ...words("--headless --no-sandbox --disable-gpu --disable-dev-shm-usage --disable-extensions --no-first-run"),
        ...words("--disable-background-networking --disable-component-update --no-proxy-server"),
        ...words(`--user-data-dir=${folder} --virtual-time-budget=${PAGE_TIME_MS} --dump-dom`),
        url,
      ],
      { env: clientEnvironment(site, folder), timeoutMs: TIMEOUT_MS },
    );
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** A page whose script computes one value; `code` is the body of an async function. */
export function pageThatTells(code: string): string {
  return `<pre id="told"></pre><script>
    (async () => { ${code} })()
      .catch((error) => ({ thrown: String(error) }))
      .then((told) => {
        const bytes = new TextEncoder().encode(JSON.stringify(told));
        document.getElementById("told").textContent = btoa(String.fromCharCode(...bytes));
      });
  </script>`;
}

/** What such a page has told. */
export function toldBy(document: string): unknown {
  const text = /<pre id="told">([^<]+)<\/pre>/.exec(document)?.[1];
  assert.ok(text !== undefined, `the page told nothing: ${document.slice(0, 500)}`);
  return JSON.parse(Buffer.from(text, "base64").toString());
}
