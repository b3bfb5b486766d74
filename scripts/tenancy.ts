// `npm run tenancy`: sets up a bucket that two tenants share, uploads as a browser of each would, and shows that neither
// can see or touch what is the other's. It is meant to be read: docs/tenancy.md tells the same in words.
import { randomBytes } from "node:crypto";
import { parseArgs } from "node:util";
import { Caller, type Place, textsIn } from "./tenancy/caller.ts";
import {
  addTenant,
  lendUploads,
  makeTenantBucket,
  removeTenantBucket,
  removeUser,
  setKeyStatus,
  type Tenant,
  uploadFromPage,
} from "./tenancy/tenants.ts";

const USAGE = `Usage: npm run tenancy -- [--endpoint URL] [--keep]

Makes a bucket and two users who have a folder of it each, and shows what they can do and what they cannot.

  --endpoint URL   where Cairn is (default http://localhost:9000)
  --keep           leave the bucket and the users there, and print the users' keys
  --help           this text

Signs with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or else CAIRN_ROOT_ACCESS_KEY_ID and
CAIRN_ROOT_SECRET_ACCESS_KEY, of the environment: those of root, or of a user who may do this.`;

/** Where the tenants' users come from, as far as their browsers know. */
const PAGE_ORIGIN = "https://app.example";
const URL_SECONDS = 300;

let surprises = 0;

async function main(operator: Caller, isKept: boolean): Promise<void> {
  const mark = randomBytes(3).toString("hex");
  const bucket = `tenants-${mark}`;
  const names = [`alice-${mark}`, `bob-${mark}`] as const;

  say(`the bucket ${bucket}, to which pages of ${PAGE_ORIGIN} may upload`);
  await makeTenantBucket(operator, bucket, PAGE_ORIGIN);
  say(`two users, ${names.join(" and ")}, with the same policy and an access key each`);
  const alice = await addTenant(operator, bucket, names[0]);
  const bob = await addTenant(operator, bucket, names[1]);

  for (const tenant of [alice, bob]) await uploadThroughBrowser(tenant, bucket);
  await showBounds(alice, bob, bucket);
  await showBounds(bob, alice, bucket);
  await showRevocation(operator, bob, bucket);

  if (isKept) {
    for (const { name, keys } of [alice, bob]) console.log(`${name}: ${keys.accessKeyId} ${keys.secretAccessKey}`);
    return;
  }
  say("all of it removed again");
  for (const { name } of [alice, bob]) await removeUser(operator, name);
  await removeTenantBucket(operator, bucket);
}

/** A tenant's server lends a browser the right to upload one file: no key of the tenant's own leaves the server. */
async function uploadThroughBrowser(tenant: Tenant, bucket: string): Promise<void> {
  const { name } = tenant;
  const prefix = `${name}/uploads/`;
  say(`${name} gets temporary credentials that upload below ${prefix} and do nothing else`);
  const pass = await lendUploads(tenant, bucket, prefix);
  const url = await pass.presign("PUT", `/${bucket}/${prefix}photo.txt`, URL_SECONDS);
  await expect("yes", `a browser with a URL made of them uploads ${prefix}photo.txt`, () =>
    uploadFromPage(url, PAGE_ORIGIN, "text/plain", `a photo of ${name}`),
  );
  await expect("no", "the URL uploads something else", () =>
    fetch(url.replace("photo.txt", "other.txt"), { method: "PUT", body: "x" }),
  );
  await expect("no", "the temporary credentials read what was uploaded", () =>
    pass.s3("GET", `/${bucket}/${prefix}photo.txt`),
  );
  await expect("no", `they write outside of ${prefix}`, () =>
    pass.s3("PUT", `/${bucket}/${name}/report.txt`, { body: "x" }),
  );
}

async function showBounds({ name, caller }: Tenant, other: Tenant, bucket: string): Promise<void> {
  const [own, foreign] = [`/${bucket}/${name}/uploads/photo.txt`, `/${bucket}/${other.name}/uploads/photo.txt`];
  const list = (prefix: string) => caller.s3("GET", `/${bucket}?list-type=2&prefix=${encodeURIComponent(prefix)}`);
  say(`${name} with its own keys`);
  await expect("yes", "reads what was uploaded for it", () => caller.s3("GET", own));
  const keys = textsIn(await (await list(`${name}/`)).text(), "Key");
  await expect("yes", `lists ${name}/: ${keys.join(", ")}`, () => list(`${name}/`));
  await expect("no", `lists ${other.name}/`, () => list(`${other.name}/`));
  await expect("no", "lists the bucket", () => list(""));
  await expect("no", `reads ${other.name}'s photo`, () => caller.s3("GET", foreign));
  await expect("no", "replaces it", () => caller.s3("PUT", foreign, { body: "x" }));
  await expect("no", "deletes it", () => caller.s3("DELETE", foreign));
  await expect("no", "copies it into its own folder", () =>
    caller.s3("PUT", `/${bucket}/${name}/stolen.txt`, { headers: { "x-amz-copy-source": foreign } }),
  );
  const url = await caller.presign("GET", foreign, URL_SECONDS);
  await expect("no", "reads it by a URL that it signs itself", () => fetch(url));
}

async function showRevocation(operator: Caller, tenant: Tenant, bucket: string): Promise<void> {
  const target = `/${bucket}/${tenant.name}/uploads/photo.txt`;
  const url = await tenant.caller.presign("GET", target, URL_SECONDS);
  const pass = await lendUploads(tenant, bucket, `${tenant.name}/uploads/`);
  say(`${tenant.name}'s access key is turned off`);
  await setKeyStatus(operator, tenant, "Inactive");
  await expect("no", "it reads its photo", () => tenant.caller.s3("GET", target));
  await expect("no", "a URL that it gave away before reads it", () => fetch(url));
  await expect("no", "temporary credentials that it got before upload", () => pass.s3("PUT", target, { body: "x" }));
  await setKeyStatus(operator, tenant, "Active");
  await expect("yes", "turned on again, it reads its photo", () => tenant.caller.s3("GET", target));
}

/** Tries something, and says what came of it: `yes` where it is to succeed, `no` where it is to be refused with 403. */
async function expect(expected: "yes" | "no", what: string, attempt: () => Promise<Response>): Promise<void> {
  const response = await attempt();
  const text = await response.text();
  const isExpected = expected === "yes" ? response.ok : response.status === 403;
  if (!isExpected) surprises += 1;
  const refusal = response.ok ? "" : ` (${response.status} ${/<Code>(\w+)</.exec(text)?.[1] ?? ""})`;
  console.log(`  ${isExpected ? "" : "NOT AS EXPECTED: "}${response.ok ? "yes" : "no "}  ${what}${refusal}`);
}

function say(what: string): void {
  console.log(`> ${what}`);
}

function readCommandLine(): { readonly endpoint: string; readonly keep: boolean; readonly help: boolean } {
  return parseArgs({
    options: {
      endpoint: { type: "string", default: "http://localhost:9000" },
      keep: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  }).values;
}

function operatorFromEnvironment(place: Place): Caller {
  for (const prefix of ["AWS", "CAIRN_ROOT"]) {
    const accessKeyId = process.env[`${prefix}_ACCESS_KEY_ID`];
    const secretAccessKey = process.env[`${prefix}_SECRET_ACCESS_KEY`];
    if (accessKeyId && secretAccessKey) return new Caller(place, { accessKeyId, secretAccessKey });
  }
  throw new Error(`there are no keys in the environment\n\n${USAGE}`);
}

try {
  const { endpoint, keep, help } = readCommandLine();
  if (help) console.log(USAGE);
  else {
    const place = { endpoint: endpoint.replace(/\/$/, ""), region: process.env["AWS_REGION"] ?? "auto" };
    await main(operatorFromEnvironment(place), keep);
    if (surprises > 0) throw new Error(`${surprises} answers were not as expected`);
    console.log("Each tenant sees and touches its own folder, and nothing else.");
  }
} catch (error) {
  const { message, cause } = error instanceof Error ? error : new Error(String(error));
  // Of what keeps it from being sent, only the cause tells what it is.
  console.error(`tenancy: ${message}${cause instanceof Error ? `: ${cause.message}` : ""}`);
  process.exitCode = 1;
}
