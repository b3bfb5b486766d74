// `npm run test:clients`: runs the clients that people use, unmodified, against a served Cairn. The names of clients on
// the command line choose among them.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PAGE_DELIVERY } from "./browser/delivered-page.ts";
import { type CairnProcess, endRunningCairns, startCairn } from "./cairn-process.ts";
import { chooseSuites } from "./choose-suites.ts";
import { PrintedReport, reasonOf, runSuites } from "./harness.ts";
import { installMissingClients } from "./install.ts";
import { newClient } from "./javascript/tools.ts";
import { makeListingBucket } from "./listing-fixture.ts";
import { endRunningCommands } from "./run-command.ts";
import { DOMAIN, endpointAt, makeBodies, type Credentials, type Site } from "./site.ts";
import { openTlsFront } from "./tls-front.ts";
import { Caller } from "../../scripts/tenancy/caller.ts";
import { addUser } from "../../scripts/tenancy/tenants.ts";

const LANES = 2;
const REGION = "auto";
const ROOT = {
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
    credentials: ROOT,
    settings: { DOMAINS: DOMAIN, DELIVERY: PAGE_DELIVERY },
  });
  const front = await openTlsFront(cairn.url, scratch);
  const site: Site = {
    http: endpointAt(cairn.url),
    https: endpointAt(front.url),
    caFile: front.caFile,
    credentials: await makeUser(cairn),
    root: ROOT,
    region: REGION,
    scratch,
    ...makeBodies(scratch),
  };
  await makeListingBucket(newClient(site, site.http));
  await runSuites(await chooseSuites(site, process.argv.slice(2), report), report, LANES);
  front.close();
  await cairn.stop();
  reportServerErrors(cairn);
}

/** The user whose keys the clients use: no client needs root's keys. */
async function makeUser({ url }: CairnProcess): Promise<Credentials> {
  const root = new Caller({ endpoint: url, region: REGION }, ROOT);
  const Statement = [{ Effect: "Allow", Action: "s3:*", Resource: "*" }];
  const { keys } = await addUser(root, "clients", { Version: "2012-10-17", Statement }, "/");
  return keys;
}

/** No client may have caused an unexpected server error. */
function reportServerErrors(cairn: CairnProcess): void {
  const name = "no request caused an unexpected server error";
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
