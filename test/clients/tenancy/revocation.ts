// Revocation takes effect at once: keys, credentials made with them, and rights.
import assert from "node:assert/strict";
import { keysIn, Caller } from "../../../scripts/tenancy/caller.ts";
import { tenantPolicy } from "../../../scripts/tenancy/policies.ts";
import { issueUploadCredentials, deleteUser, setKeyStatus } from "../../../scripts/tenancy/tenants.ts";
import type { Check } from "../harness.ts";
import { assertDenied, assertDone, type TenancyTools } from "./tools.ts";

const URL_SECONDS = 60;

/** The last check: it deletes `one`. */
export function revocationChecks({ operator, place, bucket, one, other }: TenancyTools): Check[] {
  const target = `/${bucket}/${one.name}/uploads/kept`;
  const get = (holder: Caller): Promise<Response> => holder.s3("GET", target);
  return [
    {
      name: "an inactive key and everything signed with it is refused at once, and accepted again once the key is active",
      async run() {
        const pass = await issueUploadCredentials(one, bucket, `${one.name}/uploads/`);
        const url = await one.caller.presign("GET", target, URL_SECONDS);
        const lentUrl = await pass.presign("PUT", target, URL_SECONDS);
        const uses = [
          () => pass.s3("PUT", target, { body: "kept" }),
          () => fetch(lentUrl, { method: "PUT", body: "kept" }),
          () => get(one.caller),
          () => fetch(url),
        ];
        for (const turn of [1, 2]) {
          for (const use of uses) await assertDone(use(), `turn ${turn}`);
          await setKeyStatus(operator, one, "Inactive");
          for (const use of uses) await assertDenied(use(), `turn ${turn}`, "InvalidAccessKeyId");
          await setKeyStatus(operator, one, "Active");
        }
        for (const use of uses) await assertDone(use());
      },
    },
    {
      name: "keys are changed without a gap: the second works before the first is deleted",
      async run() {
        const second = new Caller(place, keysIn(await operator.iam("CreateAccessKey", { UserName: one.name })));
        await assertDone(get(second));
        await assertDone(get(one.caller));
        const { accessKeyId: AccessKeyId } = second.keys;
        await operator.iam("DeleteAccessKey", { UserName: one.name, AccessKeyId });
        await assertDenied(get(second), "deleted", "InvalidAccessKeyId");
        await assertDone(get(one.caller));
      },
    },
    {
      name: "deleting a policy revokes rights from the next request on, also of sessions, and putting it back restores them",
      async run() {
        const session = new Caller(place, keysIn(await one.caller.sts("GetSessionToken")));
        const policy = { UserName: one.name, PolicyName: "tenant" };
        await operator.iam("DeleteUserPolicy", policy);
        for (const holder of [one.caller, session]) await assertDenied(get(holder));
        await operator.iam("PutUserPolicy", { ...policy, PolicyDocument: JSON.stringify(tenantPolicy(bucket)) });
        for (const holder of [one.caller, session]) await assertDone(get(holder));
      },
    },
    {
      name: "a deleted tenant has no access, also when one of the same name is created, and the other tenant stays",
      async run() {
        await deleteUser(operator, one.name);
        await assertDenied(get(one.caller), "", "InvalidAccessKeyId");
        await operator.iam("CreateUser", { UserName: one.name, Path: "/tenants/" });
        await assertDenied(get(one.caller), "", "InvalidAccessKeyId");
        await operator.iam("DeleteUser", { UserName: one.name });
        const listed = await assertDone(other.caller.s3("GET", `/${bucket}?list-type=2&prefix=${other.name}%2F`));
        assert.match(listed, /<Key>/);
      },
    },
  ];
}
