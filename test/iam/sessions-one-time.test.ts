// STS: sessions of roles below /one-time/, which begin one session of another role and do nothing else.
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";

import { allow, freshUser, refuse, s3Status, succeed } from "../support/query-api.ts";
import { ACCOUNT, READ, begin, callerOf, read, useBucket, write } from "./sessions-fixture.ts";

const ONE_TIME = { RoleArn: `arn:aws:iam::${ACCOUNT}:role/one-time/console` };
const CONSOLE = { RoleArn: `arn:aws:iam::${ACCOUNT}:role/console`, RoleSessionName: "sign-in-link" };
const SPENT = [403, "ExpiredToken"] as const;

useBucket();

it("a session of a role below /one-time/ begins one session with all of its user's rights, and no second one", async () => {
  const first = await begin("AssumeRole", ONE_TIME);
  const second = await begin("AssumeRole", CONSOLE, { credentials: first });
  expect(await callerOf(second)).toMatchObject({ Arn: `arn:aws:sts::${ACCOUNT}:assumed-role/console/sign-in-link` });
  expect([await read(second), await write(second)]).toEqual([200, 200]);
  await succeed("iam", "ListUsers", { MaxItems: "1" }, { credentials: second });
  expect(Date.parse(second.expiration)).toBeLessThanOrEqual(Date.parse(first.expiration));
  await refuse("sts", "AssumeRole", CONSOLE, [...SPENT], { credentials: first });
  // What was begun goes on.
  expect(await read(second)).toBe(200);
});

it("of several sessions that a one-time session begins at the same time, one is begun", async () => {
  const first = await begin("AssumeRole", ONE_TIME);
  const begun = await Promise.allSettled(
    Array.from({ length: 5 }, () => begin("AssumeRole", CONSOLE, { credentials: first })),
  );
  expect(begun.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
});

it("a session of a role below /one-time/ can do nothing but begin another one", async () => {
  const { credentials } = await freshUser(allow(["s3:*", "iam:*", "sts:*"]));
  for (const session of [
    await begin("AssumeRole", ONE_TIME),
    await begin("AssumeRole", ONE_TIME, { credentials }),
    await begin("AssumeRole", { RoleArn: `arn:aws:iam::${ACCOUNT}:role/one-time/a/b` }),
  ]) {
    expect([await read(session), await write(session)]).toEqual([403, 403]);
    expect(await s3Status(session, "GET", "/")).toBe(403);
    await refuse("iam", "ListUsers", {}, [403, "AccessDenied"], { credentials: session });
    await refuse("sts", "GetSessionToken", {}, [403, "AccessDenied"], { credentials: session });
    await refuse("sts", "GetFederationToken", { Name: "fed" }, [403, "AccessDenied"], { credentials: session });
    // Refused calls do not spend it, and it is still known.
    await callerOf(session);
    await refuse("sts", "AssumeRole", { ...CONSOLE, DurationSeconds: "1" }, [400, "ValidationError"], {
      credentials: session,
    });
    await begin("AssumeRole", CONSOLE, { credentials: session });
  }
});

it("a session that a one-time session begins is within the rights of its user and the policy of the call", async () => {
  const { credentials } = await freshUser(allow(["s3:GetObject", "sts:AssumeRole"]));
  const plain = await begin("AssumeRole", ONE_TIME, { credentials });
  const second = await begin("AssumeRole", CONSOLE, { credentials: plain });
  expect([await read(second), await write(second)]).toEqual([200, 403]);
  const limited = await begin("AssumeRole", ONE_TIME);
  const third = await begin("AssumeRole", { ...CONSOLE, Policy: READ }, { credentials: limited });
  expect([await read(third), await write(third)]).toEqual([200, 403]);
  await refuse("sts", "AssumeRole", CONSOLE, [403, "AccessDenied"], { credentials: third });
});

it("a role below /one-time/ takes no policy, and one whose name only begins like it is a role like others", async () => {
  const named = { ...ONE_TIME, RoleSessionName: "session" };
  await refuse("sts", "AssumeRole", { ...named, Policy: READ }, [400, "ValidationError"]);
  const other = await begin("AssumeRole", { RoleArn: `arn:aws:iam::${ACCOUNT}:role/one-times/console` });
  expect(await write(other)).toBe(200);
});

it("records of spent sessions are dropped when the sessions have expired", async () => {
  await env.DB.prepare("INSERT INTO spent_sessions VALUES ('ASIALONGEXPIRED', 1)").run();
  await begin("AssumeRole", CONSOLE, { credentials: await begin("AssumeRole", ONE_TIME) });
  const left = await env.DB.prepare("SELECT * FROM spent_sessions WHERE access_key_id = 'ASIALONGEXPIRED'").all();
  expect(left.results).toEqual([]);
});
