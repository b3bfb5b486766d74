// Tags are read to authorize each member of an archive. Long ones are read some at a time, since all of them could be large.
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";

import { send } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket } from "../support/fresh-bucket.ts";
import { freshUser } from "../support/users.ts";

const OBJECTS = 600;
const LONG_TAGS = 300;
const keys = Array.from({ length: OBJECTS }, (_, index) => `k/${String(index).padStart(3, "0")}`);

describe("an archive of objects with long tags", () => {
  let bucket = "";
  beforeAll(async () => {
    bucket = await freshBucket();
    const tags = Array.from({ length: 9 }, (_, index) => [`key${index}`, "\u20ac".repeat(256)]);
    await env.DB.prepare(
      `INSERT INTO objects (bucket_id, key, version_id, is_null_version, size, etag, modified_at, owner_id, storage_class, tags)
       SELECT (SELECT id FROM buckets WHERE name = ?1), n.value, printf('g%031d', n.key), 1, 0, 'e', 0, 'o', 'STANDARD',
         iif(n.key >= ${LONG_TAGS}, '[["team","red"]]', ?2) FROM json_each(?3) n`,
    )
      .bind(bucket, JSON.stringify([...tags, ["team", "red"]]), JSON.stringify(keys))
      .run();
  });

  const list = () => `<Archive>${keys.map((key) => `<Object><Key>${key}</Key></Object>`).join("")}</Archive>`;

  it.each([
    ["prefix", "GET"],
    ["list", "POST"],
  ])("obeys them in an archive by %s, and reads 250 at a time", async (_case, method) => {
    const body = method === "POST" ? { body: list() } : {};
    const on = { Effect: "Allow", Action: ["s3:ListBucket", "s3:GetObject"], Resource: "*" };
    const ifTeam = (team: string) => [
      { ...on, Action: "s3:ListBucket" },
      { ...on, Action: "s3:GetObject", Condition: { StringEquals: { "s3:ExistingObjectTag/team": team } } },
    ];
    const [red, blue] = [await freshUser(...ifTeam("red")), await freshUser(...ifTeam("blue"))];
    const allowed = await send(method, `/${bucket}?tar`, { ...body, credentials: red.credentials });
    expect(allowed.status).toBe(200);
    // The bucket, the members, and long tags of 250 and 50 of them.
    expect(costOf(allowed).roundTrips).toBe(4);
    expect(Number(allowed.headers.get("content-length"))).toBe((OBJECTS + 2) * 512);
    await allowed.body?.cancel();
    const refused = await send(method, `/${bucket}?tar`, { ...body, credentials: blue.credentials });
    await expectS3Error(refused, { status: 403, code: "AccessDenied", fields: { Key: keys[0] } });
  });
});
