// Tests that the local server accepts no edge headers from clients, and that the runtime's own ports accept no
// requests. `npm run test:serve` runs them; requests are sent over plain sockets.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, readdirSync, readlinkSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { signRequest } from "../clients/raw/sign.ts";
import { Requests } from "../crash/requests.ts";
import { ACCESS_KEY_ID, makeCredentials, SECRET_ACCESS_KEY } from "../../scripts/project/credentials.ts";
import { CLIENT_ADDRESS_HEADER, makeAddressHeader, openFront, type Front } from "../../scripts/serve/front.ts";
import { serveCairn, WORKER, type ServedCairn } from "../../scripts/serve/runtime.ts";

const ADDRESS = "203.0.113.9";
const TRUSTED = { country: "AQ", clientIp: `${ADDRESS}:1`, tlsVersion: "TLSv1.3", clientAcceptEncoding: "gzip" };
/** Longer than any answer takes on a busy machine. */
const ANSWER_MS = 60_000;
/** Long enough for an answer that must not come. */
const SILENCE_MS = 5000;
const credentials = makeCredentials();
const state = mkdtempSync(join(tmpdir(), "cairn-edge-"));
let cairn: ServedCairn;
const addressHeader = makeAddressHeader();
let front: Front;

/** Headers by which a client might speak for the edge or for Miniflare. */
const FORGED = [
  `MF-CF-Blob: ${JSON.stringify(TRUSTED)}`,
  `mf-cf-blob: ${JSON.stringify(TRUSTED)}`,
  "MF-CF-Blob: {}",
  "MF-CF-Blob: no json",
  "MF-Original-URL: https://localhost/open/k",
  "MF-Op-Original-URL: https://localhost/open/k",
  "MF-Route-Override: scheduler",
  "MF-Proxy-Shared-Secret: x",
  "X-Forwarded-Proto: https",
  `X-Forwarded-For: ${ADDRESS}`,
  'CF-Visitor: {"scheme":"https"}',
];

/**
 * Sends text on a new connection and returns everything received; empty if the connection is closed.
 * @param idleMs time without an answer after which the connection is closed
 * @param last what ends the answer, if the connection stays open after it
 */
function exchange(port: number, text: string, idleMs = ANSWER_MS, last?: RegExp): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    let answer = "";
    socket.on("data", (bytes: Buffer) => {
      answer += bytes.toString("latin1");
      if (last?.test(answer) === true) socket.destroy();
    });
    socket.on("error", () => socket.destroy());
    socket.on("close", () => resolve(answer));
    socket.setTimeout(idleMs, () => socket.destroy());
    socket.write(text);
  });
}

function get(port: number, target: string, ...headers: readonly string[]): Promise<string> {
  const lines = [`GET ${target} HTTP/1.1`, "Host: localhost", ...headers, "Connection: close", "", ""];
  return exchange(port, lines.join("\r\n"));
}

/** The ports on which a process listens. */
function portsOf(pid: number): number[] {
  const inodes = new Set(
    readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? [];
      } catch {
        return [];
      }
    }),
  );
  return readFileSync("/proc/net/tcp", "utf8")
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , , kind, , , , , , inode = ""]) => kind === "0A" && inodes.has(inode))
    .map(([, address = ""]) => Number.parseInt(address.split(":")[1] ?? "", 16));
}

function policyOf(bucket: string, condition: object): string {
  const Resource = `arn:aws:s3:::${bucket}/*`;
  return JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Principal: "*", Action: "s3:GetObject", Resource, Condition: condition }],
  });
}

before(async () => {
  const bindings = { [ACCESS_KEY_ID]: credentials.accessKeyId, [SECRET_ACCESS_KEY]: credentials.secretAccessKey };
  cairn = await serveCairn({
    state,
    host: "127.0.0.1",
    port: 0,
    bindings: { ...bindings, EDGE: "cloudflare", LOG_REQUESTS: "false", [CLIENT_ADDRESS_HEADER]: addressHeader },
  });
  front = await openFront("127.0.0.1", 0, addressHeader, async () => Number(new URL(await cairn.urlOf(WORKER)).port));
  const requests = new Requests(`http://127.0.0.1:${front.port}`, credentials);
  const conditions: Record<string, object> = {
    open: {},
    peer: { IpAddress: { "aws:SourceIp": "127.0.0.1/32" } },
    near: { IpAddress: { "aws:SourceIp": `${ADDRESS}/32` } },
    anywhere: { IpAddress: { "aws:SourceIp": ["0.0.0.0/0", "::/0"] } },
    secure: { Bool: { "aws:SecureTransport": "true" } },
  };
  for (const [bucket, condition] of Object.entries(conditions)) {
    assert.equal((await requests.send("PUT", `/${bucket}`)).status, 200);
    await requests.send("DELETE", `/${bucket}?publicAccessBlock`);
    const set = await requests.send("PUT", `/${bucket}?policy`, {}, policyOf(bucket, condition));
    assert.equal(set.status, 204, set.body.toString());
    assert.equal((await requests.send("PUT", `/${bucket}/k`, {}, "the bytes")).status, 200);
  }
});

after(async () => {
  front.close();
  await cairn.stop();
  rmSync(state, { recursive: true, force: true, maxRetries: 5 });
});

void describe("the local server", () => {
  void it("reports the address of the client's connection, whatever the client sends", async () => {
    for (const forged of FORGED) {
      for (const bucket of ["peer", "anywhere"]) {
        const answer = await get(front.port, `/${bucket}/k`, forged, `CF-Connecting-IP: ${ADDRESS}`);
        assert.match(answer, /^HTTP\/1\.1 200 /, `${bucket} with ${forged}`);
      }
    }
    const requests = new Requests(`http://127.0.0.1:${front.port}`, credentials);
    const document = "<NotificationConfiguration><EventBridgeConfiguration/></NotificationConfiguration>";
    assert.equal((await requests.send("PUT", "/open?notification", {}, document)).status, 200);
    assert.equal((await requests.send("PUT", "/open/k", {}, "the bytes")).status, 200);
    const events = (await requests.send("GET", "/open?events")).body.toString();
    assert.deepEqual(
      [...events.matchAll(/"sourceIPAddress":"([^"]*)"/g)].map(([, address]) => address),
      ["127.0.0.1"],
    );
  });

  void it("accepts neither an address nor TLS version from a client", async () => {
    const runtimePort = Number(new URL(await cairn.urlOf(WORKER)).port);
    for (const port of [front.port, runtimePort]) {
      for (const forged of FORGED) {
        for (const bucket of ["near", "secure", ...(port === front.port ? [] : ["peer", "anywhere"])]) {
          const answer = await get(port, `/${bucket}/k`, forged, `CF-Connecting-IP: ${ADDRESS}`);
          assert.match(answer, /^HTTP\/1\.1 403 /, `${bucket} with ${forged}`);
        }
        const open = await get(port, "/open/k", forged, `CF-Connecting-IP: ${ADDRESS}`);
        assert.match(open, /^HTTP\/1\.1 200 /, forged);
        assert.ok(open.includes("the bytes"));
      }
    }
  });

  void it("opens no tunnel for any form of request", async () => {
    const name = "miniflare-unsafe-internal-capnp-connect";
    const connectTo = `CONNECT ${name} HTTP/1.1\r\nHost: ${name}\r\n\r\n`;
    const put = (...lines: readonly string[]): string => {
      const identity = { credentials, region: "auto", host: `127.0.0.1:${front.port}` };
      const { head } = signRequest({ ...identity, method: "PUT", target: "/open/put" });
      return head.replace(/\r\n\r\n$/, ["", ...lines, "", ""].join("\r\n"));
    };
    const chunked = put("Transfer-Encoding: chunked");
    const inner = "aa\r\n\r\nPOST / HTTP/1.1\r\nContent-Length: 99999\r\n\r\n";
    // The response to CONNECT has no headers. The runtime itself opens a tunnel.
    const OPENED = /HTTP\/1\.1 2\d\d [^\r]*\r\n\r\n/;
    const runtimePort = Number(new URL(await cairn.urlOf(WORKER)).port);
    for (const text of [connectTo, `${put("X: y\nContent-Length: 1")}x${connectTo}`]) {
      assert.match(await exchange(runtimePort, text, ANSWER_MS, OPENED), OPENED);
    }
    for (const text of [
      connectTo,
      `CONNECT ${name}:80 HTTP/1.1\nHost: ${name}\n\n`,
      `\r\n${connectTo}`,
      `GET /open/k HTTP/1.1\nHost: localhost\n\nCONNECT ${name} HTTP/1.1\nHost: ${name}\n\n`,
      `${put("X: y\nContent-Length: 1")}x${connectTo}`,
      `${put("Content-Length: 1", "Content-Length: 1")}x${connectTo}`,
      `${chunked}000000000000${inner.length.toString(16)}\r\n${inner}\r\n0\r\n\r\n${connectTo}`,
      `${chunked}1;${"a".repeat(9000)}\r\nx\r\n0\r\n\r\n${connectTo}`,
    ]) {
      assert.doesNotMatch(await exchange(front.port, text, SILENCE_MS), OPENED, text.slice(-400));
    }
    assert.match(await get(front.port, "/open/k"), /^HTTP\/1\.1 200 /);
  });
});

void describe("the runtime's own ports", { skip: process.platform !== "linux" }, () => {
  void it("accept only Cairn's callers, with any headers and paths", async () => {
    const runtimePort = Number(new URL(await cairn.urlOf(WORKER)).port);
    const ports = portsOf(cairn.workerdPid() ?? 0).filter((port) => port !== runtimePort);
    assert.ok(ports.length > 0, "Miniflare's entry is found");
    for (const port of ports) {
      for (const target of [
        "/",
        "/open/k",
        "/cdn-cgi/local/r2/public/BLOBS/k",
        "/cdn-cgi/handler/scheduled",
        "/cdn-cgi/mf/scheduled",
        "/cdn-cgi/local/platform-proxy",
        "/cdn-cgi/explorer/api/d1/database",
      ]) {
        for (const header of [...FORGED, "MF-Route-Override: cairn", "MF-Op: GET"]) {
          assert.match(await get(port, target, header), /^HTTP\/1\.1 403 /, `${target} with ${header}`);
        }
        const guessed = await get(port, target, "MF-Op: GET", "MF-Op-Target: 0", "MF-Op-Key: x", "MF-Op-Secret: 00");
        assert.match(guessed, /^HTTP\/1\.1 40[13] /, target);
      }
    }
  });
});
