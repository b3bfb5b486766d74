// `npm run screenshots`: takes the pictures of the console that the documents show, from a served Cairn with invented content.
// With --check it only reports whether the console has changed since, by a digest of its sources.
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Page } from "playwright-core";
import { buildConsole } from "../../scripts/project/console-files.ts";
import { endRunningCairns, startCairn } from "../../test/clients/cairn-process.ts";
import { openBrowser, type PageOptions, signIn, withPage } from "./support/browser.ts";
import { fillBuckets } from "./support/invented.ts";
import { CREDENTIALS, type Stage } from "./support/stage.ts";

const CONSOLE = resolve(import.meta.dirname, "..");
const PICTURES = resolve(CONSOLE, "..", "docs", "console");
const DIGEST = join(PICTURES, "sources.txt");

interface Picture extends PageOptions {
  readonly name: string;
  /** The place, below the address of the console. */
  readonly place: string;
  /** What the picture waits for, and what is done before it is taken. */
  readonly prepare: (page: Page) => Promise<void>;
}

const SIZE = { width: 1200, height: 760 };

const PICTURES_TAKEN: readonly Picture[] = [
  {
    ...SIZE,
    name: "buckets",
    place: "#/buckets",
    prepare: (page) => page.getByText("KiB").first().waitFor(),
  },
  {
    ...SIZE,
    name: "objects",
    place: "#/buckets/photos/objects?prefix=2026%2F",
    prepare: (page) => page.getByText("lighthouse.jpg").waitFor(),
  },
  {
    ...SIZE,
    name: "policy",
    place: "#/buckets/photos/settings/policy",
    colorScheme: "dark",
    prepare: async (page) => {
      await page.getByRole("button", { name: "Try" }).click();
      await page.getByRole("table").waitFor();
      await page.getByRole("heading", { name: "Who may do what" }).scrollIntoViewIfNeeded();
      await page.mouse.wheel(0, 2000);
    },
  },
  {
    ...SIZE,
    name: "lifecycle",
    place: "#/buckets/backups/settings/lifecycle",
    prepare: async (page) => {
      const day = new Date(Date.now() + 40 * 86_400_000).toISOString().slice(0, 10);
      await page.getByLabel("Day", { exact: true }).fill(day);
      await page.getByRole("button", { name: "Show" }).click();
      await page.getByRole("table").waitFor();
      await page.mouse.wheel(0, 2000);
    },
  },
  {
    name: "phone",
    place: "#/buckets",
    width: 390,
    height: 760,
    colorScheme: "dark",
    prepare: (page) => page.getByText("KiB").first().waitFor(),
  },
];

/** A digest of everything that decides how the console looks. */
function digestOfSources(): string {
  const hash = createHash("sha256");
  const files = readdirSync(join(CONSOLE, "src"), { recursive: true, encoding: "utf8" })
    .filter((file) => /\.(?:tsx?|css|svg)$/.test(file))
    .map((file) => join("src", file));
  for (const file of [...files.sort(), "index.html", "test/screenshots.ts", "test/support/invented.ts"]) {
    hash.update(file.replaceAll("\\", "/")).update(readFileSync(join(CONSOLE, file)));
  }
  return hash.digest("hex");
}

async function take(stage: Stage, { name, place, prepare, ...options }: Picture): Promise<void> {
  await withPage(
    stage,
    async (page) => {
      await signIn(stage, page, place);
      await page.locator(".skeleton").first().waitFor({ state: "detached" });
      await prepare(page);
      // Toasts and the cursor's hover would differ from run to run.
      await page.mouse.move(0, 0);
      await page.waitForTimeout(300);
      await page.screenshot({ path: join(PICTURES, `${name}.png`), animations: "disabled", caret: "hide" });
    },
    options,
  );
  console.log(`took docs/console/${name}.png`);
}

async function takeAll(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "cairn-pictures-"));
  try {
    await buildConsole();
    const cairn = await startCairn({ state: join(folder, "state"), credentials: CREDENTIALS });
    const browser = await openBrowser();
    const stage: Stage = { browser, url: cairn.url, signInLink: "" };
    await fillBuckets(stage);
    mkdirSync(PICTURES, { recursive: true });
    for (const picture of PICTURES_TAKEN) await take(stage, picture);
    await browser.close();
    await cairn.stop();
    writeFileSync(DIGEST, `${digestOfSources()}\n`);
  } finally {
    endRunningCairns();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

if (process.argv.includes("--check")) {
  const isFresh = readFileSync(DIGEST, "utf8").trim() === digestOfSources();
  console.log(
    isFresh ? "The pictures are fresh." : "The console has changed: take its pictures with `npm run screenshots`.",
  );
  process.exitCode = isFresh ? 0 : 1;
} else await takeAll();
