// Signs a page's uploads: the page itself has no credentials. Run it beside your site:
//
//   S3_ENDPOINT=https://s3.example.com S3_BUCKET=uploads S3_REGION=auto \
//   AWS_ACCESS_KEY_ID=… AWS_SECRET_ACCESS_KEY=… PAGE_ORIGIN=https://www.example.com node backend.mjs
//
// Its key needs s3:PutObject, s3:AbortMultipartUpload and s3:ListMultipartUploadParts on the prefix `uploads/`, no more.
import { createHmac, randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { AwsClient } from "aws4fetch";

const {
  S3_ENDPOINT: endpoint = "http://localhost:9000",
  S3_BUCKET: bucket = "uploads",
  S3_REGION: region = "auto",
  AWS_ACCESS_KEY_ID: accessKeyId = "",
  AWS_SECRET_ACCESS_KEY: secretAccessKey = "",
  PAGE_ORIGIN: pageOrigin = "http://localhost:8080",
  PORT: port = "8081",
} = process.env;

const LIFE_SECONDS = 3600;
const FORM_MAX_BYTES = 10 * 1024 * 1024;
const MAX_PARTS_PER_REQUEST = 100;

const aws = new AwsClient({ accessKeyId, secretAccessKey, region, service: "s3" });

/** Presigns one request on a key. The signature covers method, key and query, so the URL allows nothing else. */
async function presign(method, key, query) {
  const url = new URL(`${endpoint}/${bucket}/${key.split("/").map(encodeURIComponent).join("/")}`);
  for (const [name, value] of Object.entries({ ...query, "X-Amz-Expires": LIFE_SECONDS }))
    url.searchParams.set(name, value);
  return (await aws.sign(url, { method, aws: { signQuery: true } })).url;
}

/** Keys that {@link newKey} makes. URLs resolve segments such as `..`, which would lead to other keys. */
const KEY = /^uploads\/[0-9a-f-]{36}\/(?!\.{1,2}$)[^/\\]+$/;

/** A key that no other upload has. The browser's name is only its last part. */
function newKey(name) {
  const safe = String(name)
    .normalize("NFC")
    .replaceAll(/[^\p{L}\p{N}._ -]/gu, "_")
    .replace(/^\.+/, "_")
    .slice(-100);
  return `uploads/${randomUUID()}/${safe || "file"}`;
}

function checkKey(key) {
  if (typeof key !== "string" || !KEY.test(key)) throw new Error("the key is not one of this page's");
  return key;
}

const hmac = (key, text) => createHmac("sha256", key).update(text).digest();

const ACTIONS = {
  /** Starts a multipart upload. */
  async create({ name }) {
    const key = newKey(name);
    return { key, url: await presign("POST", key, { uploads: "" }) };
  },
  /** Parts by their numbers. */
  async parts({ key, uploadId, partNumbers }) {
    checkKey(key);
    const wanted = partNumbers.slice(0, MAX_PARTS_PER_REQUEST);
    const urls = await Promise.all(wanted.map((partNumber) => presign("PUT", key, { partNumber, uploadId })));
    return { urls };
  },
  /** The parts that have arrived, a page at a time, so that an upload can resume. */
  async list({ key, uploadId, marker = 0 }) {
    return { url: await presign("GET", checkKey(key), { uploadId, "part-number-marker": marker }) };
  },
  async complete({ key, uploadId }) {
    return { url: await presign("POST", checkKey(key), { uploadId }) };
  },
  async abort({ key, uploadId }) {
    return { url: await presign("DELETE", checkKey(key), { uploadId }) };
  },
  /** The fields of a form with one small file. The policy limits key, size and time. */
  async form({ name, type = "application/octet-stream" }) {
    const now = new Date();
    const date = now.toISOString().replaceAll(/[-:]|\.\d{3}/g, "");
    const scope = [date.slice(0, 8), region, "s3", "aws4_request"];
    const fields = {
      key: newKey(name),
      "Content-Type": type,
      success_action_status: "201",
      "x-amz-algorithm": "AWS4-HMAC-SHA256",
      "x-amz-credential": [accessKeyId, ...scope].join("/"),
      "x-amz-date": date,
    };
    const conditions = [
      { bucket },
      ["content-length-range", 0, FORM_MAX_BYTES],
      ...Object.entries(fields).map(([field, value]) => ({ [field]: value })),
    ];
    const expiration = new Date(now.getTime() + LIFE_SECONDS * 1000).toISOString();
    const policy = Buffer.from(JSON.stringify({ expiration, conditions })).toString("base64");
    const signingKey = scope.reduce(hmac, `AWS4${secretAccessKey}`);
    return {
      url: `${endpoint}/${bucket}`,
      fields: { ...fields, policy, "x-amz-signature": hmac(signingKey, policy).toString("hex") },
    };
  },
};

async function bodyOf(request) {
  let text = "";
  for await (const piece of request) {
    text += piece;
    if (text.length > 100_000) throw new Error("the request is too long");
  }
  return JSON.parse(text || "{}");
}

/** Answers a request of the page with status and body. */
async function answer({ method, url }, readBody) {
  if (method === "OPTIONS") return [204, undefined];
  const name = new URL(url, "http://backend").pathname.slice(1);
  if (method !== "POST" || !Object.hasOwn(ACTIONS, name)) return [404, { error: "no such action" }];
  // A real site decides here whether this visitor may upload: it checks the session before it signs anything.
  try {
    return [200, await ACTIONS[name](await readBody())];
  } catch (error) {
    return [400, { error: error.message }];
  }
}

const server = createServer((request, response) => {
  void answer(request, () => bodyOf(request)).then(([status, body]) => {
    response.writeHead(status, {
      "content-type": "application/json",
      "access-control-allow-origin": pageOrigin,
      "access-control-allow-headers": "content-type",
    });
    response.end(JSON.stringify(body));
  });
});

server.listen(Number(port), () => {
  console.log(`signing on http://localhost:${server.address().port}`);
});
