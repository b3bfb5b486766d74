// No secret of a user or a session is stored in clear text, returned twice or logged.
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { presigned, deliver, send, signed } from "../support/client.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { allow, call, credentialsOf, freshUser, succeed, type Credentials } from "../support/query-api.ts";

const logs = (["log", "info", "warn", "error", "debug"] as const).map((name) => vi.spyOn(console, name));
beforeEach(() => {
  for (const log of logs) log.mockReset().mockImplementation(() => undefined);
});
afterEach(() => {
  for (const log of logs) log.mockReset();
});

function secretsOf({ secretAccessKey, sessionToken }: Credentials): string[] {
  const secrets = [secretAccessKey, ...(sessionToken === undefined ? [] : [sessionToken])];
  return secrets.flatMap((secret) => [secret, encodeURIComponent(secret), btoa(secret).replaceAll("=", "")]);
}

async function begin(): Promise<readonly Credentials[]> {
  const { credentials } = await freshUser(allow(["s3:*", "sts:*"]));
  const session = credentialsOf(await succeed("sts", "GetSessionToken", {}, { credentials }));
  return [credentials, session];
}

it("no response or log contains a secret, also for invalid requests", async () => {
  const bucket = await freshBucket();
  await putAll(bucket, { k: "x" });
  const all = await begin();
  const secrets = all.flatMap(secretsOf);
  const answers: Response[] = [];
  for (const credentials of all) {
    const wrong = { ...credentials, secretAccessKey: "guessed" };
    answers.push(await send("GET", `/${bucket}/k`, { credentials: wrong }));
    answers.push(await send("GET", `/${bucket}/missing`, { credentials }));
    answers.push(await send("GET", "/", { credentials }, { CAIRN_MASTER_KEY: btoa("z".repeat(32)) }));
    answers.push(await deliver(await presigned("GET", `/${bucket}/k`, { credentials: wrong })));
    const unsigned = await signed("GET", `/${bucket}/k`, { credentials });
    const headers = new Headers(unsigned.headers);
    headers.set("x-amz-date", "20200101T000000Z");
    answers.push(await deliver(new Request(unsigned.url, { headers })));
    for (const [service, action] of [
      ["iam", "ListUsers"],
      ["sts", "GetCallerIdentity"],
      ["sts", "Unknown"],
    ] as const) {
      answers.push(await call(service, action, {}, { credentials }));
      answers.push(await call(service, action, {}, { credentials: wrong }));
    }
  }
  for (const answer of answers) {
    const said = `${JSON.stringify(Array.from(answer.headers))} ${await answer.text()}`;
    // An error may repeat the token, as part of the client's canonical request, and never the secret.
    const repeats = answer.status === 403 && said.includes("<CanonicalRequest>");
    for (const secret of repeats ? all.map(({ secretAccessKey }) => secretAccessKey) : secrets) {
      expect(said).not.toContain(secret);
    }
  }
  const logged = JSON.stringify(logs.flatMap((log) => log.mock.calls));
  for (const secret of secrets) expect(logged).not.toContain(secret);
});

it("no table contains a secret", async () => {
  const all = await begin();
  const tables = await env.DB.prepare(
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT LIKE '\\_cf%' ESCAPE '\\'",
  ).all<{ name: string }>();
  const texts = await Promise.all(
    tables.results.map(async ({ name }) =>
      JSON.stringify((await env.DB.prepare(`SELECT * FROM ${name}`).all()).results),
    ),
  );
  // The texts are too long for a matcher's error message.
  const hasText = (part: string): boolean => texts.some((text) => text.includes(part));
  expect(hasText(all[0]?.accessKeyId ?? "missing")).toBe(true);
  expect(all.flatMap(secretsOf).filter(hasText)).toEqual([]);
});
