// Random malformed requests to every operation: no response is a server error, and every response is readable.
import { assert, asyncProperty, array, constantFrom, oneof, record, string, type Arbitrary } from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";

import { OPERATIONS } from "../../src/gateway/operation-table.ts";
import { anonymous, deliver, presigned, signed, type SendOptions } from "../support/client.ts";
import { expectAnswerHeaders } from "../support/expect-s3-error.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { createUpload } from "../support/multipart.ts";
import { BODIES, CREDENTIALS, HEADERS, HOSTS, METHODS, PARAMETERS, TARGETS, VALUES } from "../support/fuzz-inputs.ts";
import { readXml } from "../support/read-xml.ts";

/** Requests to each operation. */
const RUNS = 8;
const SEED = 20_261_121;

interface FuzzInput {
  readonly by: "root" | "anonymous" | "url";
  readonly key: string;
  readonly headers: readonly { readonly name: string; readonly value: string }[];
  readonly query: readonly { readonly name: string; readonly value: string }[];
  readonly body: string | undefined;
}

const value: Arbitrary<string> = oneof(
  { arbitrary: constantFrom(...VALUES), weight: 6 },
  string({ unit: "binary", maxLength: 20 }),
);
const fuzzInputs: Arbitrary<FuzzInput> = record({
  by: constantFrom("root", "root", "root", "anonymous", "url"),
  key: constantFrom("k", "many é", "nothing", "nothing/", "a\u0001\n<&"),
  headers: array(record({ name: constantFrom(...HEADERS), value }), { maxLength: 4 }),
  query: array(record({ name: constantFrom(...PARAMETERS), value }), { maxLength: 3 }),
  body: constantFrom(undefined, ...BODIES),
});

let bucket = "";
let uploadId = "";
beforeAll(async () => {
  bucket = await freshBucket();
  await putAll(bucket, { k: "text", "many é": "text" });
  uploadId = await createUpload(bucket, "k");
});

type Operation = (typeof OPERATIONS)[number];

async function requestOf({ route }: Operation, { by, key, headers, query, body }: FuzzInput): Promise<Request> {
  const known = (text: string): string => text.replace("BUCKET", bucket).replace("UPLOAD", uploadId);
  const path = {
    service: "/",
    bucket: `/${bucket}`,
    object: `/${bucket}/${encodeURIComponent(key)}`,
    tags: `/v20180820/tags/arn:aws:s3:::${bucket}`,
  }[route.level];
  const terms = [
    ...(route.query ?? []),
    ...query.map(({ name, value }) => `${name}=${encodeURIComponent(known(value))}`),
  ];
  const sent = new Headers(route.header === undefined ? {} : { [route.header]: known("BUCKET/k") });
  if (route.level === "tags") sent.set("x-amz-account-id", "000000000000");
  // The runtime warns about every value outside ASCII, and throws on values that no header can contain.
  const sendable = headers.filter(({ value }) => /^[\t -~]*$/.test(value));
  for (const { name, value } of sendable) sent.set(name, known(value));
  const carries = route.method !== "GET" && route.method !== "HEAD";
  const options: SendOptions = { headers: Object.fromEntries(sent), ...(carries ? { body } : {}) };
  const target = `${path}${terms.length === 0 ? "" : "?"}${terms.join("&")}`;
  if (by === "anonymous") return anonymous(route.method, target, options);
  return by === "url" ? presigned(route.method, target, options) : signed(route.method, target, options);
}

/** Sends the request and asserts a readable response without a server error; 501 reports an unimplemented feature. */
async function expectSound(request: Request): Promise<void> {
  const { method } = request;
  const response = await deliver(request);
  // A socket discards the body of a HEAD response, so a body shows that the Worker relies on the runtime for it.
  if (method === "HEAD") expect(response.body).toBeNull();
  const text = await response.text();
  const { status } = response;
  expect(status < 500 || status === 501, `${status}\n${text}`).toBe(true);
  expectAnswerHeaders(response);
  if (method === "HEAD" || status === 204 || status === 304) {
    expect(text).toBe("");
    return;
  }
  if (status >= 400) {
    expect(response.headers.get("content-type")).toMatch(/^(application|text)\/xml$/);
    expect(readXml(text).name).toMatch(/^Error(Response)?$/);
  } else if (response.headers.get("content-type") === "application/xml" && text !== "") {
    readXml(text);
  }
}

// CheckConsistency scans all rows of the other tests, which takes long; its own tests send invalid tokens.
const ROWS = OPERATIONS.filter(({ name }) => name !== "CheckConsistency").map((operation, index) => {
  const { method, level, query = [], header } = operation.route;
  return { operation, index, what: `${operation.name}: ${[method, level, ...query, header ?? ""].join(" ").trim()}` };
});

describe("random requests to every operation", () => {
  it.each(ROWS)("$what returns no server error", async ({ operation, index }) => {
    const property = asyncProperty(fuzzInputs, async (wrong) => {
      await expectSound(await requestOf(operation, wrong));
    });
    await assert(property, { numRuns: RUNS, seed: SEED + index });
  });
});

describe("random request targets", () => {
  it.each(METHODS)("of a %s return no server error", async (method) => {
    for (const target of TARGETS) {
      for (const [index, authorization] of CREDENTIALS.entries()) {
        const host = HOSTS[index % HOSTS.length] ?? "";
        const headers = { host, ...(authorization === undefined ? {} : { authorization }) };
        await expectSound(anonymous(method, target.replace("BUCKET", bucket), { headers }));
      }
    }
  });
});
