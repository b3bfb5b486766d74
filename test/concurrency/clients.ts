// Clients that work on a few keys concurrently and record their requests and responses. The recorded steps state what
// S3 promises: an acknowledged write has happened, a rejected one has not, and its condition failed.
import { expect } from "vitest";

import { send, type RequestScope } from "../support/client.ts";
import { md5Hex } from "../support/digests.ts";
import { readXml, textOf } from "../support/read-xml.ts";
import { linearize, type Operation } from "./linearizability.ts";

/** The ETag of each key's object; no entry for a missing object. */
export type Keys = Readonly<Record<string, string>>;

type Step = (keys: Keys) => Keys | undefined;
type Condition = "none" | "absent" | "match";

export class Clients {
  readonly history: Operation<Keys>[] = [];
  /** The number of responses by status. */
  readonly statuses = new Map<number, number>();
  readonly #bucket: string;
  readonly #seen = new Map<string, string>();
  #clock = 0;
  #bodies = 0;

  constructor(bucket: string) {
    this.#bucket = bucket;
  }

  async put(key: string, condition: Condition, scope: RequestScope): Promise<void> {
    this.#bodies += 1;
    const body = `body ${this.#bodies}`;
    const etag = md5Hex(body);
    const expected = this.#seen.get(key) ?? md5Hex("nothing");
    const headers = conditionHeaders(condition, expected);
    const holds = conditionOn(key, condition, expected);
    await this.#record(
      `put ${key} ${etag} if ${condition}`,
      () => send("PUT", this.#target(key), { body, headers }, scope),
      (status) =>
        status === 200
          ? (keys) => (holds(keys) ? { ...keys, [key]: etag } : undefined)
          : (keys) => (holds(keys) ? undefined : keys),
    );
  }

  async delete(key: string, condition: Exclude<Condition, "absent">, scope: RequestScope): Promise<void> {
    const expected = this.#seen.get(key) ?? md5Hex("nothing");
    const headers = conditionHeaders(condition, expected);
    const holds = conditionOn(key, condition, expected);
    await this.#record(
      `delete ${key} if ${condition}`,
      () => send("DELETE", this.#target(key), { headers }, scope),
      (status) =>
        status === 204
          ? (keys) => (holds(keys) ? without(keys, key) : undefined)
          : (keys) => (holds(keys) ? undefined : keys),
    );
  }

  async get(key: string, scope: RequestScope): Promise<void> {
    let etag: string | undefined;
    const read = async (): Promise<Response> => {
      const response = await send("GET", this.#target(key), {}, scope);
      if (response.status === 200) {
        etag = bare(response.headers.get("etag"));
        const text = await bytesAsText(response);
        if (!etag.includes("-")) expect(md5Hex(text)).toBe(etag);
        this.#seen.set(key, etag);
      }
      return response;
    };
    await this.#record(`get ${key}`, read, (status) =>
      status === 200
        ? (keys) => (keys[key] === etag ? keys : undefined)
        : (keys) => (keys[key] === undefined ? keys : undefined),
    );
  }

  /** A multipart upload of one part; only its completion is of interest. */
  async complete(key: string, scope: RequestScope): Promise<void> {
    this.#bodies += 1;
    const body = `part ${this.#bodies}`;
    const begun = await send("POST", `${this.#target(key)}?uploads`);
    const upload = `uploadId=${textOf(readXml(await begun.text()), "UploadId")}`;
    expect((await send("PUT", `${this.#target(key)}?partNumber=1&${upload}`, { body })).status).toBe(200);
    const document = `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${md5Hex(body)}</ETag></Part></CompleteMultipartUpload>`;
    const etag = `${md5Hex(Buffer.from(md5Hex(body), "hex"))}-1`;
    const request = () => send("POST", `${this.#target(key)}?${upload}`, { body: document }, scope);
    await this.#record(`complete ${key} ${etag}`, request, () => (keys) => ({ ...keys, [key]: etag }));
  }

  async copy(from: string, to: string, scope: RequestScope): Promise<void> {
    const headers = { "x-amz-copy-source": `/${this.#bucket}/${from}`, "x-amz-metadata-directive": "REPLACE" };
    let etag: string | undefined;
    const request = async (): Promise<Response> => {
      const response = await send("PUT", this.#target(to), { headers }, scope);
      if (response.status === 200) etag = bare(textOf(readXml(await response.text()), "ETag") ?? "");
      return response;
    };
    await this.#record(`copy ${from} ${to}`, request, (status) => (keys) => {
      const source = keys[from];
      if (status === 404) return source === undefined ? keys : undefined;
      // Without an answer, the copied version is unknown.
      if (source === undefined || (etag !== undefined && source !== etag)) return undefined;
      return { ...keys, [to]: source };
    });
  }

  async rename(from: string, to: string, scope: RequestScope): Promise<void> {
    const headers = { "x-amz-rename-source": from };
    await this.#record(
      `rename ${from} ${to}`,
      () => send("PUT", `${this.#target(to)}?renameObject`, { headers }, scope),
      (status) => (keys) => {
        const source = keys[from];
        if (status === 404) return source === undefined ? keys : undefined;
        return source === undefined ? undefined : { ...without(keys, from), [to]: source };
      },
    );
  }

  /** Asserts that the requests on these keys have a sequential order. */
  expectLinearizable(keys: readonly string[]): void {
    const ofKeys = this.history.filter(({ name }) => name.split(" ").some((word) => keys.includes(word)));
    const show = (state: Keys): string => keys.map((key) => `${key}:${(state[key] ?? "-").slice(0, 6)}`).join(" ");
    const { isLinearizable, longest } = linearize(ofKeys, {}, show);
    const left = ofKeys.map(({ name, invokedAt, returnedAt }) => `${invokedAt}–${returnedAt} ${name}`);
    expect(isLinearizable, `no order of these:\n${left.join("\n")}\nthe longest was:\n${longest.join("\n")}`).toBe(
      true,
    );
  }

  async #record(name: string, request: () => Promise<Response>, stepOf: (status: number) => Step): Promise<void> {
    const invokedAt = this.#tick();
    const response = await request();
    if (!response.bodyUsed) await response.body?.cancel();
    const { status } = response;
    this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1);
    const isOpen = status === 503;
    const step = stepOf(isOpen ? 200 : status);
    this.history.push({
      name: `${name} -> ${status}`,
      invokedAt,
      returnedAt: isOpen ? Infinity : this.#tick(),
      step: isOpen ? openStep(name, step, stepOf(204)) : step,
    });
  }

  #tick(): number {
    this.#clock += 1;
    return this.#clock;
  }

  #target(key: string): string {
    return `/${this.#bucket}/${key}`;
  }
}

/** The result of a request that may have been executed: a deletion's success has another status. */
function openStep(name: string, put: Step, deletion: Step): Step {
  return name.startsWith("delete") ? deletion : put;
}

function conditionHeaders(condition: Condition, etag: string): Record<string, string> {
  if (condition === "none") return {};
  return condition === "absent" ? { "if-none-match": "*" } : { "if-match": `"${etag}"` };
}

function conditionOn(key: string, condition: Condition, etag: string): (keys: Keys) => boolean {
  return (keys) => condition === "none" || keys[key] === (condition === "absent" ? undefined : etag);
}

function without(keys: Keys, key: string): Keys {
  return Object.fromEntries(Object.entries(keys).filter(([name]) => name !== key));
}

/** Objects have no text type, which would cause a warning of the runtime. */
export async function bytesAsText(response: Response): Promise<string> {
  return new TextDecoder().decode(await response.arrayBuffer());
}

function bare(etag: string | null): string {
  return (etag ?? "").replaceAll('"', "");
}
