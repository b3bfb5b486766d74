// Paths as they are sent: dot segments, double slashes and percent-encodings that other servers normalise away.
import assert from "node:assert/strict";
import type { Check } from "../harness.ts";
import { bodyOfKey } from "../odd-keys.ts";
import { assertAbsent, assertError, assertText, putText, type RawTools } from "./tools.ts";

/** Paths below the bucket, and the keys that they name. */
const PATHS: readonly (readonly [path: string, key: string])[] = [
  ["./x", "./x"],
  ["../x", "../x"],
  ["a/../b", "a/../b"],
  ["a/./b", "a/./b"],
  ["..", ".."],
  ["/", "/"],
  ["//", "//"],
  ["/lead", "/lead"],
  ["a//b", "a//b"],
  ["a%5Cb", "a\\b"],
  ["%252e", "%2e"],
  ["%25", "%"],
];

export function pathChecks(tools: RawTools): Check[] {
  const { bucket, send } = tools;
  return [
    {
      name: "dot segments and double slashes in a raw path are parts of the key",
      async run() {
        for (const [path, key] of PATHS) await putText(tools, `/${bucket}/${path}`, bodyOfKey(key));
        const { body } = await send({ method: "GET", target: `/${bucket}?list-type=2&max-keys=1000` });
        const listed = [...body.matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, key]) => key);
        for (const [, key] of PATHS) assert.ok(listed.includes(key), `${key} is not in ${listed.join(" | ")}`);
        for (const [path, key] of PATHS) {
          await assertText(tools, `/${bucket}/${path}`, bodyOfKey(key));
          const { status } = await send({ method: "DELETE", target: `/${bucket}/${path}` });
          assert.equal(status, 204);
          await assertAbsent(tools, `/${bucket}/${path}`);
        }
      },
    },
    {
      name: "dots and slashes that are percent-encoded name the same key as those that are not",
      async run() {
        await putText(tools, `/${bucket}/..%2Fs`, "dots");
        await assertText(tools, `/${bucket}/../s`, "dots");
      },
    },
    {
      name: "`//key` names no bucket, and `..` climbs out of none",
      async run() {
        const { status } = await send({ method: "PUT", target: "//key", body: "x" });
        assert.ok(status === 400 || status === 404 || status === 405, String(status));
        await putText(tools, `/${bucket}/../${bucket}-escaped/k`, "inside");
        const escaped = await send({ method: "GET", target: `/${bucket}-escaped/k` });
        assertError(escaped, 404, "NoSuchBucket");
      },
    },
    {
      name: "a path that is not UTF-8 or not percent-encoded right is refused with InvalidURI",
      async run() {
        for (const path of ["%ff%fe", "%zz", "%", "a%2"]) {
          assertError(await send({ method: "PUT", target: `/${bucket}/${path}`, body: "x" }), 400, "InvalidURI");
        }
      },
    },
  ];
}
