// Creates and deletes tenants of a shared bucket: users with a folder each, and temporary credentials for browsers.
import { createHash } from "node:crypto";
import { Caller, keysIn, type Keys, textIn, textsIn } from "./caller.ts";
import { TENANT_PATH, tenantPolicy, uploadPolicy, type PolicyDocument } from "./policies.ts";

/** A user of the account with its keys. */
export interface Tenant {
  readonly name: string;
  readonly keys: Keys;
  readonly caller: Caller;
}

const POLICY_NAME = "tenant";

/** The shortest lifetime of temporary credentials. */
const SESSION_SECONDS = 900;

/** Creates the bucket and permits pages of one origin to upload to it. */
export async function makeTenantBucket(operator: Caller, bucket: string, origin: string): Promise<void> {
  await mustSucceed("CreateBucket", operator.s3("PUT", `/${bucket}`));
  await allowOrigin(operator, bucket, origin);
}

/** Permits pages of one origin, and no other, to upload to the bucket by URL. */
async function allowOrigin(operator: Caller, bucket: string, origin: string): Promise<void> {
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

/** Creates a user with a policy and an access key. */
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

/** Creates a tenant. Its folder in the bucket has its name. */
export function addTenant(operator: Caller, bucket: string, name: string): Promise<Tenant> {
  return addUser(operator, name, tenantPolicy(bucket));
}

/** Deletes a user with its keys and policy. Its objects remain. */
export async function deleteUser(operator: Caller, name: string): Promise<void> {
  const listed = await operator.iam("ListAccessKeys", { UserName: name });
  for (const AccessKeyId of textsIn(listed, "AccessKeyId")) {
    await operator.iam("DeleteAccessKey", { UserName: name, AccessKeyId });
  }
  await operator.iam("DeleteUserPolicy", { UserName: name, PolicyName: POLICY_NAME });
  await operator.iam("DeleteUser", { UserName: name });
}

/** Activates or deactivates an access key, effective with the next request. */
export async function setKeyStatus(operator: Caller, tenant: Tenant, status: "Active" | "Inactive"): Promise<void> {
  const { accessKeyId: AccessKeyId } = tenant.keys;
  await operator.iam("UpdateAccessKey", { UserName: tenant.name, AccessKeyId, Status: status });
}

/** Issues temporary credentials of a tenant that can only upload below a prefix. */
export async function issueUploadCredentials(
  { name, caller }: Tenant,
  bucket: string,
  prefix: string,
): Promise<Caller> {
  const answer = await caller.sts("GetFederationToken", {
    Name: name,
    DurationSeconds: String(SESSION_SECONDS),
    Policy: JSON.stringify(uploadPolicy(bucket, prefix)),
  });
  return new Caller(caller.place, keysIn(answer));
}

/** Uploads to a URL as a browser does for a page of an origin: with a preflight request first. */
export async function uploadFromPage(url: string, origin: string, type: string, body: string): Promise<Response> {
  const preflight = await fetch(url, {
    method: "OPTIONS",
    headers: { origin, "access-control-request-method": "PUT", "access-control-request-headers": "content-type" },
  });
  if (!preflight.ok || preflight.headers.get("access-control-allow-origin") !== origin) {
    throw new Error(
      `a browser would not let a page of ${origin} upload: ${preflight.status} ${await preflight.text()}`,
    );
  }
  return fetch(url, { method: "PUT", headers: { origin, "content-type": type }, body });
}

/** Deletes the bucket and all its objects. */
export async function deleteTenantBucket(operator: Caller, bucket: string): Promise<void> {
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
