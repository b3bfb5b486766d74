// curl as a function: a URL in, the answer's status, headers and body out.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { hashBytes } from "./hashes.ts";
import { describe, runCommand, words } from "./run-command.ts";
import { clientEnvironment, type Site } from "./site.ts";

/** An answer that curl received. */
export interface Curl {
  readonly status: number;
  /** By lower-case name. */
  readonly headers: ReadonlyMap<string, string>;
  /** The body as text; empty if it is too long for one. */
  readonly body: string;
  readonly sha256: string;
}

const TIMEOUT_MS = 60_000;
const BODY_MAX_BYTES = 1024 ** 2;

/** Gets a URL; curl's own options may follow. */
export type RunCurl = (url: string, ...options: readonly string[]) => Promise<Curl>;

/** curl with a folder for what it writes. */
export function curlFor(site: Site, folder: string): RunCurl {
  const env = clientEnvironment(site, folder);
  return async (url, ...options) => {
    const name = randomBytes(6).toString("hex");
    const headFile = join(folder, `${name}.head`);
    const bodyFile = join(folder, `${name}.body`);
    const result = await runCommand(
      "/usr/bin/curl",
      [
        ...words("--silent --show-error --globoff --path-as-is --write-out %{http_code}"),
        ...words(`--cacert ${site.caFile} --dump-header ${headFile} --output ${bodyFile}`),
        ...options,
        url,
      ],
      { env, timeoutMs: TIMEOUT_MS },
    );
    assert.equal(result.code, 0, describe(result));
    const bytes = read(bodyFile);
    const headers = parseHeaders(read(headFile).toString());
    rmSync(headFile, { force: true });
    rmSync(bodyFile, { force: true });
    return {
      status: Number(result.stdout),
      headers,
      body: bytes.length > BODY_MAX_BYTES ? "" : bytes.toString(),
      sha256: hashBytes("sha256", bytes),
    };
  };
}

function read(file: string): Buffer {
  // curl creates no file for an empty body.
  return existsSync(file) ? readFileSync(file) : Buffer.alloc(0);
}

function parseHeaders(text: string): ReadonlyMap<string, string> {
  // A `100 Continue` precedes the answer's block.
  const block = text.trim().split("\r\n\r\n").at(-1) ?? "";
  return new Map(
    block
      .split("\r\n")
      .slice(1)
      .map((line) => [line.slice(0, line.indexOf(":")).toLowerCase(), line.slice(line.indexOf(":") + 1).trim()]),
  );
}
