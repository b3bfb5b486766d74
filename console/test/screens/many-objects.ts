// A folder of 100,000 objects: scrolled to its end, filtered and selected without long pauses, with few elements in the
// document.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Page } from "playwright-core";
import { openState } from "../../../scripts/maintenance/open-state.ts";
import { timeOrderedId } from "../../../src/bytes/random-id.ts";
import { nextVersionId } from "../../../src/protocol/core/version-id.ts";
import { copyRows, TEMPLATE_KEY } from "../../../test/bench/population.ts";
import { type CairnProcess, startCairn } from "../../../test/clients/cairn-process.ts";
import { type Suite, suiteOf } from "../../../test/clients/harness.ts";
import { signIn, withPage } from "../support/browser.ts";
import { CREDENTIALS, s3, type Stage } from "../support/stage.ts";

const BUCKET = "many";
const KEYS = 100_000;
const ROWS_PER_STATEMENT = 4000;
/** On a machine that other suites share, a task also waits for its turn: alone, the longest takes some 200 ms. */
const TASK_MAX_MS = 3000;
const ELEMENTS_MAX = 1500;
/** Jumps across the whole list, each to be shown within two frames. */
const JUMPS = 120;
const DOCUMENT = resolve(import.meta.dirname, "../../../docs/console.md");
/** What the document says about frames; `npm run console:figures` writes it. */
const FIGURES = /(?<=<!-- frames -->)[^]*(?=<!-- \/frames -->)/;

export function manyObjectsSuite(shared: Stage): Suite {
  return suiteOf("many-objects", [
    {
      name: `a folder of ${KEYS} objects stays fluid while it is scrolled, filtered and selected`,
      run: async () => {
        const folder = mkdtempSync(join(tmpdir(), "cairn-many-"));
        const state = join(folder, "state");
        let cairn: CairnProcess | undefined;
        try {
          cairn = await startCairn({ state, credentials: CREDENTIALS });
          await s3({ ...shared, url: cairn.url }, "PUT", `/${BUCKET}`);
          await s3({ ...shared, url: cairn.url }, "PUT", `/${BUCKET}/${TEMPLATE_KEY}`, "1");
          await cairn.stop();
          await fill(state);
          cairn = await startCairn({ state, credentials: CREDENTIALS });
          await browse({ ...shared, url: cairn.url });
        } finally {
          await cairn?.stop();
          rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
        }
      },
    },
  ]);
}

/** Copies the row of the template, because 100,000 requests would take minutes. */
async function fill(state: string): Promise<void> {
  const open = await openState(state);
  const { database } = open;
  const bucketId = (await database.prepare("SELECT id FROM buckets").first<string>("id")) ?? "";
  const insert = await copyRows(database, "objects", bucketId, TEMPLATE_KEY);
  const now = Date.now();
  for (let start = 1; start < KEYS; start += ROWS_PER_STATEMENT) {
    const rows = Array.from({ length: Math.min(ROWS_PER_STATEMENT, KEYS - start) }, (_, index) => ({
      key: `file-${String(start + index).padStart(6, "0")}.txt`,
      version_id: nextVersionId(now, undefined),
      size: 4096,
      modified_at: now,
      blob_id: `${bucketId}/${timeOrderedId(now)}`,
    }));
    await insert(rows).run();
  }
  await open.close();
}

async function browse(stage: Stage): Promise<void> {
  await withPage(stage, async (page) => {
    await signIn(stage, page, `#/buckets/${BUCKET}/objects`);
    await page.getByRole("link", { name: "file-000001.txt" }).waitFor();
    await watchTasks(page);

    await scrollToEnd(page);
    await page.getByRole("link", { name: TEMPLATE_KEY }).waitFor();
    await page.getByText(`${KEYS.toLocaleString("en-GB")} entries`, { exact: true }).waitFor();
    await assertFluid(page, "scrolling");
    await assertShownInFrames(page);
    for (const [key, name] of [
      ["End", TEMPLATE_KEY],
      ["Home", "file-000001.txt"],
    ] as const) {
      await page.keyboard.press(key);
      await page.locator(".object-row.focused").getByRole("link", { name }).waitFor();
    }

    await page.getByLabel("Filter this folder").fill("99999");
    await page.getByText("1 entry", { exact: true }).waitFor();
    await page.getByLabel("Filter this folder").fill("");
    await page.getByText(`${KEYS.toLocaleString("en-GB")} entries`, { exact: true }).waitFor();
    await assertFluid(page, "filtering");

    await page.getByRole("checkbox", { name: "Select all that are listed" }).check();
    await page.getByText(`${KEYS.toLocaleString("en-GB")} selected`).waitFor();
    for (const key of ["j", "x", "j", "j", "x", "k"]) await page.keyboard.press(key);
    await page.getByText(`${(KEYS - 2).toLocaleString("en-GB")} selected`).waitFor();
    await assertFluid(page, "selecting");

    // What is not listed yet is loaded, and selected too.
    await page.getByRole("button", { name: "Reload" }).click();
    await page.getByText("1,000 entries so far", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Clear the selection" }).click();
    await page.getByRole("checkbox", { name: "Select all that are listed" }).check();
    await page.getByText(`${KEYS.toLocaleString("en-GB")} selected`).waitFor();
    await assertFluid(page, "loading all");

    // Without an index, a search examines too many objects. It reports that, and offers to examine them page by page.
    await page.getByRole("link", { name: "Search the bucket" }).click();
    await page.getByLabel("Text in the key").fill("99999");
    await page.keyboard.press("Enter");
    await page.getByText("The search would examine too many objects.").waitFor();
    await page.getByRole("button", { name: "Examine every object" }).click();
    await page.getByRole("link", { name: "file-099999.txt" }).waitFor();
    await page.getByText("1 object found", { exact: true }).waitFor();
  });
}

/** Remembers the longest task and the longest time between two frames. */
async function watchTasks(page: Page): Promise<void> {
  await page.evaluate(() => {
    const longest = { task: 0 };
    Reflect.set(globalThis, "longest", longest);
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) longest.task = Math.max(longest.task, duration);
    }).observe({ type: "longtask" });
  });
}

async function assertFluid(page: Page, during: string): Promise<void> {
  const { task, elements } = await page.evaluate(() => {
    const longest: { task: number } = Reflect.get(globalThis, "longest");
    const { task } = longest;
    longest.task = 0;
    return { task, elements: document.querySelectorAll("*").length };
  });
  if (process.env["CONSOLE_TIMES"] !== undefined) console.log(`${during}: task ${task} ms, ${elements} elements`);
  assert.ok(task < TASK_MAX_MS, `a task took ${Math.round(task)} ms while ${during}`);
  assert.ok(elements < ELEMENTS_MAX, `the document has ${elements} elements after ${during}`);
}

/**
 * Jumps from place to place in the list. Two frames after each, rows must be where the window is: that holds on any machine,
 * but how long frames take does not, so it is only recorded.
 */
async function assertShownInFrames(page: Page): Promise<void> {
  const { gaps, blank } = await page.evaluate(async (jumps) => {
    const list = document.querySelector(".virtual-list");
    if (list === null) throw new Error("there is no list");
    const { left, top, width, height } = list.getBoundingClientRect();
    const frame = (): Promise<number> => new Promise((resolve) => requestAnimationFrame(resolve));
    const gaps: number[] = [];
    let blank = 0;
    for (let jump = 0; jump < jumps; jump += 1) {
      // 37 and 120 have no common divisor, so the jumps go to places all over the list.
      list.scrollTop = ((jump * 37) % jumps) * (list.scrollHeight / jumps);
      const begin = await frame();
      const next = await frame();
      gaps.push(next - begin);
      await frame();
      const shown = document.elementFromPoint(left + width / 2, top + height / 2);
      if (shown?.closest(".virtual-row") == null) blank += 1;
    }
    return { gaps: gaps.toSorted((one, other) => one - other), blank };
  }, JUMPS);
  assert.equal(blank, 0, `${blank} of ${JUMPS} jumps showed no rows`);
  const at = (share: number): number => Math.round(gaps[Math.floor(share * (gaps.length - 1))] ?? 0);
  const text = `half of the frames take ${at(0.5)} ms, 95 % at most ${at(0.95)} ms, and the longest ${at(1)} ms`;
  console.log(`      ${text}`);
  if (process.env["CONSOLE_FIGURES"] === undefined) return;
  writeFileSync(DOCUMENT, readFileSync(DOCUMENT, "utf8").replace(FIGURES, text));
}

/** Scrolls as far as the list goes, until it grows no more. */
async function scrollToEnd(page: Page): Promise<void> {
  await page.evaluate(async (expected) => {
    const list = document.querySelector(".virtual-list");
    if (list === null) throw new Error("there is no list");
    const rowHeight = 40;
    while (list.scrollHeight < expected * rowHeight) {
      list.scrollTop = list.scrollHeight;
      await new Promise((resolve) => requestAnimationFrame(resolve));
    }
    list.scrollTop = list.scrollHeight;
  }, KEYS);
}
