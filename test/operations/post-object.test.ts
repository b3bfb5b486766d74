import { describe, expect, it } from "vitest";

import { anonymous, deliver, ROOT, send, signed, streamOf } from "../support/client.ts";
import { checksum, expectBytes, md5Base64, md5Hex, noise, utf8 } from "../support/digests.ts";
import { expectAnswerHeaders, expectS3Error, type ExpectedError } from "../support/expect-s3-error.ts";
import { r2With } from "../support/faults.ts";
import { BOUNDARY, formOf, post, sendForm, signPolicy, type FormPart } from "../support/forms.ts";
import { freshBucket, freshBucketName, putAll } from "../support/fresh-bucket.ts";
import { expectNothingLeftOver, expectNoTrace, storedStateOf } from "../support/stored-state.ts";
import { namesOf, readXml } from "../support/read-xml.ts";

async function get(bucket: string, key: string): Promise<Response> {
  const response = await send("GET", `/${bucket}/${encodeURIComponent(key)}`);
  expect(response.status, key).toBe(200);
  return response;
}

/** The parts of a form that may put `key` with any fields of these prefixes. */
function partsFor(bucket: string, key: string, file: FormPart, after: readonly FormPart[] = []): FormPart[] {
  const fields = { key, ...signPolicy([{ bucket }, ["starts-with", "$key", ""]]) };
  return [...Object.entries(fields), file, ...after];
}

/** Asserts that a form is rejected and stores nothing, over an existing object and on a new key. */
async function expectRefused(
  expected: ExpectedError,
  fields: Readonly<Record<string, string>>,
  file: string | Uint8Array = "x",
  more: readonly unknown[] = [],
): Promise<void> {
  const bucket = await freshBucket();
  await putAll(bucket, { there: "as it was" });
  for (const key of ["there", "not-there"]) {
    await expectNoTrace(bucket, async () =>
      expectS3Error(await post(bucket, { key, ...fields }, file, more), expected),
    );
  }
}

const POLICY = "Invalid according to Policy: ";

describe("PostObject", () => {
  it("stores a form's file", async () => {
    const bucket = await freshBucket();
    const response = await post(bucket, { key: "a/b" }, "something body");
    expect(response.status).toBe(204);
    expectAnswerHeaders(response);
    expect(await response.text()).toBe("");
    expect(response.headers.get("etag")).toBe(`"${md5Hex("something body")}"`);
    expect(response.headers.get("location")).toBe(`http://localhost:9000/${bucket}/a%2Fb`);
    expect(response.headers.get("x-amz-checksum-crc64nvme")).toBe(checksum("CRC64NVME", utf8("something body")));
    expect(response.headers.get("x-amz-version-id")).toBeNull();
    const stored = await get(bucket, "a/b");
    expect(stored.headers.get("content-type")).toBe("binary/octet-stream");
    await expectBytes(stored, "something body");
    expectNothingLeftOver(await storedStateOf(bucket));
  });

  it.each([0, 1, 262_143, 262_144, 262_145, 1_000_000, 6_000_000])("stores %d bytes unchanged", async (length) => {
    const bucket = await freshBucket();
    const bytes = noise(length);
    // Bytes that look like boundaries, at the beginning and the end.
    const edge = utf8(`\r\n--${BOUNDARY.slice(0, -1)}\r\n--`);
    if (length > 1000) {
      bytes.set(edge, 0);
      bytes.set(edge, length - edge.length);
      if (length > 300_000) bytes.set(edge, 262_144 - 20);
    }
    const response = await post(bucket, { key: "k" }, bytes);
    expect(response.status).toBe(204);
    expect(response.headers.get("etag")).toBe(`"${md5Hex(bytes)}"`);
    await expectBytes(await get(bucket, "k"), bytes);
    const storedState = await storedStateOf(bucket);
    expectNothingLeftOver(storedState);
    expect(storedState.objects["k"]?.size).toBe(length);
  });

  describe("a file that is shorter than the form's length suggests", () => {
    const endings: readonly (readonly [string, (body: Uint8Array) => Uint8Array, readonly FormPart[]])[] = [
      ["with a button after it", (body) => body, [["submit", "Upload"]]],
      ["with another file after it", (body) => body, [["file", noise(300_000, 7), "second"]]],
      ["without a line break at its form's end", (body) => body.slice(0, -2), []],
      ["with an epilogue", (body) => new Uint8Array([...body, ...utf8("--epilogue\r\n")]), []],
    ];

    it.each(endings)("is stored unchanged: %s", async (_, change, after) => {
      const bucket = await freshBucket();
      for (const length of [10, 262_144, 262_145, 700_000]) {
        const bytes = noise(length);
        const headers: Record<string, string> = {};
        const body = change(formOf(partsFor(bucket, "k", ["file", bytes, "f"], after)));
        const response = await sendForm(bucket, body, headers);
        expect(response.status, String(length)).toBe(204);
        expect(response.headers.get("etag")).toBe(`"${md5Hex(bytes)}"`);
        expect(response.headers.get("x-amz-checksum-crc64nvme")).toBe(checksum("CRC64NVME", bytes));
        await expectBytes(await get(bucket, "k"), bytes);
        expectNothingLeftOver(await storedStateOf(bucket));
      }
    });

    it("is verified, and nothing is stored when a digest is wrong", async () => {
      const bytes = noise(400_000);
      const bucket = await freshBucket();
      const wrong = { "x-amz-checksum-crc32": checksum("CRC32", utf8("another")) };
      for (const after of [[], [["submit", "Upload"]]] satisfies FormPart[][]) {
        const send = (digests: Record<string, string>) => {
          const conditions = Object.entries(digests).map(([name, value]) => ({ [name]: value }));
          const fields = { key: "k", ...digests, ...signPolicy([{ bucket }, { key: "k" }, ...conditions]) };
          return sendForm(bucket, formOf([...Object.entries(fields), ["file", bytes], ...after]));
        };
        await expectNoTrace(bucket, async () => {
          await expectS3Error(await send(wrong), { status: 400, code: "BadDigest" });
          await expectS3Error(await send({ "content-md5": md5Base64(utf8("another")) }), {
            status: 400,
            code: "BadDigest",
            fields: { ExpectedDigest: md5Base64(utf8("another")), CalculatedDigest: md5Base64(bytes) },
          });
        });
      }
      for (const after of [[], [["submit", "Upload"]]] satisfies FormPart[][]) {
        const right = { "x-amz-checksum-sha256": checksum("SHA256", bytes), "content-md5": md5Base64(bytes) };
        const conditions = Object.entries(right).map(([name, value]) => ({ [name]: value }));
        const fields = { key: "k", ...right, ...signPolicy([{ bucket }, { key: "k" }, ...conditions]) };
        const response = await sendForm(bucket, formOf([...Object.entries(fields), ["file", bytes], ...after]));
        expect(response.status).toBe(204);
        expect(response.headers.get("x-amz-checksum-sha256")).toBe(right["x-amz-checksum-sha256"]);
      }
    });
  });

  it("accepts a file that is a text field", async () => {
    const bucket = await freshBucket();
    const fields = { key: "text-${filename}", ...signPolicy([{ bucket }, ["starts-with", "$key", "text-"]]) };
    expect((await sendForm(bucket, formOf([...Object.entries(fields), ["file", "a\r\nb"]]))).status).toBe(204);
    await expectBytes(await get(bucket, "text-${filename}"), "a\r\nb");
  });

  it("substitutes the file's name in the key", async () => {
    const bucket = await freshBucket();
    const fields = { key: "u/${filename}", ...signPolicy([{ bucket }, ["starts-with", "$key", "u/"]]) };
    const form = formOf([...Object.entries(fields), ["file", "x", "C:\\dir\\ünï code.txt"]]);
    expect((await sendForm(bucket, form)).status).toBe(204);
    await expectBytes(await get(bucket, "u/ünï code.txt"), "x");
  });

  it("uses the metadata of the fields, and ignores the request's headers", async () => {
    const bucket = await freshBucket();
    const fields = {
      key: "k",
      "Content-Type": "text/plain; charset=utf-8",
      "Cache-Control": "max-age=1",
      "Content-Disposition": 'attachment; filename="a.txt"',
      "Content-Encoding": "gzip",
      "Content-Language": "de",
      Expires: "Fri, 02 Jan 2026 03:04:05 GMT",
      "x-amz-meta-UUID": "1",
      "X-Amz-Meta-Text": "ÄMÄZÕÑ S3",
      "x-amz-storage-class": "STANDARD_IA",
      acl: "private",
      "x-ignore-me": "1",
    };
    const conditions = [{ bucket }, ...Object.entries(fields).map(([name, value]) => ({ [name]: value }))];
    const form = formOf([...Object.entries({ ...fields, ...signPolicy(conditions) }), ["file", "x", "f"]]);
    const headers = { "x-amz-meta-other": "1", "content-language": "fr", "x-amz-storage-class": "ONEZONE_IA" };
    expect((await sendForm(bucket, form, headers)).status).toBe(204);
    const stored = await get(bucket, "k");
    expect(Object.fromEntries(stored.headers)).toMatchObject({
      "content-type": "text/plain; charset=utf-8",
      "cache-control": "max-age=1",
      "content-disposition": 'attachment; filename="a.txt"',
      "content-encoding": "gzip",
      "content-language": "de",
      expires: "Fri, 02 Jan 2026 03:04:05 GMT",
      "x-amz-meta-uuid": "1",
      "x-amz-meta-text": `=?UTF-8?B?${Buffer.from("ÄMÄZÕÑ S3").toString("base64")}?=`,
      "x-amz-storage-class": "STANDARD_IA",
    });
    expect(stored.headers.has("x-amz-meta-other")).toBe(false);
  });

  it("stores tags", async () => {
    const bucket = await freshBucket();
    const tagging =
      "<Tagging><TagSet><Tag><Key>a b</Key><Value>1=2+3</Value></Tag><Tag><Key>é</Key><Value/></Tag></TagSet></Tagging>";
    expect((await post(bucket, { key: "k", tagging }, "x")).status).toBe(204);
    const text = await (await send("GET", `/${bucket}/k?tagging`)).text();
    expect(text).toContain("<Tag><Key>a b</Key><Value>1=2+3</Value></Tag><Tag><Key>é</Key><Value/></Tag>");
    await expectRefused({ status: 400, code: "MalformedXML" }, { tagging: "not-xml" });
  });

  it("creates a version in a versioned bucket", async () => {
    const bucket = await freshBucket();
    const body = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    await send("PUT", `/${bucket}?versioning`, { body, headers: { "content-md5": md5Base64(utf8(body)) } });
    const versions = [];
    for (const content of ["1", "2"]) {
      versions.push((await post(bucket, { key: "k" }, content)).headers.get("x-amz-version-id"));
    }
    expect(new Set(versions).size).toBe(2);
    const first = await send("GET", `/${bucket}/k?versionId=${versions[0] ?? ""}`);
    expect(await first.text()).toBe("1");
  });

  it("honours the conditions of the request", async () => {
    const bucket = await freshBucket();
    const body = formOf(partsFor(bucket, "k", ["file", "x", "f"]));
    const headers = { "if-none-match": "*" };
    expect((await sendForm(bucket, body, headers)).status).toBe(204);
    await expectNoTrace(bucket, async () =>
      expectS3Error(await sendForm(bucket, body, headers), {
        status: 412,
        code: "PreconditionFailed",
        fields: { Condition: "If-None-Match" },
      }),
    );
  });

  describe("success", () => {
    it.each([
      ["200", 200],
      ["204", 204],
      ["404", 204],
      ["", 204],
      ["0x1", 204],
    ])("returns the requested status: %j", async (success_action_status, status) => {
      const bucket = await freshBucket();
      const response = await post(bucket, { key: "k", success_action_status }, "x");
      expect(response.status).toBe(status);
      expect(await response.text()).toBe("");
      expect(response.headers.get("content-type")).toBeNull();
    });

    it("returns XML with 201", async () => {
      const bucket = await freshBucket();
      const response = await post(bucket, { key: "a/é <b>", success_action_status: "201" }, "x");
      expect(response.status).toBe(201);
      expect(response.headers.get("content-type")).toBe("application/xml");
      const root = readXml(await response.text());
      const etag = `"${md5Hex("x")}"`;
      const location = `http://localhost:9000/${bucket}/a%2F%C3%A9%20%3Cb%3E`;
      expect([root.name, root.attributes, namesOf(root)]).toEqual([
        "PostResponse",
        {},
        ["Location", "Bucket", "Key", "ETag"],
      ]);
      expect(root.children.map(({ text }) => text)).toEqual([location, bucket, "a/é <b>", etag]);
      expect(response.headers.get("location")).toBe(location);
      expect(response.headers.get("etag")).toBe(etag);
      expect((await send("GET", new URL(location).pathname)).status).toBe(200);
    });

    it.each([
      ["https://example.com/done", "https://example.com/done?"],
      ["http://example.com", "http://example.com/?"],
      ["https://example.com/done?a=b%20c", "https://example.com/done?a=b%20c&"],
      ["https://example.com/done?", "https://example.com/done?"],
      ["https://example.com/done?a=??", "https://example.com/done?a=??&"],
      ["https://example.com/done#", "https://example.com/done?"],
      ["https://example.com/done#part", "https://example.com/done?"],
      ["HTTPS://Example.com/ü", "https://example.com/%C3%BC?"],
    ])("sends on to a page that the policy names: %s", async (success_action_redirect, start) => {
      const bucket = await freshBucket();
      const response = await post(bucket, { key: "a b/c", success_action_redirect }, "x");
      expect(response.status).toBe(303);
      expect(await response.text()).toBe("");
      const fragment = new URL(success_action_redirect).hash;
      expect(response.headers.get("location")).toBe(
        `${start}bucket=${bucket}&key=a+b%2Fc&etag=%22${md5Hex("x")}%22${fragment}`,
      );
      expect((await send("HEAD", `/${bucket}/a%20b/c`)).status).toBe(200);
    });

    it("redirects by the old name of the field as well", async () => {
      const bucket = await freshBucket();
      const response = await post(bucket, { key: "k", redirect: "https://example.com/" }, "x");
      expect(response.status).toBe(303);
    });

    it.each([
      "javascript:alert(1)",
      "JavaScript:alert(1)",
      "data:text/html,x",
      "/relative",
      "//example.com/",
      "ftp://example.com/",
      "https://",
      "https://exa mple.com/",
      " https://example.com/",
      "https://example.com/\r\nSet-Cookie: a=b",
      "https://example.com/\tx",
      "https:\\\\example.com",
      "https://example.com\\@evil.example/",
      "",
    ])("does not redirect to %j", async (success_action_redirect) => {
      const bucket = await freshBucket();
      const response = await post(bucket, { key: "k", success_action_redirect }, "x");
      expect(response.status).toBe(204);
      expect(response.headers.get("location")).toBe(`http://localhost:9000/${bucket}/k`);
      expect(response.headers.get("set-cookie")).toBeNull();
    });
  });

  describe("the signature", () => {
    /** Signs a form with a policy for any key, and changes its fields afterwards. */
    async function altered(
      change: (fields: Record<string, string | undefined>) => void,
      signing = {},
    ): Promise<Response> {
      const bucket = await freshBucket();
      const fields: Record<string, string | undefined> = {
        key: "k",
        ...signPolicy([{ bucket }, ["starts-with", "$key", ""]], signing),
      };
      change(fields);
      const parts = Object.entries(fields).flatMap(([name, value]) =>
        value === undefined ? [] : [[name, value] as const],
      );
      return expectNoTrace(bucket, () => sendForm(bucket, formOf([...parts, ["file", "x", "f"]])));
    }

    it("covers the policy exactly as it was sent", async () => {
      const bucket = await freshBucket();
      const fields: Record<string, string> = { key: "k", ...signPolicy([{ bucket }, { key: "k" }]) };
      const policy = (fields["policy"] ?? "").slice(0, -4);
      const response = await sendForm(bucket, formOf([...Object.entries({ ...fields, policy }), ["file", "x"]]));
      await expectS3Error(response, {
        status: 403,
        code: "SignatureDoesNotMatch",
        fields: {
          AWSAccessKeyId: ROOT.accessKeyId,
          StringToSign: policy,
          SignatureProvided: fields["x-amz-signature"],
          StringToSignBytes: expect.stringMatching(/^[0-9a-f]{2}( [0-9a-f]{2})+$/),
        },
      });
    });

    it.each<[string, (fields: Record<string, string | undefined>) => void]>([
      ["another secret", (fields) => (fields["x-amz-signature"] = "0".repeat(64))],
      ["no hexadecimal", (fields) => (fields["x-amz-signature"] = "é")],
      [
        "another region",
        (fields) => (fields["x-amz-credential"] = fields["x-amz-credential"]?.replace("us-east-1", "eu-west-1")),
      ],
      [
        "capitals",
        (fields) => (fields["x-amz-signature"] = fields["x-amz-signature"]?.toUpperCase().replace(/^\d*$/, "A")),
      ],
    ])("that is not right is refused: %s", async (_, change) => {
      const response = await altered(change);
      expect([response.status, await response.text()]).toEqual([403, expect.stringContaining("SignatureDoesNotMatch")]);
    });

    it.each(["X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Signature", "Policy", "key"])(
      "requires the field %s",
      async (name) => {
        for (const value of [undefined, ""]) {
          const response = await altered((fields) => (fields[name.toLowerCase()] = value));
          await expectS3Error(response, {
            status: 400,
            code: "InvalidArgument",
            message: `Bucket POST must contain a field named '${name}'.  If it is specified, please check the order of the fields.`,
            fields: { ArgumentName: name, ArgumentValue: "" },
          });
        }
      },
    );

    it.each([
      ["x-amz-algorithm", "AWS4-HMAC-SHA1", "X-Amz-Algorithm"],
      ["x-amz-date", "2026-01-02", "X-Amz-Date"],
      ["x-amz-credential", "AKID/20260102/us-east-1/s3", "X-Amz-Credential"],
      ["x-amz-credential", `${ROOT.accessKeyId}/20200102/us-east-1/s3/aws4_request`, "X-Amz-Credential"],
      ["x-amz-credential", `${ROOT.accessKeyId}/20200102/us-east-1/sts/aws4_request`, "X-Amz-Credential"],
    ])("is refused where %s is %s", async (field, value, ArgumentName) => {
      const response = await altered((fields) => (fields[field] = value));
      await expectS3Error(response, {
        status: 400,
        code: "InvalidArgument",
        fields: { ArgumentName, ArgumentValue: value },
      });
    });

    it("requires a known access key and a valid token", async () => {
      const unknown = await altered(() => undefined, { credentials: { ...ROOT, accessKeyId: "UNKNOWN" } });
      await expectS3Error(unknown, {
        status: 403,
        code: "InvalidAccessKeyId",
        fields: { AWSAccessKeyId: "UNKNOWN" },
      });
      const token = await altered(() => undefined, { credentials: { ...ROOT, sessionToken: "made-up" } });
      expect(await token.text()).toContain("<Code>InvalidToken</Code>");
    });

    it("is valid from its date on, until the policy expires, for at most a week", async () => {
      const now = Date.now();
      const DAY = 86_400_000;
      const refusal = async (signing: object): Promise<string | undefined> => {
        const response = await altered(() => undefined, signing);
        return /<Message>([^<]*)/.exec(await response.text())?.[1];
      };
      expect(await refusal({ signedAt: now - 8 * DAY, expiresAt: now + DAY })).toBe(`${POLICY}Policy expired.`);
      expect(await refusal({ signedAt: now - DAY, expiresAt: now - 1000 })).toBe(`${POLICY}Policy expired.`);
      expect(await refusal({ signedAt: now + DAY })).toBe("Request is not valid yet");
      const bucket = await freshBucket();
      const fields = {
        key: "k",
        ...signPolicy([{ bucket }, { key: "k" }], { signedAt: now - 6 * DAY, expiresAt: now + DAY }),
      };
      expect((await sendForm(bucket, formOf([...Object.entries(fields), ["file", "x"]]))).status).toBe(204);
    });

    it("of version 2 is rejected, and never treated as absent", async () => {
      const bucket = await freshBucket();
      const form = formOf([
        ["key", "k"],
        ["AWSAccessKeyId", ROOT.accessKeyId],
        ["signature", "x"],
        ["file", "x"],
      ]);
      await expectS3Error(await sendForm(bucket, form), { status: 400, code: "InvalidRequest" });
    });

    it("is rejected in a header", async () => {
      const bucket = await freshBucket();
      const body = formOf(partsFor(bucket, "k", ["file", "x"]));
      const headers = { "content-type": `multipart/form-data; boundary=${BOUNDARY}` };
      const response = await deliver(await signed("POST", `/${bucket}`, { body, headers }));
      expect([response.status, await response.text()]).toEqual([
        400,
        expect.stringContaining("Only one auth mechanism"),
      ]);
    });
  });

  describe("the policy", () => {
    it.each([
      ["a key", { key: "a" }, { key: "b" }, 'Policy Condition failed: ["eq", "$key", "a"]'],
      [
        "a prefix",
        ["starts-with", "$key", "u/1/"],
        { key: "u/2/x" },
        'Policy Condition failed: ["starts-with", "$key", "u/1/"]',
      ],
      ["a field", ["starts-with", "$key", ""], { key: "k", acl: "private" }, "Extra input fields: acl"],
    ])("limits %s", async (_, condition, fields, sentence) => {
      const bucket = await freshBucket();
      const form = formOf([...Object.entries({ ...fields, ...signPolicy([{ bucket }, condition]) }), ["file", "x"]]);
      await expectNoTrace(bucket, async () =>
        expectS3Error(await sendForm(bucket, form), { status: 403, code: "AccessDenied", message: POLICY + sentence }),
      );
    });

    it("applies to one bucket", async () => {
      const [bucket, other] = [await freshBucket(), await freshBucket()];
      const parts = partsFor(bucket, "k", ["file", "x"]);
      for (const form of [formOf(parts), formOf([["bucket", bucket], ...parts])]) {
        await expectNoTrace(other, async () =>
          expectS3Error(await sendForm(other, form), {
            status: 403,
            code: "AccessDenied",
            message: `${POLICY}Policy Condition failed: ["eq", "$bucket", "${bucket}"]`,
          }),
        );
      }
    });

    it("cannot be bypassed by a duplicate field", async () => {
      const bucket = await freshBucket();
      const fields = signPolicy([{ bucket }, ["starts-with", "$key", "mine/"]]);
      for (const keys of [
        ["mine/a", "yours/a"],
        ["yours/a", "mine/a"],
      ]) {
        const parts: FormPart[] = keys.map((key) => ["key", key]);
        const response = await sendForm(bucket, formOf([...parts, ...Object.entries(fields), ["file", "x"]]));
        await response.text();
        expect(response.status).toBe(keys[0] === "mine/a" ? 204 : 403);
      }
      expect(Object.keys((await storedStateOf(bucket)).objects)).toEqual(["mine/a,yours/a"]);
    });

    it("cannot be bypassed by fields after the file, or a file before them", async () => {
      const bucket = await freshBucket();
      const fields: FormPart[] = Object.entries(signPolicy([{ bucket }, ["starts-with", "$key", ""]]));
      for (const parts of [
        [["file", "x"], ["key", "k"], ...fields],
        [...fields, ["file", "x"], ["key", "k"]],
      ] satisfies FormPart[][]) {
        await expectNoTrace(bucket, async () => {
          const response = await sendForm(bucket, formOf(parts));
          expect([response.status, await response.text()]).toEqual([
            400,
            expect.stringContaining("named &apos;key&apos;"),
          ]);
        });
      }
      const late = formOf([["key", "k"], ["file", "x"], ...fields]);
      await expectNoTrace(bucket, async () =>
        expectS3Error(await sendForm(bucket, late), { status: 403, code: "AccessDenied" }),
      );
    });

    it("that is malformed has another error than one that is not satisfied", async () => {
      await expectRefused({ status: 400, code: "InvalidPolicyDocument", message: /^Invalid Policy: / }, {}, "x", [
        { a: "b", c: "d" },
      ]);
    });

    it.each([
      ["x".repeat(12), "EntityTooLarge", { ProposedSize: "12", MaxSizeAllowed: "10" }],
      [noise(2_000_000), "EntityTooLarge", { ProposedSize: "2000000", MaxSizeAllowed: "10" }],
      ["x", "EntityTooSmall", { ProposedSize: "1", MinSizeAllowed: "5" }],
      ["", "EntityTooSmall", { ProposedSize: "0", MinSizeAllowed: "5" }],
    ])("limits the size", async (file, code, fields) => {
      await expectRefused({ status: 400, code, fields }, {}, file, [["content-length-range", 5, 10]]);
    });

    it("limits the size of a streamed file", async () => {
      const range = ["content-length-range", 1_000_000, 2_000_000];
      for (const [length, code, fields] of [
        [999_999, "EntityTooSmall", { ProposedSize: "999999", MinSizeAllowed: "1000000" }],
        [2_000_001, "EntityTooLarge", { ProposedSize: "2000001", MaxSizeAllowed: "2000000" }],
      ] as const) {
        await expectRefused({ status: 400, code, fields }, {}, noise(length), [range]);
      }
      const bucket = await freshBucket();
      expect((await post(bucket, { key: "k" }, noise(1_000_000), [range])).status).toBe(204);
    });
  });

  describe("a form without a signature", () => {
    it("is anonymous", async () => {
      const bucket = await freshBucket();
      const policy = signPolicy([{ bucket }])["policy"] ?? "";
      for (const fields of [{}, { policy }]) {
        const form = formOf([...Object.entries({ key: "k", ...fields }), ["file", "x"]]);
        await expectNoTrace(bucket, async () =>
          expectS3Error(await sendForm(bucket, form), { status: 403, code: "AccessDenied" }),
        );
      }
    });

    it("is stored when a policy allows anonymous writes, and does not redirect", async () => {
      const bucket = await freshBucket();
      const body = JSON.stringify({
        Version: "2012-10-17",
        Statement: [
          { Effect: "Allow", Principal: "*", Action: "s3:PutObject", Resource: `arn:aws:s3:::${bucket}/public/*` },
        ],
      });
      expect((await send("PUT", `/${bucket}?policy`, { body })).status).toBe(204);
      const redirect: FormPart = ["success_action_redirect", "https://example.com/"];
      const response = await sendForm(bucket, formOf([["key", "public/k"], redirect, ["file", "x"]]));
      expect(response.status).toBe(204);
      await expectBytes(await get(bucket, "public/k"), "x");
      const elsewhere = await sendForm(
        bucket,
        formOf([
          ["key", "private/k"],
          ["file", "x"],
        ]),
      );
      await expectS3Error(elsewhere, { status: 403, code: "AccessDenied" });
    });
  });

  describe("an invalid form", () => {
    it.each(["text/plain", "application/x-www-form-urlencoded", "multipart/mixed; boundary=x"])(
      "is rejected for its type: %s",
      async (type) => {
        const bucket = await freshBucket();
        const form = formOf(partsFor(bucket, "k", ["file", "x"]));
        await expectS3Error(await sendForm(bucket, form, { "content-type": type }), {
          status: 412,
          code: "PreconditionFailed",
          fields: { Condition: "Bucket POST must be of the enclosure-type multipart/form-data" },
        });
      },
    );

    it("is rejected when it breaks off", async () => {
      const bucket = await freshBucket();
      for (const length of [10, 500_000]) {
        const body = formOf(partsFor(bucket, "k", ["file", noise(length), "f"]));
        for (const missing of [6, 9, 50, length]) {
          await expectNoTrace(bucket, async () =>
            expectS3Error(await sendForm(bucket, body.slice(0, -missing)), {
              status: 400,
              code: "MalformedPOSTRequest",
            }),
          );
        }
      }
    });

    it("is rejected without a body, a length, or a file", async () => {
      const bucket = await freshBucket();
      const type = { "content-type": `multipart/form-data; boundary=${BOUNDARY}` };
      await expectS3Error(await deliver(anonymous("POST", `/${bucket}`, { headers: type })), {
        status: 400,
        code: "MalformedPOSTRequest",
      });
      const form = formOf(partsFor(bucket, "k", ["file", "x"]));
      await expectS3Error(await sendForm(bucket, streamOf([form])), { status: 411, code: "MissingContentLength" });
      await expectS3Error(await sendForm(bucket, formOf([["key", "k"]])), {
        status: 400,
        code: "InvalidArgument",
        message: "POST requires exactly one file upload per request.",
        fields: { ArgumentName: "file", ArgumentValue: "0" },
      });
    });

    it("is rejected when its fields are too long", async () => {
      await expectRefused(
        { status: 400, code: "MaxPostPreDataLengthExceeded", fields: { MaxPostPreDataLengthBytes: "20480" } },
        { "x-ignore-padding": "x".repeat(21_000) },
      );
    });
  });

  it.each([
    [{ "x-amz-storage-class": "FakeClass" }, 400, "InvalidStorageClass", { StorageClassRequested: "FakeClass" }],
    [{ acl: "nonsense" }, 400, "InvalidArgument", { ArgumentName: "x-amz-acl", ArgumentValue: "nonsense" }],
    [{ "x-amz-checksum-crc32": "sailorjerry" }, 400, "InvalidRequest", {}],
    [{ "x-amz-checksum-algorithm": "CRC32" }, 400, "InvalidRequest", {}],
    [{ "x-amz-checksum-crc32": "AAAAAA==" }, 400, "BadDigest", {}],
    [{ "x-amz-website-redirect-location": "/x" }, 501, "NotImplemented", { Header: "x-amz-website-redirect-location" }],
    [
      { "Content-Disposition": "a\r\nb" },
      400,
      "InvalidArgument",
      { ArgumentName: "content-disposition", ArgumentValue: "a\r\nb" },
    ],
    [{ "x-amz-meta-a b": "1" }, 400, "InvalidArgument", { ArgumentName: "x-amz-meta-a b", ArgumentValue: "1" }],
  ])("refuses fields as PutObject refuses headers: %j", async (fields, status, code, shown) => {
    await expectRefused({ status, code, fields: shown }, fields);
  });

  it("accepts a key of 1024 bytes, and rejects one of 1025 or with NUL in it", async () => {
    const bucket = await freshBucket();
    expect((await post(bucket, { key: "k".repeat(1024) }, "x")).status).toBe(204);
    await expectS3Error(await post(bucket, { key: "k".repeat(1025) }, "x"), {
      status: 400,
      code: "KeyTooLongError",
      fields: { Size: "1025", MaxSizeAllowed: "1024" },
    });
    await expectS3Error(await post(bucket, { key: "a\0b" }, "x"), {
      status: 400,
      code: "InvalidURI",
      fields: { URI: "a%00b" },
    });
  });

  it("is rejected before its file is read", async () => {
    const bucket = await freshBucket();
    const head = formOf([
      ["key", "k"],
      ["x-ignore", "x".repeat(300)],
      ["file", "x".repeat(300_000)],
    ]);
    let pulled = 0;
    const body = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          pulled += 1;
          controller.enqueue(pulled === 1 ? head.slice(0, 262_144) : new Uint8Array(65_536));
        },
      },
      { highWaterMark: 0 },
    );
    await expectS3Error(await sendForm(bucket, body, { "content-length": "1000000000" }), {
      status: 403,
      code: "AccessDenied",
    });
    expect(pulled).toBeLessThan(4);
  });

  it("leaves neither an object nor an unhandled rejection when the store fails", async () => {
    const bucket = await freshBucket();
    const scope = { BLOBS: r2With({ put: () => Promise.reject(new Error("R2 is down")) }) };
    for (const length of [10, 700_000]) {
      const form = formOf(partsFor(bucket, "k", ["file", noise(length), "f"]));
      await expectNoTrace(bucket, async () => {
        expect((await sendForm(bucket, form, {}, scope)).status).toBe(500);
      });
    }
  });

  it("returns NoSuchBucket for a missing bucket", async () => {
    const name = freshBucketName();
    await expectS3Error(await post(name, { key: "k" }, "x"), {
      status: 404,
      code: "NoSuchBucket",
      fields: { BucketName: name },
    });
  });
});
