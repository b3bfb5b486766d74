// `npm run bench:soak`: sends thousands of requests that break off, among others that do not, and fails when the memory of
// the Worker's isolate grows with their number. `--count N` sends another number, `--only N` requests of one kind alone.
import { randomBytes } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { Requests } from "../crash/requests.ts";
import { readCommandLine } from "../../scripts/project/command-line.ts";
import type { ServedCairn } from "../../scripts/serve/runtime.ts";
import { breakOff, brokenRequests, type BrokenRequest } from "./broken.ts";
import { Checks, count } from "./checks.ts";
import { Inspector, type MemoryUsage } from "./inspector.ts";
import { CREDENTIALS } from "./signer.ts";
import { serveMeasured } from "./serve-measured.ts";

const USAGE = "Usage: npm run bench:soak -- [--count N] [--only N]";
const values = readCommandLine(USAGE, { count: { type: "string", default: "5000" }, only: { type: "string" } });
const total = Number(values.count);
if (!Number.isInteger(total) || total < 100) {
  console.error(USAGE);
  process.exit(2);
}

const BUCKET = "soak";
const WARM_UP = 600;
const AT_ONCE = 40;
const PART_BYTES = 5 * 1024 ** 2;
const PAUSE_MS = 3000;

/** More than what the runtime itself keeps of a request for a while, and a fifth of what one leak of an error would be. */
const MAX_BYTES_PER_REQUEST = 500;
const MAX_BUFFERS = 2 * 1024 ** 2;

const checks = new Checks("soak");

async function ask(requests: Requests, method: string, target: string, body?: Buffer | string): Promise<string> {
  const { status, body: answer } = await requests.send(method, target, {}, body);
  if (status === undefined || status >= 300) throw new Error(`${method} ${target}: ${status} ${answer.toString()}`);
  return answer.toString();
}

/** Makes what the requests are about. */
async function prepare(requests: Requests, url: string): Promise<BrokenRequest[]> {
  await ask(requests, "PUT", `/${BUCKET}`);
  const policy = { Effect: "Allow", Principal: "*", Action: "s3:PutObject", Resource: `arn:aws:s3:::${BUCKET}/*` };
  await ask(requests, "PUT", `/${BUCKET}?policy`, JSON.stringify({ Version: "2012-10-17", Statement: [policy] }));
  await ask(requests, "PUT", `/${BUCKET}/large`, randomBytes(PART_BYTES));
  const uploadId = await begin(requests, "upload");
  const several = await begin(requests, "parts");
  for (const number of [1, 2]) {
    await ask(requests, "PUT", `/${BUCKET}/parts?partNumber=${number}&uploadId=${several}`, randomBytes(PART_BYTES));
  }
  const listed = await ask(requests, "GET", `/${BUCKET}/parts?uploadId=${several}`);
  const parts = [...listed.matchAll(/<PartNumber>(\d+)<.*?<ETag>(.*?)<\/ETag>/gs)].map(
    ([, number, etag]) => `<Part><PartNumber>${number}</PartNumber><ETag>${etag}</ETag></Part>`,
  );
  const document = `<CompleteMultipartUpload>${parts.join("")}</CompleteMultipartUpload>`;
  await ask(requests, "POST", `/${BUCKET}/parts?uploadId=${several}`, document);
  const broken = await brokenRequests(url, { bucket: BUCKET, uploadId });
  const sealed = broken.find(({ target }) => target.endsWith("/sealed"))?.headers ?? {};
  const customerKey = Object.entries(sealed).filter(([name]) => name.includes("customer"));
  const put = await requests.send("PUT", `/${BUCKET}/sealed`, Object.fromEntries(customerKey), randomBytes(PART_BYTES));
  if (put.status !== 200) throw new Error(`PUT sealed: ${put.status} ${put.body.toString()}`);
  return broken;
}

async function begin(requests: Requests, key: string): Promise<string> {
  const begun = await ask(requests, "POST", `/${BUCKET}/${key}?uploads`);
  return /<UploadId>(.*?)<\/UploadId>/.exec(begun)?.[1] ?? "";
}

/** Sends requests that break off, many at a time, and beside them some that do not. */
async function run(requests: Requests, url: string, broken: readonly BrokenRequest[], times: number): Promise<void> {
  let sent = 0;
  const worker = async (): Promise<void> => {
    while (sent < times) {
      const turn = sent;
      sent += 1;
      const request = broken[turn % broken.length];
      if (request !== undefined) await breakOff(url, request);
      if (turn % 10 === 0) await mixed(requests, turn);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

async function mixed(requests: Requests, name: number): Promise<void> {
  const key = `/${BUCKET}/mixed/${name}`;
  await ask(requests, "PUT", key, randomBytes(1 + (name % 200) * 100));
  await ask(requests, "GET", key);
  await ask(requests, "GET", `/${BUCKET}?list-type=2&prefix=mixed/`);
  if (name % 3 === 0) await ask(requests, "DELETE", key);
}

async function usageAfterPause(inspector: Inspector, url: string): Promise<MemoryUsage> {
  await pause(PAUSE_MS);
  return inspector.usageAfterCollection(url);
}

function report(when: string, { heap, buffers }: MemoryUsage): void {
  console.log(`${when}: heap ${count(heap)} bytes, buffers ${count(buffers)} bytes`);
}

async function soak(cairn: ServedCairn): Promise<void> {
  const requests = new Requests(cairn.url, CREDENTIALS);
  const all = await prepare(requests, cairn.url);
  const broken = values.only === undefined ? all : all.slice(Number(values.only), Number(values.only) + 1);
  if (values.only !== undefined) console.log(broken[0]?.method, broken[0]?.target, broken[0]?.headers);
  const inspector = await Inspector.connect(await cairn.inspectorUrl());
  await run(requests, cairn.url, broken, WARM_UP);
  const before = await usageAfterPause(inspector, cairn.url);
  report(`after ${count(WARM_UP)} requests that broke off`, before);
  await run(requests, cairn.url, broken, total);
  const after = await usageAfterPause(inspector, cairn.url);
  report(`after ${count(total)} more`, after);
  inspector.close();
  checks.atMost("growth of the heap for each", (after.heap - before.heap) / total, MAX_BYTES_PER_REQUEST, "bytes");
  checks.atMost("growth of the buffers", after.buffers - before.buffers, MAX_BUFFERS, "bytes");
}

const served = await serveMeasured({
  bindings: {
    SSE_CUSTOMER_KEYS_OVER_HTTP: "loopback",
  },
  isInspected: true,
  onLog: () => undefined,
});
try {
  await soak(served);
} finally {
  await served.stop();
}
console.log(checks.summary());
if (checks.failed > 0) process.exitCode = 1;
