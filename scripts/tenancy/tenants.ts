// Tenants of a bucket that they share: users who have a folder each, and what they hand to browsers.
import { createHash } from "node:crypto";
import { Caller, keysIn, type Keys, textIn, textsIn } from "./caller.ts";
import { TENANT_PATH, tenantPolicy, uploadPolicy, type PolicyDocument } from "./policies.ts";

/** A user of the account, and its keys. */
export interface Tenant {
  readonly name: string;
  readonly keys: Keys;
  readonly caller: Caller;
}

const POLICY_NAME = "tenant";

/** As short as temporary credentials can live. */
const PASS_SECONDS = 900;

/** Makes the bucket, and lets pages of one origin upload to it. */
export async function makeTenantBucket(operator: Caller, bucket: string, origin: string): Promise<void> {
  await mustSucceed("CreateBucket", operator.s3("PUT", `/${bucket}`));
  await allowOrigin(operator, bucket, origin);
}

/** Lets pages of an origin upload to the bucket by URL, and those of no other. */
export async function allowOrigin(operator: Caller, bucket: string, origin: string): Promise<void> {
  const rule = [
    `<AllowedOrigin>${origin}</AllowedOrigin>`,
    "<AllowedMethod>PUT</AllowedMethod>",
    "<AllowedHeader>*</AllowedHeader>",
    "<ExposeHeader>ETag</ExposeHeader>",
  ];
  const body = `<CORSConfiguration><CORSRule>${rule.join("")}</CORSRule></CORSConfiguration>`;
  const headers = { "content-md5": md5Base64(body) };
  await mustSucceed("PutBucketCors", operator.s3("PUT", `/${bucket}?cors`, { headers, body }));
}

/** Makes a user with a policy and an access key. */
export async function addUser(
  operator: Caller,
  name: string,
  policy: PolicyDocument,
  path = TENANT_PATH,
): Promise<Tenant> {
  await operator.iam("CreateUser", { UserName: name, Path: path });
  const PolicyDocument = JSON.stringify(policy);
  await operator.iam("PutUserPolicy", { UserName: name, PolicyName: POLICY_NAME, PolicyDocument });
  const keys = keysIn(await operator.iam("CreateAccessKey", { UserName: name }));
  return { name, keys, caller: new Caller(operator.place, keys) };
}

/** Makes a tenant, whose folder of the bucket is called as it is. */
export function addTenant(operator: Caller, bucket: string, name: string): Promise<Tenant> {
  return addUser(operator, name, tenantPolicy(bucket));
}

/** Takes a user's keys and rights away and removes it. Its objects stay. */
export async function removeUser(operator: Caller, name: string): Promise<void> {
  const listed = await operator.iam("ListAccessKeys", { UserName: name });
  for (const AccessKeyId of textsIn(listed, "AccessKeyId")) {
    await operator.iam("DeleteAccessKey", { UserName: name, AccessKeyId });
  }
  await operator.iam("DeleteUserPolicy", { UserName: name, PolicyName: POLICY_NAME });
  await operator.iam("DeleteUser", { UserName: name });
}

/** Turns an access key off, and on again: from the next request on. */
export async function setKeyStatus(operator: Caller, tenant: Tenant, status: "Active" | "Inactive"): Promise<void> {
  const { accessKeyId: AccessKeyId } = tenant.keys;
  await operator.iam("UpdateAccessKey", { UserName: tenant.name, AccessKeyId, Status: status });
}

/** Temporary credentials of a tenant's, good for uploads below a prefix and for nothing else. */
export async function lendUploads({ name, caller }: Tenant, bucket: string, prefix: string): Promise<Caller> {
  const answer = await caller.sts("GetFederationToken", {
    Name: name,
    DurationSeconds: String(PASS_SECONDS),
    Policy: JSON.stringify(uploadPolicy(bucket, prefix)),
  });
  return new Caller(caller.place, keysIn(answer));
}

/** Uploads to a URL as a page of an origin does in a browser: which asks first whether it may. */
export async function uploadFromPage(url: string, origin: string, type: string, body: string): Promise<Response> {
  const asked = await fetch(url, {
    method: "OPTIONS",
    headers: { origin, "access-control-request-method": "PUT", "access-control-request-headers": "content-type" },
  });
  if (!asked.ok || asked.headers.get("access-control-allow-origin") !== origin) {
    throw new Error(`a browser would not let a page of ${origin} upload: ${asked.status} ${await asked.text()}`);
  }
  return fetch(url, { method: "PUT", headers: { origin, "content-type": type }, body });
}

/** Deletes the bucket with everything in it. */
export async function removeTenantBucket(operator: Caller, bucket: string): Promise<void> {
  for (;;) {
    const page = await mustSucceed("ListObjectsV2", operator.s3("GET", `/${bucket}?list-type=2`));
    for (const key of textsIn(page, "Key")) {
      const target = `/${bucket}/${key.split("/").map(encodeURIComponent).join("/")}`;
      await mustSucceed("DeleteObject", operator.s3("DELETE", target));
    }
    if (textIn(page, "IsTruncated") !== "true") break;
  }
  await mustSucceed("DeleteBucket", operator.s3("DELETE", `/${bucket}`));
}

async function mustSucceed(operation: string, answer: Promise<Response>): Promise<string> {
  const response = await answer;
  const text = await response.text();
  if (!response.ok) throw new Error(`${operation}: ${textIn(text, "Code")}: ${textIn(text, "Message")}`);
  return text;
}

function md5Base64(text: string): string {
  return createHash("md5").update(text).digest("base64");
}
