// Starts a local server: reads credentials and settings, starts the runtime and its schedule, and prints the greeting.
import {
  ACCESS_KEY_ID,
  SECRET_ACCESS_KEY,
  devVarsFile,
  rootCredentials,
  sourceOfCredentials,
} from "../project/credentials.ts";
import { MASTER_KEY, masterKey } from "../project/master-key.ts";
import { isConsoleBuilt } from "../project/console-files.ts";
import { signInLink } from "../project/sign-in-link.ts";
import { PROJECT_ROOT, readWranglerToml } from "../project/wrangler-toml.ts";
import { readSettings, SETTINGS } from "../../src/config/settings.ts";
import { settingProblems } from "../../src/config/setting-problems.ts";
import { CLIENT_ADDRESS_HEADER, makeAddressHeader, openFront } from "./front.ts";
import { greeting, type SecretSource } from "./greeting.ts";
import type { StartOptions } from "./options.ts";
import { assertPortIsFree, reachableHost, serveCairn, WORKER } from "./runtime.ts";
import { localCrons, startSchedule } from "./schedule.ts";
import { givenSettings } from "./settings.ts";

/** Serves Cairn as the command line requests. Returns a function that stops it. */
export async function serveLocally(where: Omit<StartOptions, "help">): Promise<() => Promise<void>> {
  const toml = readWranglerToml();
  const source = secretSource();
  const credentials = rootCredentials(process.env, PROJECT_ROOT);
  const settings = givenSettings(toml.vars, process.env, PROJECT_ROOT);
  const bindings = {
    ...settings,
    [ACCESS_KEY_ID]: credentials.accessKeyId,
    [SECRET_ACCESS_KEY]: credentials.secretAccessKey,
    [MASTER_KEY]: masterKey(process.env, PROJECT_ROOT),
  };
  const problems = settingProblems(bindings);
  for (const { message } of problems) console.warn(`cairn: ${message}`);
  if (problems.some(({ stopsDeletion }) => stopsDeletion)) {
    console.warn("cairn: scheduled deletions are disabled until the settings are valid");
  }
  const { host, port, state, databases, blobs, fsync } = where;
  await assertPortIsFree(host, port);
  const addressHeader = makeAddressHeader();
  const cairn = await serveCairn({
    state,
    databases,
    blobs,
    fsync,
    host: "127.0.0.1",
    port: 0,
    bindings: { ...bindings, [CLIENT_ADDRESS_HEADER]: addressHeader },
  });
  const front = await openFront(host, port, addressHeader, async () => Number(new URL(await cairn.urlOf(WORKER)).port));
  const stopSchedule = startSchedule(localCrons(toml.crons), (cron) => cairn.runScheduled(cron));
  for (const name of cairn.migrated) console.log(`applied migration ${name}`);
  const url = `http://${reachableHost(host)}:${front.port}`;
  const region = settings["REGION"] ?? SETTINGS.REGION.default;
  const hasConsole = isConsoleBuilt() && readSettings(bindings).console;
  // Without root there is no link; root can be disabled.
  const link = hasConsole ? await signInLink({ endpoint: url, region }, credentials).catch(() => undefined) : undefined;
  console.log(greeting(url, region, credentials, source, link));
  return async () => {
    stopSchedule();
    front.close();
    await cairn.stop();
  };
}

/** Call it before credentials are generated. */
function secretSource(): SecretSource {
  const kind = sourceOfCredentials(process.env, PROJECT_ROOT) ?? "made";
  return kind === "environment" ? { kind } : { kind, file: devVarsFile(PROJECT_ROOT) };
}
