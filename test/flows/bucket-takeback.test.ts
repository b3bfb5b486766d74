// An administrator revokes a bucket from the user who created it, as docs/tenancy.md describes.
import { describe, expect, it } from "vitest";

import { send, type SendOptions } from "../support/client.ts";
import { freshBucketName } from "../support/fresh-bucket.ts";
import { policyText } from "../support/policies.ts";
import { allow, freshUser } from "../support/users.ts";

const MAKER = { Effect: "Allow", Action: "s3:CreateBucket", Resource: "*" };
const ELSEWHERE = { Effect: "Allow", Action: "s3:*", Resource: "arn:aws:s3:::another-bucket*" };

async function bucketOfTenant() {
  const bucket = freshBucketName();
  const tenant = await freshUser(MAKER);
  const ask = async (method: string, target = "", options: SendOptions = {}): Promise<number> =>
    (await send(method, `/${bucket}${target}`, { ...options, credentials: tenant.credentials })).status;
  expect(await ask("PUT")).toBe(200);
  const resources = [`arn:aws:s3:::${bucket}`, `arn:aws:s3:::${bucket}/*`];
  const own = { Effect: "Allow", Principal: { AWS: tenant.arn }, Action: "s3:*", Resource: resources };
  const giveItself = async () => ask("PUT", "?policy", { body: policyText(own) });
  return { bucket, tenant, ask, giveItself };
}

describe("the user who created a bucket", () => {
  it("can set its first policy and has the rights that it grants", async () => {
    const { ask, giveItself } = await bucketOfTenant();
    expect(await ask("PUT", "/k", { body: "x" })).toBe(403);
    expect(await giveItself()).toBe(204);
    expect(await ask("PUT", "/k", { body: "x" })).toBe(200);
  });

  it.each([
    ["without policies of its own", []],
    ["with policies for something else", [ELSEWHERE]],
    ["that may not make it any more", [MAKER, { ...MAKER, Effect: "Deny" }]],
    ["that is denied the policy", [MAKER, { Effect: "Deny", Action: "s3:PutBucketPolicy", Resource: "*" }]],
  ])("cannot set a policy, %s", async (_how, statements) => {
    const { tenant, giveItself } = await bucketOfTenant();
    const nothing = { Effect: "Deny", Action: "s3:GetObject", Resource: "arn:aws:s3:::nothing" };
    await allow(tenant, ...(statements.length === 0 ? [nothing] : statements));
    expect(await giveItself()).toBe(403);
  });

  it("has no access after the CreateBucket right and the policy are deleted", async () => {
    const { bucket, tenant, ask, giveItself } = await bucketOfTenant();
    expect(await giveItself()).toBe(204);
    expect((await send("DELETE", `/${bucket}?policy`)).status).toBe(204);
    expect(await giveItself(), "as long as it may make the bucket").toBe(204);
    await allow(tenant, ELSEWHERE);
    expect((await send("DELETE", `/${bucket}?policy`)).status).toBe(204);
    expect(await giveItself()).toBe(403);
    for (const [method, target] of [
      ["GET", ""],
      ["PUT", "/k"],
      ["GET", "?policy"],
      ["DELETE", ""],
      ["PUT", "?publicAccessBlock"],
    ] as const) {
      expect(await ask(method, target), `${method} ${target}`).toBe(403);
    }
  });
});
