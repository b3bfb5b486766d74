// For every operation: exactly the listed permissions suffice, each one is required, and a Deny on each one rejects. A
// permission with several actions is granted by any of them.
import { beforeAll, describe, expect, it } from "vitest";

import { OPERATIONS } from "../../src/gateway/operation-table.ts";
import { documented, PREPARATIONS, type OperationRequest } from "../support/operation-requests.ts";
import { send } from "../support/client.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { allow, freshUser, type TestUser } from "../support/users.ts";

/** A permission as a policy statement. */
function statement(effect: "Allow" | "Deny", action: string, resource: string): object {
  return { Effect: effect, Action: action, Resource: `arn:aws:s3:::${resource}` };
}

const NOTHING = { Effect: "Allow", Action: "s3:GetBucketAbac", Resource: "*" };
const EVERYTHING = { Effect: "Allow", Action: "s3:*", Resource: "*" };

let user: TestUser;
beforeAll(async () => {
  user = await freshUser(NOTHING);
});

async function statusWith(attempt: OperationRequest, statements: readonly object[]): Promise<number> {
  await allow(user, ...statements, NOTHING);
  const { credentials } = user;
  return (await send(attempt.method, attempt.target, { ...attempt.options, credentials })).status;
}

/** Whether a status is the response of an allowed operation: success, or a missing configuration. */
const isAllowed = (status: number): boolean => status < 300 || status === 404;

describe.each(Object.entries(PREPARATIONS))("%s", (_name, preparations) => {
  it.each(preparations.map((prepare, index) => [index, prepare] as const))(
    "requires exactly its permissions (case %i)",
    async (_index, prepare) => {
      const { permissions } = await prepare();
      for (const [position, permission] of permissions.entries()) {
        const granted = (attempt: OperationRequest, spelling: string | undefined): object[] =>
          attempt.permissions.flatMap(({ spellings: [first = ""], on: resource }, index) => {
            if (index !== position) return [statement("Allow", first, resource)];
            return spelling === undefined ? [] : [statement("Allow", spelling, resource)];
          });
        const refused = await prepare();
        expect(await statusWith(refused, granted(refused, undefined)), `without ${permission.spellings[0]}`).toBe(403);
        for (const spelling of permission.spellings) {
          const denied = statement("Deny", spelling, refused.permissions[position]?.on ?? "");
          expect(await statusWith(refused, [EVERYTHING, denied]), `with ${spelling} denied`).toBe(403);
          const attempt = await prepare();
          expect(await statusWith(attempt, granted(attempt, spelling)), `with ${spelling}`).toSatisfy(isAllowed);
        }
      }
    },
  );
});

describe("DeleteObjects", () => {
  it("checks each key separately, and named versions with the version actions", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { a: "1", b: "2" });
    await allow(user, statement("Allow", "s3:DeleteObject", `${bucket}/a`));
    const body =
      "<Delete><Object><Key>a</Key></Object><Object><Key>b</Key></Object><Object><Key>a</Key><VersionId>null</VersionId></Object></Delete>";
    const response = await send("POST", `/${bucket}?delete`, { ...documented(body), credentials: user.credentials });
    expect(response.status).toBe(200);
    const text = await response.text();
    expect(text).toContain("<Deleted><Key>a</Key></Deleted>");
    expect(text).toContain("<Error><Key>b</Key><Code>AccessDenied</Code>");
    expect(text).toContain("<Error><Key>a</Key><VersionId>null</VersionId><Code>AccessDenied</Code>");
    expect((await send("HEAD", `/${bucket}/b`)).status).toBe(200);
  });
});

describe("the table above", () => {
  it("checks no action that the operation does not declare", async () => {
    for (const { name, implementation } of OPERATIONS) {
      const attempts = await Promise.all((PREPARATIONS[name] ?? []).map(async (prepare) => prepare()));
      const asked = attempts.flatMap(({ permissions }) => permissions.flatMap(({ spellings }) => spellings));
      const { actions = [], versionActions = [], furtherActions = [] } = implementation ?? {};
      const declared = new Set([...actions, ...versionActions, ...furtherActions.map(({ action }) => action)]);
      expect([name, asked.filter((action) => !declared.has(action))]).toEqual([name, []]);
    }
  });

  it("names every implemented operation", () => {
    const elsewhere = new Set(["DeleteObjects", "PostObject", "CheckConsistency"]);
    const built = OPERATIONS.filter(({ implementation }) => implementation !== undefined).map(({ name }) => name);
    expect(built.filter((name) => !(name in PREPARATIONS) && !elsewhere.has(name))).toEqual([]);
  });
});
