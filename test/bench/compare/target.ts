// An endpoint under measurement: where it listens, how its requests are signed, and what its process has used of the CPU.
import { readFileSync } from "node:fs";
import { Connection, type WireRequest, type WireResponse } from "./connection.ts";
import { presigned, type SigningKey, unsigned, type UnsignedRequest } from "./presign.ts";

export interface TargetOptions {
  readonly name: string;
  readonly url: string;
  /** Undefined for an endpoint that does not check signatures. */
  readonly key: SigningKey | undefined;
  /** The server's process, if it is on this machine. */
  readonly pid?: (() => number | undefined) | undefined;
  /** The most keys that the target's listed buckets can be filled with. */
  readonly maxListedKeys: number;
}

const TICK_MS = 10;

export class Target {
  readonly name: string;
  readonly maxListedKeys: number;
  readonly #url: URL;
  readonly #key: SigningKey | undefined;
  readonly #pid: () => number | undefined;

  constructor({ name, url, key, pid, maxListedKeys }: TargetOptions) {
    this.name = name;
    this.maxListedKeys = maxListedKeys;
    this.#url = new URL(url);
    if (this.#url.protocol !== "http:") throw new Error(`${name}: only http:// endpoints can be measured`);
    this.#key = key;
    this.#pid = pid ?? (() => undefined);
  }

  request(request: UnsignedRequest): WireRequest {
    return this.#key === undefined ? unsigned(this.#url, request) : presigned(this.#url, this.#key, request);
  }

  async connect(count: number): Promise<Connection[]> {
    return Promise.all(Array.from({ length: count }, async () => Connection.open(this.#url)));
  }

  /** Sends one request on a connection of its own. Rejects if the response is an error. */
  async send(request: UnsignedRequest): Promise<WireResponse> {
    const [connection] = await this.connect(1);
    if (connection === undefined) throw new Error("no connection");
    try {
      return checked(request, await connection.send(this.request(request)));
    } finally {
      connection.close();
    }
  }

  /** User and system time of the server's process so far, in milliseconds; undefined if it is not known. */
  cpuMs(): number | undefined {
    const pid = this.#pid();
    if (pid === undefined) return undefined;
    try {
      const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? [];
      return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
    } catch {
      // There is no /proc, or the process ended.
      return undefined;
    }
  }
}

/** Returns the response unless it is an error. */
export function checked({ method, path }: { method: string; path: string }, response: WireResponse): WireResponse {
  if (response.status < 300) return response;
  throw new Error(`${method} ${path}: ${response.status} ${response.text.slice(0, 300)}`);
}
