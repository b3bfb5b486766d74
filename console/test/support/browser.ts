// Debian's Chromium, and pages whose errors fail the check that opened them.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { type Browser, chromium, type Page } from "playwright-core";
import { CHROMIUM } from "../../../test/clients/browser/chromium.ts";
import { CREDENTIALS, type Stage } from "./stage.ts";

/** The machine may be busy with other suites. */
const TIMEOUT_MS = 90_000;
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export function openBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: CHROMIUM,
    args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-proxy-server"],
  });
}

export interface PageOptions {
  readonly width?: number;
  readonly height?: number;
  readonly language?: "en-GB" | "zh-CN";
  readonly colorScheme?: "light" | "dark";
  /** Errors that the check expects: parts of their texts. */
  readonly expectedErrors?: readonly string[];
}

/**
 * Opens a page, runs a check with it, and closes it. The check fails, too, if the page threw, logged an error, or broke
 * its policy.
 */
export async function withPage(
  { browser }: Stage,
  check: (page: Page) => Promise<void>,
  { width = 1200, height = 800, language = "en-GB", colorScheme = "light", expectedErrors = [] }: PageOptions = {},
): Promise<void> {
  const context = await browser.newContext({ viewport: { width, height }, locale: language, colorScheme });
  const problems: string[] = [];
  const note = (text: string): void => {
    // Chromium logs every answer of 400 and above; what those mean is the check's business.
    if (text.startsWith("Failed to load resource")) return;
    if (!expectedErrors.some((part) => text.includes(part))) problems.push(text);
  };
  const page = await context.newPage();
  page.setDefaultTimeout(TIMEOUT_MS);
  page.on("pageerror", (error) => note(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") note(message.text());
  });
  await page.addInitScript(() => {
    // Shifts that no input has caused.
    let shift = 0;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) {
        if (Reflect.get(entry, "hadRecentInput") !== true) shift += Number(Reflect.get(entry, "value"));
      }
      Reflect.set(globalThis, "layoutShift", shift);
    }).observe({ type: "layout-shift", buffered: true });
    addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) => {
      console.error(`the policy forbids ${violatedDirective} ${blockedURI}`);
    });
  });
  try {
    await check(page);
    assert.deepEqual(problems, [], "the page reported errors");
  } finally {
    await context.close();
  }
}

/** The address of a place of the console: `#/buckets`. */
export function consoleUrl({ url }: Stage, place = ""): string {
  return `${url}/_/console/${place}`;
}

/** Signs in with the form, and shows a place. */
export async function signIn(
  stage: Stage,
  page: Page,
  place = "#/buckets",
  credentials: { accessKeyId: string; secretAccessKey: string } = CREDENTIALS,
): Promise<void> {
  await page.goto(consoleUrl(stage, place));
  await fillCredentials(page, credentials);
  await page.locator('button[type="submit"]').click();
  await page.locator(".shell").waitFor();
}

/** Fills the form of the sign-in, in any language, and does not send it. */
export async function fillCredentials(
  page: Page,
  { accessKeyId, secretAccessKey }: { accessKeyId: string; secretAccessKey: string } = CREDENTIALS,
): Promise<void> {
  await page.locator('input[autocomplete="username"]').fill(accessKeyId);
  await page.locator('input[type="password"]').fill(secretAccessKey);
}

/** Asserts that axe-core finds no violation in what the page shows. */
export async function assertAccessible(page: Page): Promise<void> {
  // The policy of the page forbids a script of the test's own, but not what the driver evaluates.
  await page.evaluate(AXE);
  const violations = await page.evaluate(async () => {
    const axe: unknown = Reflect.get(globalThis, "axe");
    const run: unknown = Reflect.get(Object(axe), "run");
    if (typeof run !== "function") throw new Error("axe-core is not loaded");
    const result: { violations: { id: string; help: string; nodes: { html: string; failureSummary: string }[] }[] } =
      await run.call(axe, document);
    return result.violations.map(({ id, help, nodes }) => ({
      id,
      help,
      nodes: nodes.slice(0, 3).map(({ html, failureSummary }) => `${html} ${failureSummary}`),
    }));
  });
  assert.deepEqual(violations, [], "axe-core found violations");
}

/** What web.dev calls a good score. */
const SHIFT_MAX = 0.1;

/** Asserts that what was shown has not jumped while more came, since the page was opened. */
export async function assertNoJumps(page: Page): Promise<void> {
  const shift = Number(await page.evaluate("globalThis.layoutShift ?? 0"));
  assert.ok(shift < SHIFT_MAX, `the layout of ${page.url()} has shifted by ${shift}`);
}

/** Asserts that the page is no wider than its window, and the contents of an open dialog no wider than the dialog. */
export async function assertNoSidewaysScroll(page: Page): Promise<void> {
  const wide = await page.evaluate(() =>
    [document.documentElement, ...document.querySelectorAll("dialog[open]")]
      .filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth)
      .map(({ nodeName, scrollWidth, clientWidth }) => `${nodeName} has ${scrollWidth} in ${clientWidth} px`),
  );
  assert.deepEqual(wide, []);
}
