// `npm run doctor`: examines an endpoint from outside and says in plain words what is wrong with it and what to do.
import { randomBytes } from "node:crypto";
import { parseArgs } from "node:util";
import { checkDelivery } from "./doctor/delivery-checks.ts";
import { reportLines, skipped, bad, type Finding } from "./doctor/findings.ts";
import { checkHealth } from "./doctor/health-checks.ts";
import type { Place } from "./doctor/place.ts";
import { checkRequests, cleanUp } from "./doctor/request-checks.ts";
import { Wire } from "./doctor/wire.ts";
import { DATABASE_MAX_BYTES } from "../src/state/d1/size-limit.ts";
import { readMigrations } from "./migrations/folder.ts";
import { ACCESS_KEY_ID, SECRET_ACCESS_KEY, readDevVars } from "./project/credentials.ts";
import { PROJECT_ROOT, readWranglerToml } from "./project/wrangler-toml.ts";

const USAGE = `Usage: npm run doctor -- URL [--bucket NAME] [--largest MB] [--region REGION] [--free] [--json]
                              [--delivery URL]

Examines the endpoint at URL with signed requests, as clients send them. Everything is stored below one prefix and deleted
again. Credentials come from AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, else from the root credentials
in the environment or in .dev.vars; without any, only what needs none is checked.

  --bucket NAME   a bucket to write to; else one is made and deleted again
  --largest MB    the largest body to upload (default 20; 95, 190 and 480 find the limit of the zone's plan)
  --region NAME   of signatures (default auto)
  --delivery URL  also examine this delivery host, as https://cdn.example.com; can be repeated
  --free          compare the database with the limit of the Workers Free plan, 500 MB
  --json          print the findings as JSON
  --help          this text

Ends with 0 where all is well, with 1 where something is bad, and with 2 where it could not look.`;

const ADDRESS = /^https?:\/\/[^/]+\/?$/;

interface Arguments {
  readonly url: string;
  readonly bucket: string | undefined;
  readonly largest: number;
  readonly region: string;
  readonly deliveryUrls: readonly string[];
  readonly isFree: boolean;
  readonly isJson: boolean;
}

function readOptions(): Arguments | undefined {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      bucket: { type: "string" },
      largest: { type: "string", default: "20" },
      region: { type: "string", default: "auto" },
      delivery: { type: "string", multiple: true, default: [] },
      free: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return undefined;
  const [url = "", ...others] = positionals;
  if (!ADDRESS.test(url) || others.length > 0) throw new Error("give one address, as https://cairn.example.com");
  const wrong = values.delivery.find((one) => !ADDRESS.test(one));
  if (wrong !== undefined) throw new Error(`--delivery ${wrong}: give an address, as https://cdn.example.com`);
  if (!/^\d{1,4}$/.test(values.largest)) throw new Error(`--largest ${values.largest}: not a number of megabytes`);
  return {
    url,
    bucket: values.bucket,
    largest: Number(values.largest) * 1_000_000,
    region: values.region,
    deliveryUrls: values.delivery,
    isFree: values.free,
    isJson: values.json,
  };
}

function credentials(): ConstructorParameters<typeof Wire>[1] | undefined {
  const { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret, AWS_SESSION_TOKEN: token } = process.env;
  if (id && secret) return { accessKeyId: id, secretAccessKey: secret, sessionToken: token || undefined };
  const given = { ...readDevVars(PROJECT_ROOT), ...process.env };
  const [accessKeyId, secretAccessKey] = [given[ACCESS_KEY_ID], given[SECRET_ACCESS_KEY]];
  return accessKeyId && secretAccessKey ? { accessKeyId, secretAccessKey } : undefined;
}

async function examine({ url, bucket, largest, region, deliveryUrls, isFree }: Arguments): Promise<Finding[]> {
  const known = credentials();
  const wire = new Wire(url, known ?? { accessKeyId: "", secretAccessKey: "" }, region);
  const findings = await checkHealth(wire, {
    newestMigration: readMigrations(readWranglerToml().d1.migrationsDir).at(-1)?.name,
    databaseLimit: isFree ? 500_000_000 : DATABASE_MAX_BYTES,
    now: Date.now,
  });
  for (const host of deliveryUrls) findings.push(...(await checkDelivery(host, known)));
  if (known === undefined) return [...findings, skipped("requests", "there are no credentials to sign with")];
  const id = randomBytes(6).toString("hex");
  const place: Place = { wire, bucket: bucket ?? `cairn-doctor-${id}`, prefix: `cairn-doctor-${id}/`, largest };
  const isMade = bucket === undefined;
  if (isMade) {
    const { status, body } = await wire.send({ method: "PUT", target: `/${place.bucket}` });
    if (status !== 200) {
      const code = /<Code>(.*?)<\/Code>/.exec(body.toString())?.[1] ?? "no code of S3's";
      const remedy = "Are these the credentials of this Cairn? Name a bucket with --bucket if they may not make one.";
      return [...findings, bad("permissions", `CreateBucket is answered ${status} with ${code}`, remedy)];
    }
  }
  try {
    return [...findings, ...(await checkRequests(place))];
  } finally {
    await cleanUp(place);
    if (isMade) await wire.send({ method: "DELETE", target: `/${place.bucket}` });
  }
}

async function main(): Promise<number> {
  let options: Arguments | undefined;
  try {
    options = readOptions();
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    return 2;
  }
  if (options === undefined) {
    console.log(USAGE);
    return 0;
  }
  try {
    const findings = await examine(options);
    if (options.isJson) console.log(JSON.stringify(findings, undefined, 2));
    else for (const line of reportLines(findings)) console.log(line);
    return findings.some(({ level }) => level === "bad") ? 1 : 0;
  } catch (error) {
    console.error(
      `doctor: ${options.url} cannot be examined: ${error instanceof Error ? error.message : String(error)}`,
    );
    return 2;
  }
}

process.exitCode = await main();
