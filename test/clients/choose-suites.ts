// Selects the suites: every client at the endpoints where it behaves differently.
import { archives } from "./archives.ts";
import { awsCli, findAwsCli } from "./aws-cli.ts";
import { boto3, findBoto3 } from "./boto3.ts";
import { browser } from "./browser.ts";
import { curl } from "./curl.ts";
import { guides } from "./guides.ts";
import type { Report, Suite } from "./harness.ts";
import { lockedBackups } from "./locked-backups.ts";
import { identities } from "./identities.ts";
import { imports } from "./imports.ts";
import { javaScriptSdk } from "./javascript.ts";
import { mounts } from "./mounts.ts";
import { newcomer } from "./newcomer.ts";
import { rawSockets } from "./raw.ts";
import { rclone } from "./rclone.ts";
import { restarts } from "./restarts.ts";
import { restic } from "./restic.ts";
import { s3cmd } from "./s3cmd.ts";
import type { Site } from "./site.ts";
import { tenancy } from "./tenancy.ts";

/** The suites whose clients' names begin with one of `names`; all of them if `names` is empty. */
export async function chooseSuites(site: Site, names: readonly string[], report: Report): Promise<Suite[]> {
  const boto3s = await versions("boto3", "python3", ["/usr/bin/python3", "python3"], report, (program) =>
    findBoto3(site, program),
  );
  const awsClis = await versions("aws-cli", "aws", ["/usr/bin/aws", "aws"], report, (program) =>
    findAwsCli(site, program),
  );
  const suites = [
    ...boto3s.flatMap((found) => [boto3(site, site.http, found), boto3(site, site.https, found)]),
    ...awsClis.flatMap((found, index) => [
      awsCli(site, site.http, found, index === 0),
      awsCli(site, site.https, found, index === 0),
    ]),
    ...[javaScriptSdk, curl, rclone, s3cmd, rawSockets].flatMap((client) => [
      client(site, site.http),
      client(site, site.https),
    ]),
    browser(site, site.http),
    archives(site, site.http),
    restic(site, site.http),
    lockedBackups(site, site.http),
    ...mounts(site, site.http),
    ...awsClis.map((found) => identities(site, found)),
    tenancy(site, awsClis, boto3s),
    restarts(site),
    imports(site, awsClis),
    newcomer(site, awsClis, boto3s),
    guides(site, awsClis, boto3s),
  ];
  const chosen = suites.filter(({ client }) => names.length === 0 || names.some((name) => client.startsWith(name)));
  if (chosen.length === 0) throw new Error(`no client is called ${names.join(", ")}`);
  return chosen;
}

/** Debian's version of a client, which is required, and the first on the PATH if that is another one. */
async function versions<Found extends { readonly version: string }>(
  client: string,
  command: string,
  [debians, first]: readonly [string, string],
  report: Report,
  find: (program: string) => Promise<Found | undefined>,
): Promise<Found[]> {
  const ofDebian = await find(debians);
  if (ofDebian === undefined) report.failed(client, `Debian's ${debians} has it`, "it is missing", 0);
  const ofPath = await find(first);
  const isAnother = ofPath !== undefined && ofPath.version !== ofDebian?.version;
  if (!isAnother) report.skipped(client, `the ${command} that is first on the PATH has no other version of it`);
  return [ofDebian, isAnother ? ofPath : undefined].filter((found) => found !== undefined);
}
