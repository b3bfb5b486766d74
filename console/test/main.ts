// `npm run test:console`: builds the console, serves Cairn, and runs the checks of every screen in Debian's Chromium.
// Arguments choose suites by a part of their names.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildConsole } from "../../scripts/project/console-files.ts";
import { endRunningCairns, startCairn } from "../../test/clients/cairn-process.ts";
import { PrintedReport, reasonOf, runSuites } from "../../test/clients/harness.ts";
import { installMissingClients } from "../../test/clients/install.ts";
import { openBrowser } from "./support/browser.ts";
import { CREDENTIALS, type Stage } from "./support/stage.ts";
import { SUITES } from "./suites.ts";

const report = new PrintedReport();
const folder = mkdtempSync(join(tmpdir(), "cairn-console-"));

async function main(chosen: readonly string[]): Promise<void> {
  await installMissingClients();
  await buildConsole();
  const cairn = await startCairn({ state: join(folder, "state"), credentials: CREDENTIALS });
  const browser = await openBrowser();
  const signInLink = /^ *console +(\S+)$/m.exec(cairn.output())?.[1] ?? "";
  const stage: Stage = { browser, url: cairn.url, signInLink };
  const suites = SUITES.filter(({ client }) => chosen.length === 0 || chosen.some((word) => client.includes(word)));
  if (suites.length === 0) throw new Error(`no suite is called ${chosen.join(", ")}`);
  await runSuites(
    suites.map(({ client, of }) => ({ client, run: (to) => of(stage).run(to) })),
    report,
    1,
  );
  await browser.close();
  await cairn.stop();
}

process.on("exit", () => {
  endRunningCairns();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(130));
try {
  await main(process.argv.slice(2));
} catch (error) {
  report.failed("harness", "the console can be tested", reasonOf(error), 0);
}
report.printSummary();
process.exit(report.hasFailures ? 1 : 0);
