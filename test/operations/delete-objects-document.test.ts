// DeleteObjects' document: its digests and its XML.
import { describe, expect, it } from "vitest";

import { send } from "../support/client.ts";
import { ALGORITHMS, checksum, checksumHeader, md5Base64, utf8 } from "../support/digests.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { expectNoTrace, storedStateOf } from "../support/stored-state.ts";
import { deleted, document, post, results } from "./delete-objects-fixture.ts";

describe("DeleteObjects", () => {
  describe("a digest of the document", () => {
    it("is optional", async () => {
      const bucket = await freshBucket();
      await putAll(bucket, { k: "1" });
      expect((await send("POST", `/${bucket}?delete`, { body: document(["k"]) })).status).toBe(200);
      expect((await send("HEAD", `/${bucket}/k`)).status).toBe(404);
    });

    it.each(ALGORITHMS)("of kind %s is verified", async (algorithm) => {
      const bucket = await freshBucket();
      await putAll(bucket, { k: "1" });
      const body = utf8(document(["k"]));
      const sendWith = (value: string) =>
        send("POST", `/${bucket}?delete`, { body, headers: { [checksumHeader(algorithm)]: value } });
      await expectNoTrace(bucket, async () =>
        expectS3Error(await sendWith(checksum(algorithm, utf8("other"))), { status: 400, code: "BadDigest" }),
      );
      expect((await sendWith(checksum(algorithm, body))).status).toBe(200);
      expect((await storedStateOf(bucket)).objects).toEqual({});
    });

    it("by Content-MD5 is verified", async () => {
      const bucket = await freshBucket();
      await putAll(bucket, { k: "1" });
      const body = utf8(document(["k"]));
      await expectNoTrace(bucket, async () =>
        expectS3Error(await post(bucket, body, { "content-md5": md5Base64(utf8("other")) }), {
          status: 400,
          code: "BadDigest",
          fields: { ExpectedDigest: md5Base64(utf8("other")), CalculatedDigest: md5Base64(body) },
        }),
      );
    });

    it("by the signed payload hash is verified", async () => {
      const bucket = await freshBucket();
      await putAll(bucket, { k: "1" });
      const wrong = "0".repeat(64);
      await expectNoTrace(bucket, async () => {
        await expectS3Error(await post(bucket, document(["k"]), { "x-amz-content-sha256": wrong }), {
          status: 400,
          code: "XAmzContentSHA256Mismatch",
          fields: { ClientComputedContentSHA256: wrong, S3ComputedContentSHA256: expect.any(String) },
        });
      });
    });
  });

  describe("the document", () => {
    it.each([
      ["no XML", "k"],
      ["another root", "<Deletes><Object><Key>k</Key></Object></Deletes>"],
      ["no key", "<Delete><Object></Object></Delete>"],
      ["an empty key", "<Delete><Object><Key></Key></Object></Delete>"],
      ["two keys in one object", "<Delete><Object><Key>k</Key><Key>l</Key></Object></Delete>"],
      ["an unknown element", "<Delete><Object><Key>k</Key><Other/></Object></Delete>"],
      ["an unknown element beside the objects", "<Delete><Object><Key>k</Key></Object><Other/></Delete>"],
      ["Quiet twice", document(["k"], "<Quiet>true</Quiet><Quiet>false</Quiet>")],
      ["a Quiet that is neither", document(["k"], "<Quiet>yes</Quiet>")],
      ["a size that is none", document([{ Key: "k", Size: "-1" }])],
      ["a time that is none", document([{ Key: "k", LastModifiedTime: "yesterday" }])],
      ["a DTD", `<!DOCTYPE Delete [<!ENTITY e "k">]><Delete><Object><Key>&e;</Key></Object></Delete>`],
      ["an entity that is unknown", "<Delete><Object><Key>&k;</Key></Object></Delete>"],
      ["a character that is none", "<Delete><Object><Key>&#9999999999;</Key></Object></Delete>"],
      ["a NUL", "<Delete><Object><Key>k\0</Key></Object></Delete>"],
      ["an end too early", "<Delete><Object><Key>k</Key></Object>"],
      ["depth", "<Delete>".repeat(100) + "</Delete>".repeat(100)],
    ])("is refused as MalformedXML with %s", async (_what, body) => {
      const bucket = await freshBucket();
      await putAll(bucket, { k: "1" });
      await expectNoTrace(bucket, async () =>
        expectS3Error(await post(bucket, body), { status: 400, code: "MalformedXML" }),
      );
    });

    it("returns MalformedXML when it is not UTF-8", async () => {
      const bucket = await freshBucket();
      const utf16 = new Uint8Array(Uint16Array.from(document(["k"]), (character) => character.charCodeAt(0)).buffer);
      for (const body of [utf16, Uint8Array.of(...utf8("<Delete><Object><Key>"), 0xff)]) {
        await expectS3Error(await post(bucket, body), { status: 400, code: "MalformedXML" });
      }
    });

    it("can have a declaration, a byte order mark, white space, and any namespace or none", async () => {
      const bucket = await freshBucket();
      for (const body of [
        `<?xml version="1.0" encoding="UTF-8"?>\n${document(["k"])}`,
        `\ufeff${document(["k"])}`,
        "<Delete>\n  <Object>\n    <Key>k</Key>\n  </Object>\n  <Quiet>false</Quiet>\n</Delete>\n",
        '<s3:Delete xmlns:s3="urn:x"><s3:Object><s3:Key>k</s3:Key></s3:Object></s3:Delete>',
      ]) {
        await putAll(bucket, { k: "1" });
        expect(await results(bucket, body)).toEqual([deleted("k")]);
        expect((await storedStateOf(bucket)).objects).toEqual({});
      }
    });
  });
});
