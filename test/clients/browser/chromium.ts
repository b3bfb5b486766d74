// Chromium without a window: opens a page, runs its script, and returns the resulting document.
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { outputOf, words } from "../run-command.ts";
import { clientEnvironment, newFolder, type Site } from "../site.ts";

export const CHROMIUM = "/usr/bin/chromium";
const TIMEOUT_MS = 120_000;

/** Time limit of a page in Chromium's virtual time, which pauses during network requests. */
const PAGE_TIME_MS = 20_000;

/** Opens a URL and returns its document once the page is idle. */
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
export function pageThatReports(code: string): string {
  return `<pre id="report"></pre><script>
    (async () => { ${code} })()
      .catch((error) => ({ thrown: String(error) }))
      .then((report) => {
        const bytes = new TextEncoder().encode(JSON.stringify(report));
        document.getElementById("report").textContent = btoa(String.fromCharCode(...bytes));
      });
  </script>`;
}

/** The value that such a page computed. */
export function reportOf(document: string): unknown {
  const text = /<pre id="report">([^<]+)<\/pre>/.exec(document)?.[1];
  assert.ok(text !== undefined, `the page reported nothing: ${document.slice(0, 500)}`);
  return JSON.parse(Buffer.from(text, "base64").toString());
}
