// `npm run tenancy`: creates a bucket that two tenants share, uploads like a browser of each, and shows that neither
// can read or change the other's data. docs/tenancy.md explains the same steps.
import { randomBytes } from "node:crypto";
import { readCommandLine } from "./project/command-line.ts";
import { Caller, type Place, textsIn } from "./tenancy/caller.ts";
import {
  addTenant,
  issueUploadCredentials,
  makeTenantBucket,
  deleteTenantBucket,
  deleteUser,
  setKeyStatus,
  type Tenant,
  uploadFromPage,
} from "./tenancy/tenants.ts";

const USAGE = `Usage: npm run tenancy -- [--endpoint URL] [--keep]

Creates a bucket and two users with a folder each, and shows what they can and cannot do.

  --endpoint URL   Cairn's endpoint (default http://localhost:9000)
  --keep           keep the bucket and the users, and print the users' keys
  --help           this text

Signs with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or otherwise with CAIRN_ROOT_ACCESS_KEY_ID and
CAIRN_ROOT_SECRET_ACCESS_KEY of the environment: root's keys, or those of a user with these permissions.`;

/** The origin of the page in the tenants' browsers. */
const PAGE_ORIGIN = "https://app.example";
const URL_SECONDS = 300;

let failures = 0;

async function main(operator: Caller, keepsTenants: boolean): Promise<void> {
  const mark = randomBytes(3).toString("hex");
  const bucket = `tenants-${mark}`;
  const names = [`alice-${mark}`, `bob-${mark}`] as const;

  log(`the bucket ${bucket}, to which pages of ${PAGE_ORIGIN} may upload`);
  await makeTenantBucket(operator, bucket, PAGE_ORIGIN);
  log(`two users, ${names.join(" and ")}, with the same policy and an access key each`);
  const alice = await addTenant(operator, bucket, names[0]);
  const bob = await addTenant(operator, bucket, names[1]);

  for (const tenant of [alice, bob]) await uploadThroughBrowser(tenant, bucket);
  await showBounds(alice, bob, bucket);
  await showBounds(bob, alice, bucket);
  await showRevocation(operator, bob, bucket);

  if (keepsTenants) {
    for (const { name, keys } of [alice, bob]) console.log(`${name}: ${keys.accessKeyId} ${keys.secretAccessKey}`);
    return;
  }
  log("cleaning up");
  for (const { name } of [alice, bob]) await deleteUser(operator, name);
  await deleteTenantBucket(operator, bucket);
}

/** A tenant's server gives a browser a URL for one upload, so that the tenant's own keys never leave the server. */
async function uploadThroughBrowser(tenant: Tenant, bucket: string): Promise<void> {
  const { name } = tenant;
  const prefix = `${name}/uploads/`;
  log(`${name} gets temporary credentials that can only upload below ${prefix}`);
  const session = await issueUploadCredentials(tenant, bucket, prefix);
  const url = await session.presign("PUT", `/${bucket}/${prefix}photo.txt`, URL_SECONDS);
  await expect("yes", `a browser with a URL signed with them uploads ${prefix}photo.txt`, () =>
    uploadFromPage(url, PAGE_ORIGIN, "text/plain", `a photo of ${name}`),
  );
  await expect("no", "the URL uploads another key", () =>
    fetch(url.replace("photo.txt", "other.txt"), { method: "PUT", body: "x" }),
  );
  await expect("no", "the temporary credentials read what was uploaded", () =>
    session.s3("GET", `/${bucket}/${prefix}photo.txt`),
  );
  await expect("no", `they write outside of ${prefix}`, () =>
    session.s3("PUT", `/${bucket}/${name}/report.txt`, { body: "x" }),
  );
}

async function showBounds({ name, caller }: Tenant, other: Tenant, bucket: string): Promise<void> {
  const [own, foreign] = [`/${bucket}/${name}/uploads/photo.txt`, `/${bucket}/${other.name}/uploads/photo.txt`];
  const list = (prefix: string) => caller.s3("GET", `/${bucket}?list-type=2&prefix=${encodeURIComponent(prefix)}`);
  log(`${name} with its own keys`);
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
  await expect("no", "reads it with a URL that it signs itself", () => fetch(url));
}

async function showRevocation(operator: Caller, tenant: Tenant, bucket: string): Promise<void> {
  const target = `/${bucket}/${tenant.name}/uploads/photo.txt`;
  const url = await tenant.caller.presign("GET", target, URL_SECONDS);
  const session = await issueUploadCredentials(tenant, bucket, `${tenant.name}/uploads/`);
  log(`the operator deactivates ${tenant.name}'s access key`);
  await setKeyStatus(operator, tenant, "Inactive");
  await expect("no", "it reads its photo", () => tenant.caller.s3("GET", target));
  await expect("no", "an older presigned URL reads it", () => fetch(url));
  await expect("no", "older temporary credentials upload", () => session.s3("PUT", target, { body: "x" }));
  await setKeyStatus(operator, tenant, "Active");
  await expect("yes", "reactivated, it reads its photo", () => tenant.caller.s3("GET", target));
}

/** Sends a request and prints the result: `yes` expects success, `no` expects 403. */
async function expect(expected: "yes" | "no", what: string, attempt: () => Promise<Response>): Promise<void> {
  const response = await attempt();
  const text = await response.text();
  const isExpected = expected === "yes" ? response.ok : response.status === 403;
  if (!isExpected) failures += 1;
  const refusal = response.ok ? "" : ` (${response.status} ${/<Code>(\w+)</.exec(text)?.[1] ?? ""})`;
  console.log(`  ${isExpected ? "" : "NOT AS EXPECTED: "}${response.ok ? "yes" : "no "}  ${what}${refusal}`);
}

function log(text: string): void {
  console.log(`> ${text}`);
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
  const { endpoint, keep } = readCommandLine(USAGE, {
    endpoint: { type: "string", default: "http://localhost:9000" },
    keep: { type: "boolean", default: false },
  });
  const place = { endpoint: endpoint.replace(/\/$/, ""), region: process.env["AWS_REGION"] ?? "auto" };
  await main(operatorFromEnvironment(place), keep);
  if (failures > 0) throw new Error(`${failures} responses were not as expected`);
  console.log("Each tenant can read and change its own folder only.");
} catch (error) {
  const { message, cause } = error instanceof Error ? error : new Error(String(error));
  // Only the cause contains why a request could not be sent.
  console.error(`tenancy: ${message}${cause instanceof Error ? `: ${cause.message}` : ""}`);
  process.exitCode = 1;
}
