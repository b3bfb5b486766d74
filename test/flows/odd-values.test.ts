// Empty, blank, duplicate and absurd values of every declared header and parameter: none causes a server error, and
// only the values listed here are accepted.
import { describe, expect, it } from "vitest";

import { OPERATIONS } from "../../src/gateway/operation-table.ts";
import { send } from "../support/client.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { createUpload, putPart } from "../support/multipart.ts";
import { PREPARATIONS, type OperationRequest } from "../support/operation-requests.ts";
import { readXml, textOf } from "../support/read-xml.ts";

const NONSENSE = "~nonsense~";
const VALUES = ["", " ", NONSENSE, "99999999999999999999", "-1"];

const METADATA = /^(cache-control|content-(disposition|encoding|language|type)|expires|x-amz-meta-a)$/;
const READS = new Set(["GetObject", "HeadObject", "GetBucketArchive", "GetObjectsArchive", "GetZipMember"]);

/** The accepted values of an input: all, the empty one, or those that match a predicate. */
const ACCEPTED: readonly (readonly [input: RegExp, accepts: (value: string, operation: string) => boolean])[] = [
  [/^(prefix|delimiter|marker|key-marker|start-after)$/, () => true],
  [/^response-/, () => true],
  [METADATA, () => true],
  // Only "true" requests owners, and only "ENABLED" requests checksums.
  [/^(fetch-owner|x-amz-checksum-mode)$/, () => true],
  // Has no effect without a key marker.
  [/^upload-id-marker$/, () => true],
  // AWS ignores these unless they are numbers, and RFC 9110 ignores them when they cannot be parsed.
  [/^x-amz-(max-parts|part-number-marker)$/, () => true],
  [/^(range|if-range|if-none-match|if-(un)?modified-since)$/, (_value, operation) => READS.has(operation)],
  [
    /^(encoding-type|max-keys|max-uploads|max-parts|part-number-marker|version-id-marker|max-annotation-results)$/,
    (value) => value === "",
  ],
  [/^x-amz-tagging$/, (value) => value !== NONSENSE],
  [/^x-amz-website-redirect-location$/, (value) => value === ""],
  [/^x-amz-(copy|rename)-source-if-none-match$/, (value) => value !== ""],
  [/^x-amz-client-token$/, (value) => value !== ""],
  // Tag keys, which need not exist.
  [/^tagKeys$/, (value) => value !== ""],
  // Names that consist of letters, digits and hyphens.
  [/^(annotationName|annotation-prefix)$/, (value) => value !== NONSENSE && value !== " "],
  // AWS support once issued these tokens; none is needed.
  [/^x-amz-bucket-object-lock-token$/, () => true],
  [/^(suffix|contains|glob|(tag|meta)(-prefix)?\.\*)$/, () => true],
  // Ids of access keys, which need not exist; an empty one selects requests without credentials.
  [/^access-key-id$/, (value) => /^\w*$/.test(value)],
  // Names that can consist of digits and hyphens.
  [/^(bucket-region|snapshot)$/, (value) => /\d/.test(value)],
];

/** Parameters that select an operation; AWS ignores their values, except when the value is a name itself. */
function isFlag(name: string, route: readonly string[] = []): boolean {
  return route.includes(name) && !["uploadId", "snapshot", "restoreSnapshot", "dry-run"].includes(name);
}

function mayAccept(operation: (typeof OPERATIONS)[number], input: string, value: string): boolean {
  if (isFlag(input, operation.route.query)) return true;
  return ACCEPTED.some(([name, accepts]) => name.test(input) && accepts(value, operation.name));
}

function withInput({ method, target, options = {} }: OperationRequest, kind: string, input: string, value: string) {
  const [path = "", search = ""] = target.split("?");
  const terms = search.split("&").filter((term) => term !== "" && term.split("=")[0] !== input);
  const query = [...terms, `${input}=${encodeURIComponent(value)}`].join("&");
  const headers = kind === "header" ? { ...options.headers, [input]: value } : { ...options.headers };
  return send(method, kind === "header" ? target : `${path}?${query}`, { ...options, headers });
}

const built = OPERATIONS.filter(({ name, implementation }) => implementation !== undefined && name in PREPARATIONS);

describe.each(built.map((operation) => [operation.name, operation] as const))("%s", (name, operation) => {
  it("returns no server error for any value of its inputs, and rejects meaningless values", async () => {
    const [prepare] = PREPARATIONS[name] ?? [];
    const { inputs } = operation.implementation ?? {};
    if (prepare === undefined || inputs === undefined) throw new Error(name);
    let ready = await prepare();
    const declared = [
      ...inputs.query.map((input) => ["parameter", input] as const),
      ...inputs.headers.map((input) => {
        const ending = input.startsWith("x-amz-meta-") ? "a" : "crc32";
        return ["header", input.replace(/\*$/, ending)] as const;
      }),
    ];
    for (const [kind, input] of declared) {
      // A blank header arrives as an empty one.
      for (const value of kind === "header" ? VALUES.filter((one) => one !== " ") : VALUES) {
        const response = await withInput(ready, kind, input, value);
        await response.text();
        const { status } = response;
        const what = `${input}: ${JSON.stringify(value)}`;
        expect([what, status < 500 || status === 501]).toEqual([what, true]);
        if (status < 300) expect([what, mayAccept(operation, input, value)]).toEqual([what, true]);
        if (status < 300 && operation.route.method !== "GET") ready = await prepare();
      }
    }
  });
});

describe("an empty value", () => {
  it("as a marker or page size returns the first page, and not the last", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { a: "1", b: "2" });
    const uploadId = await createUpload(bucket, "k");
    for (const partNumber of [1, 2]) await putPart(bucket, "k", uploadId, partNumber, "text");
    const bodyOf = async (target: string) => (await send("GET", `/${bucket}${target}`)).text();
    for (const [target, inputs] of [
      [`/k?uploadId=${uploadId}`, ["part-number-marker", "max-parts"]],
      ["?prefix=", ["marker", "max-keys", "encoding-type", "delimiter"]],
      ["?versions", ["key-marker", "version-id-marker", "max-keys", "encoding-type", "delimiter", "prefix"]],
      ["?uploads", ["key-marker", "upload-id-marker", "max-uploads", "encoding-type", "delimiter", "prefix"]],
      ["?list-type=2", ["start-after", "max-keys", "encoding-type", "delimiter", "prefix", "fetch-owner"]],
    ] as const) {
      const plain = await bodyOf(target);
      for (const input of inputs) expect([input, await bodyOf(`${target}&${input}=`)]).toEqual([input, plain]);
    }
    const parts = readXml(await bodyOf(`/k?uploadId=${uploadId}&part-number-marker=`));
    expect([textOf(parts, "PartNumberMarker"), textOf(parts, "NextPartNumberMarker")]).toEqual(["0", "2"]);
  });
});

describe("a duplicate header", () => {
  /** Signed by hand in the form in which it arrives: with joined values. */
  async function twice(method: string, target: string, name: string, value: string, more = {}): Promise<number> {
    const body = method === "PUT" && !("x-amz-copy-source" in more) ? "x" : undefined;
    const headers = { ...more, [name]: `${value}, ${value}` };
    return (await send(method, target, { headers, ...(body === undefined ? {} : { body }) })).status;
  }

  it.each([
    ["x-amz-acl", "private"],
    ["x-amz-storage-class", "STANDARD"],
    ["x-amz-server-side-encryption", "AES256"],
    ["x-amz-tagging", "a=1"],
    ["x-amz-expected-bucket-owner", "000000000000"],
    ["content-md5", "nQTpycMBxYBDLhU/8A5Fkg=="],
    ["x-amz-checksum-crc32", "jNwUmA=="],
    ["x-amz-sdk-checksum-algorithm", "CRC32"],
    ["if-none-match", "*"],
  ])("is refused: %s", async (name, value) => {
    const bucket = await freshBucket();
    const status = await twice("PUT", `/${bucket}/k`, name, value);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(500);
    expect((await send("HEAD", `/${bucket}/k`)).status).toBe(404);
  });

  it.each([
    ["x-amz-metadata-directive", "REPLACE"],
    ["x-amz-tagging-directive", "REPLACE"],
    ["x-amz-copy-source-if-modified-since", "Wed, 21 Oct 2015 07:28:00 GMT"],
    ["x-amz-source-expected-bucket-owner", "000000000000"],
  ])("is rejected in a copy: %s", async (name, value) => {
    const bucket = await freshBucket();
    await putAll(bucket, { from: "text" });
    const source = { "x-amz-copy-source": `${bucket}/from` };
    expect(await twice("PUT", `/${bucket}/k`, name, value, source)).toBe(400);
    expect((await send("HEAD", `/${bucket}/k`)).status).toBe(404);
  });
});

describe("a completion's checksum of another algorithm", () => {
  it("is rejected, because nothing verifies it", async () => {
    const [prepare] = PREPARATIONS["CompleteMultipartUpload"] ?? [];
    if (prepare === undefined) throw new Error("not prepared");
    const { method, target, options = {} } = await prepare();
    const headers = { ...options.headers, "x-amz-checksum-sha256": "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=" };
    const response = await send(method, target, { ...options, headers });
    expect(response.status).toBe(400);
    expect(textOf(readXml(await response.text()), "Code")).toBe("InvalidRequest");
    expect((await send(method, target, options)).status).toBe(200);
  });
});
