// `npm run test:clients`: runs the clients that people use, unmodified, against a served Cairn. The names of clients on
// the command line choose among them.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CairnProcess, endRunningCairns, startCairn } from "./clients/cairn-process.ts";
import { chooseSuites } from "./clients/choose-suites.ts";
import { PrintedReport, reasonOf, runSuites } from "./clients/harness.ts";
import { installMissingClients } from "./clients/install.ts";
import { newClient } from "./clients/javascript/tools.ts";
import { makeListingBucket } from "./clients/listing-fixture.ts";
import { endRunningCommands } from "./clients/run-command.ts";
import { DOMAIN, endpointAt, makeBodies, type Site } from "./clients/site.ts";
import { openTlsFront } from "./clients/tls-front.ts";

const LANES = 2;
const CREDENTIALS = {
  accessKeyId: process.env["CAIRN_ROOT_ACCESS_KEY_ID"] ?? "CAIRNCLIENTSCHECKS00",
  secretAccessKey: process.env["CAIRN_ROOT_SECRET_ACCESS_KEY"] ?? "checks/of+clients/secret/access+key",
};

const scratch = mkdtempSync(join(tmpdir(), "cairn-clients-"));
const report = new PrintedReport();

function cleanUp(): void {
  endRunningCommands();
  endRunningCairns();
  rmSync(scratch, { recursive: true, force: true, maxRetries: 5 });
}

async function main(): Promise<void> {
  await installMissingClients();
  const cairn = await startCairn({
    state: join(scratch, "state"),
    credentials: CREDENTIALS,
    settings: { DOMAINS: DOMAIN },
  });
  const front = await openTlsFront(cairn.url, scratch);
  const site: Site = {
    http: endpointAt(cairn.url),
    https: endpointAt(front.url),
    caFile: front.caFile,
    credentials: CREDENTIALS,
    region: "us-east-1",
    scratch,
    ...makeBodies(scratch),
  };
  await makeListingBucket(newClient(site, site.http));
  await runSuites(await chooseSuites(site, process.argv.slice(2), report), report, LANES);
  front.close();
  await cairn.stop();
  reportServerErrors(cairn);
}

/** Whatever the clients did, none of it may have been an unexpected failure to the server. */
function reportServerErrors(cairn: CairnProcess): void {
  const name = "no request failed inside in a way that nobody had foreseen";
  const errors = cairn.output().match(/^.*(?:"level":"error"|Uncaught|uncaught exception).*$/gm) ?? [];
  if (errors.length === 0) report.passed("server", name, 0);
  else report.failed("server", name, errors.slice(0, 10).join("\n"), 0);
}

process.on("exit", cleanUp);
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(130));
try {
  await main();
} catch (error) {
  report.failed("harness", "the clients can be run", reasonOf(error), 0);
}
cleanUp();
report.printSummary();
process.exit(report.hasFailures ? 1 : 0);
