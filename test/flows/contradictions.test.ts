// Contradictory requests. Every operation rejects, after authorization, inputs that it would otherwise ignore and that
// name another outcome than its own.
import { beforeAll, describe, expect, it } from "vitest";

import { OPERATIONS } from "../../src/gateway/operation-table.ts";
import { documented, PREPARATIONS } from "../support/operation-requests.ts";
import { anonymous, deliver, presigned, send, type SendOptions } from "../support/client.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { formOf, sendForm, signPolicy } from "../support/forms.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { createUpload } from "../support/multipart.ts";
import { policyText, putPolicy } from "../support/policies.ts";

type Headers = Readonly<Record<string, string>>;

const WRITES = ["PUT", "POST", "DELETE"];
const UPLOADS = ["PutObject", "CopyObject", "CreateMultipartUpload"];
const CONDITIONAL = ["PutObject", "CopyObject", "CompleteMultipartUpload", "RenameObject"];

async function codeOf(response: Response): Promise<string> {
  const text = await response.text();
  // S3 Control wraps its errors.
  return /<Code>(\w+)<\/Code>/.exec(text)?.[1] ?? "";
}

/** Inputs that an operation must reject unless it obeys them, with the error code. */
const NEVER_IGNORED: readonly {
  readonly headers?: Headers;
  readonly query?: string;
  readonly code: string;
  readonly methods: readonly string[];
  readonly obeyedBy: readonly string[];
}[] = [
  { headers: { "x-amz-object-lock-mode": "COMPLIANCE" }, code: "NotImplemented", methods: WRITES, obeyedBy: UPLOADS },
  { headers: { "x-amz-object-lock-legal-hold": "ON" }, code: "NotImplemented", methods: WRITES, obeyedBy: UPLOADS },
  {
    headers: { "x-amz-mfa": "arn:aws:iam::000000000000:mfa/root 123456" },
    code: "NotImplemented",
    methods: WRITES,
    obeyedBy: [],
  },
  {
    headers: { "x-amz-bypass-governance-retention": "true" },
    code: "InvalidArgument",
    methods: WRITES,
    obeyedBy: ["PutObjectRetention"],
  },
  { headers: { "x-amz-bypass-governance-retention": "" }, code: "InvalidArgument", methods: WRITES, obeyedBy: [] },
  { headers: { "x-amz-website-redirect-location": "/x" }, code: "NotImplemented", methods: WRITES, obeyedBy: UPLOADS },
  {
    headers: { "x-amz-server-side-encryption": "AES256" },
    code: "InvalidArgument",
    methods: [...WRITES, "GET", "HEAD"],
    obeyedBy: UPLOADS,
  },
  {
    headers: { "x-amz-server-side-encryption-aws-kms-key-id": "k" },
    code: "InvalidArgument",
    methods: ["GET", "HEAD", "DELETE"],
    obeyedBy: [],
  },
  {
    headers: { "if-match": '"a"' },
    code: "NotImplemented",
    methods: WRITES,
    obeyedBy: [...CONDITIONAL, "DeleteObject"],
  },
  { headers: { "if-none-match": "*" }, code: "NotImplemented", methods: WRITES, obeyedBy: CONDITIONAL },
  {
    headers: { "if-unmodified-since": "Wed, 21 Oct 2015 07:28:00 GMT" },
    code: "NotImplemented",
    methods: WRITES,
    obeyedBy: ["RenameObject"],
  },
  { headers: { "if-modified-since": "nonsense" }, code: "NotImplemented", methods: WRITES, obeyedBy: ["RenameObject"] },
  { headers: { "x-amz-if-match-size": "1" }, code: "NotImplemented", methods: WRITES, obeyedBy: ["DeleteObject"] },
  {
    query: "versionId=null",
    code: "InvalidArgument",
    methods: [...WRITES, "GET", "HEAD"],
    obeyedBy: [
      "GetObject",
      "GetZipMember",
      "ListZipMembers",
      "HeadObject",
      "DeleteObject",
      "GetObjectAttributes",
      "GetObjectAcl",
      "PutObjectAcl",
      "GetObjectTagging",
      "PutObjectTagging",
      "DeleteObjectTagging",
      "GetObjectRetention",
      "PutObjectRetention",
      "GetObjectLegalHold",
      "PutObjectLegalHold",
      "GetObjectAnnotation",
      "PutObjectAnnotation",
      "DeleteObjectAnnotation",
      "ListObjectAnnotations",
    ],
  },
  {
    query: "annotationName=n",
    code: "InvalidArgument",
    methods: WRITES,
    obeyedBy: ["PutObjectAnnotation", "DeleteObjectAnnotation"],
  },
  { query: "dry-run", code: "InvalidArgument", methods: WRITES, obeyedBy: [] },
  { query: "partNumber=1", code: "InvalidArgument", methods: WRITES, obeyedBy: ["UploadPart", "UploadPartCopy"] },
  {
    headers: { "x-amz-copy-source-range": "bytes=0-1" },
    code: "InvalidRequest",
    methods: WRITES,
    obeyedBy: ["UploadPartCopy"],
  },
];

describe.each(NEVER_IGNORED.map((one) => [JSON.stringify(one.headers ?? one.query), one] as const))(
  "%s",
  (_name, { headers = {}, query, code, methods, obeyedBy }) => {
    it("is rejected by every operation that does not obey it", async () => {
      let count = 0;
      for (const [name, [prepare]] of Object.entries(PREPARATIONS)) {
        if (prepare === undefined || obeyedBy.includes(name)) continue;
        const { method, target, options = {} } = await prepare();
        if (!methods.includes(method)) continue;
        const whole = query === undefined ? target : `${target}${target.includes("?") ? "&" : "?"}${query}`;
        const response = await send(method, whole, { ...options, headers: { ...options.headers, ...headers } });
        const found =
          method === "HEAD" ? (response.status === 400 ? code : String(response.status)) : await codeOf(response);
        expect([name, found]).toEqual([name, code]);
        count += 1;
      }
      expect(count).toBeGreaterThan(4);
    });
  },
);

describe("a body", () => {
  const BODY = "precious";

  async function attempt(
    prepare: () => Promise<{ method: string; target: string; options?: SendOptions }>,
    sent: SendOptions,
  ) {
    const { method, target, options = {} } = await prepare();
    return send(method, target, { ...options, ...sent, headers: { ...options.headers, ...sent.headers } });
  }

  const BODILESS = [
    "CopyObject",
    "RenameObject",
    "UploadPartCopy",
    "CreateMultipartUpload",
    "CreateBucketSnapshot",
    "RestoreBucketSnapshot",
    "PurgeBucketCache",
    "RecountBucketQuota",
  ];

  it.each(BODILESS)("is rejected by %s, which takes none, and nothing changes", async (name) => {
    const [prepare] = PREPARATIONS[name] ?? [];
    if (prepare === undefined) throw new Error(name);
    expect(await codeOf(await attempt(prepare, { body: BODY }))).toBe("InvalidRequest");
    const stream = new Blob([BODY]).stream();
    expect(await codeOf(await attempt(prepare, { body: stream }))).toBe("InvalidRequest");
    const success = name === "RecountBucketQuota" ? 204 : 200;
    expect((await attempt(prepare, { body: "" })).status).toBe(success);
    expect((await attempt(prepare, { body: new Blob([]).stream() })).status).toBe(success);
  });

  it("names every write operation without a body", () => {
    const found = OPERATIONS.filter(
      ({ route, implementation }) =>
        (route.method === "PUT" || route.method === "POST") && implementation?.inputs.body === "none",
    ).map(({ name }) => name);
    expect(new Set(found)).toEqual(new Set(BODILESS));
  });

  it("leaves the source of a rejected rename in place", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { from: "text" });
    const options = { headers: { "x-amz-rename-source": "from" }, body: BODY };
    await expectS3Error(await send("PUT", `/${bucket}/to?renameObject`, options), {
      status: 400,
      code: "InvalidRequest",
      message: "This operation takes no body, and the request has one.",
    });
    expect(await (await send("GET", `/${bucket}/from`)).text()).toBe("text");
    expect((await send("HEAD", `/${bucket}/to`)).status).toBe(404);
  });
});

describe("a request for two operations", () => {
  let bucket = "";
  beforeAll(async () => {
    bucket = await freshBucket();
    await putAll(bucket, { from: "text", k: "kept" });
  });

  it.each<[name: string, method: string, query: string, headers: Headers]>([
    ["a rename and a copy", "PUT", "?renameObject", { "x-amz-rename-source": "from", "x-amz-copy-source": "B/from" }],
    [
      "a rename and a copy by headers alone",
      "PUT",
      "",
      { "x-amz-rename-source": "from", "x-amz-copy-source": "B/from" },
    ],
    ["a rename and a list", "PUT", "", { "x-amz-rename-source": "from", "x-amz-acl": "private" }],
    ["a rename and tags", "PUT", "", { "x-amz-rename-source": "from", "x-amz-tagging": "a=b" }],
    ["a rename and a storage class", "PUT", "", { "x-amz-rename-source": "from", "x-amz-storage-class": "STANDARD" }],
    ["a rename and metadata", "PUT", "", { "x-amz-rename-source": "from", "x-amz-meta-a": "b" }],
    ["a deletion and a copy", "DELETE", "", { "x-amz-copy-source": "B/from" }],
    ["a deletion and a rename", "DELETE", "", { "x-amz-rename-source": "from" }],
    ["an upload and a copy's condition", "PUT", "", { "x-amz-copy-source-if-match": '"a"' }],
    ["an upload and a rename's condition", "PUT", "", { "x-amz-rename-source-if-match": '"a"' }],
    ["a copy and a range of it", "PUT", "", { "x-amz-copy-source": "B/from", "x-amz-copy-source-range": "bytes=0-1" }],
    ["the beginning of an upload and a copy", "POST", "?uploads", { "x-amz-copy-source": "B/from" }],
    ["tags and a copy", "PUT", "?tagging", { "x-amz-copy-source": "B/from" }],
  ])("is rejected: %s", async (_name, method, query, headers) => {
    const known = Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name, value.replace("B", bucket)]),
    );
    expect(await codeOf(await send(method, `/${bucket}/k${query}`, { headers: known }))).toMatch(
      /^Invalid(Request|Argument)$/,
    );
    expect(await (await send("GET", `/${bucket}/from`)).text()).toBe("text");
    expect(await (await send("GET", `/${bucket}/k`)).text()).toBe("kept");
  });

  it("is rejected in a form that names a copy source or a legal hold", async () => {
    for (const fields of [
      { key: "k", "x-amz-copy-source": `${bucket}/from` },
      { key: "k", "x-amz-copy-source-if-match": '"a"' },
      { key: "k", "x-amz-mfa": "m" },
    ]) {
      const conditions = [{ bucket }, ...Object.entries(fields).map(([name, value]) => ({ [name]: value }))];
      const form = formOf([...Object.entries({ ...fields, ...signPolicy(conditions) }), ["file", "x", "f"]]);
      expect(await codeOf(await sendForm(bucket, form))).toMatch(/^(InvalidRequest|NotImplemented)$/);
    }
    expect(await (await send("GET", `/${bucket}/k`)).text()).toBe("kept");
  });

  it("is accepted when clients send a copy's conditions with UploadPartCopy", async () => {
    const headers = {
      "x-amz-copy-source-if-match": '"a"',
      "x-amz-copy-source-server-side-encryption-customer-algorithm": "AES256",
    };
    expect(await createUpload(bucket, "k", headers)).not.toBe("");
  });
});

describe("a parameter", () => {
  let bucket = "";
  beforeAll(async () => {
    bucket = await freshBucket();
    await putAll(bucket, { k: "text" });
    const Resource = [`arn:aws:s3:::${bucket}`, `arn:aws:s3:::${bucket}/*`];
    await putPolicy(bucket, policyText({ Effect: "Allow", Principal: "*", Action: "s3:*", Resource }));
  });

  /** Unsigned, because the signing client sends a parameter only once. */
  const unsigned = (method: string, target: string) => deliver(anonymous(method, `/${bucket}${target}`));

  it.each(["response-foo=x", "response-=x", "response-content-typ=text/html", "response-Content-Type=x"])(
    "that overrides an unsupported response header is rejected: %s",
    async (query) => {
      expect(await codeOf(await send("GET", `/${bucket}/k?${query}`))).toBe("InvalidArgument");
      expect((await send("HEAD", `/${bucket}/k?${query}`)).status).toBe(400);
    },
  );

  it.each(["x-id=GetObject", "foo", "Prefix=a", "lang=en", "x-amz-meta-a=1", "AWSAccessKeyIdx=1"])(
    "that no operation defines is accepted: %s",
    async (query) => {
      expect((await send("GET", `/${bucket}/k?${query}`)).status).toBe(200);
      expect((await send("PUT", `/${bucket}/new?${query}`, { body: "x" })).status).toBe(200);
    },
  );

  it.each([
    ["GET", "?prefix=a&prefix=b"],
    ["GET", "?list-type=2&max-keys=1&max-keys=2"],
    ["GET", "?versions&key-marker=a&key-marker="],
    ["GET", "/k?partNumber=1&partNumber=2"],
    ["DELETE", "/k?versionId=null&versionId=00000000000000000000000000000000"],
  ])("given twice with different values is rejected: %s %s", async (method, target) => {
    expect(await codeOf(await unsigned(method, target))).toBe("InvalidArgument");
    expect((await send("HEAD", `/${bucket}/k`)).status).toBe(200);
  });

  it("given twice with one value counts once", async () => {
    expect((await unsigned("GET", "?prefix=a&prefix=a")).status).toBe(200);
    expect((await unsigned("GET", "/k?utm_source=x&utm_source=y")).status).toBe(200);
  });

  it("that carries a header in a presigned query follows the same rules", async () => {
    const twice = await deliver(
      await presigned("PUT", `/${bucket}/new?x-amz-storage-class=STANDARD&X-Amz-Storage-Class=STANDARD_IA`, {
        body: "x",
      }),
    );
    expect(await codeOf(twice)).toBe("InvalidArgument");
    const held = await deliver(await presigned("PUT", `/${bucket}/new?x-amz-mfa=1`, { body: "x" }));
    expect(await codeOf(held)).toBe("NotImplemented");
  });
});

describe("a caller who is not allowed an operation", () => {
  it("gets AccessDenied and not the contradiction's error", async () => {
    const bucket = await freshBucket();
    for (const [method, target, headers] of [
      ["PUT", "k", { "x-amz-mfa": "1" }],
      ["PUT", "k?versionId=null", {}],
      ["GET", "k?response-foo=1", {}],
      ["PUT", "k", { "x-amz-rename-source": "a", "x-amz-acl": "private" }],
    ] as const) {
      expect((await deliver(anonymous(method, `/${bucket}/${target}`, { headers }))).status).toBe(403);
    }
  });
});

describe("a header that requests nothing", () => {
  it("is accepted: a governance bypass set to false", async () => {
    const bucket = await freshBucket();
    const headers = { "x-amz-bypass-governance-retention": "false" };
    expect((await send("DELETE", `/${bucket}/k`, { headers })).status).toBe(204);
    const body = "<Delete><Object><Key>k</Key></Object></Delete>";
    const options = documented(body);
    expect(
      (await send("POST", `/${bucket}?delete`, { body, headers: { ...options.headers, ...headers } })).status,
    ).toBe(200);
  });
});
