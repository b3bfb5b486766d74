// A client with keys of its own that tracks their possible states: one after a complete response, several after a lost
// one. After a crash, the stored state must be one of them, over all keys at once.
import { createHash, randomBytes, randomInt } from "node:crypto";
import type { Answer, Requests } from "./requests.ts";

/** The content of a key; undefined when there is no object. The ETag is empty after an append whose answer was lost. */
type Content = { readonly etag: string; readonly md5: string; readonly bytes: Buffer } | undefined;
type State = readonly Content[];

/** An acknowledged version in a versioned bucket. */
interface AcknowledgedVersion {
  readonly key: string;
  readonly versionId: string;
  readonly etag: string;
}

/** The object that is copied for parts that must have 5 MiB. */
export interface BigObject {
  readonly path: string;
  readonly bytes: Buffer;
}

const KEYS = 3;
const MAX_BYTES = 100_000;
const PART_BYTES = 5 * 1024 ** 2;

export class Tenant {
  /** Findings that contradict every possible state. */
  readonly violations: string[] = [];
  /** Requests with an unknown outcome. */
  open = 0;
  readonly #path: string;
  readonly #isVersioned: boolean;
  readonly #big: BigObject;
  #possible: readonly State[] = [Array.from({ length: KEYS }, () => undefined)];
  #versions: AcknowledgedVersion[] = [];

  /** @param path `/bucket/prefix` */
  /** The uploads whose completion was acknowledged. */
  readonly completedUploads = new Set<string>();

  constructor(path: string, isVersioned: boolean, big: BigObject) {
    this.#path = path;
    this.#isVersioned = isVersioned;
    this.#big = big;
  }

  /** Does something at random. */
  async act(requests: Requests): Promise<void> {
    const key = randomInt(KEYS);
    const other = (key + 1 + randomInt(KEYS - 1)) % KEYS;
    switch (randomInt(15)) {
      case 0:
        return this.#delete(requests, key);
      case 1:
        return this.#copy(requests, key, other);
      case 2:
        return this.#isVersioned ? this.#copy(requests, key, other) : this.#rename(requests, key, other);
      case 3:
      case 4:
        return this.#multipart(requests, key);
      case 5:
        return this.#put(requests, key, { "if-none-match": "*" }, (content) => content === undefined);
      case 6: {
        const etag = this.#possible[0]?.[key]?.etag || "none";
        return this.#put(requests, key, { "if-match": `"${etag}"` }, (content) => content?.etag === etag);
      }
      case 7:
      case 8:
        return this.#get(requests, key);
      case 9:
        return this.#getBig(requests);
      case 10:
      case 11:
      case 12:
        return this.#append(requests, key);
      default:
        return this.#put(requests, key, {}, () => true);
    }
  }

  /** Reads everything back: the keys must be in one of the states that are possible, and no version may be lost. */
  async verify(requests: Requests): Promise<void> {
    const found: Content[] = [];
    for (let key = 0; key < KEYS; key += 1) {
      const answer = await requests.send("GET", this.#target(key));
      if (answer.status !== 200 && answer.status !== 404) {
        this.violations.push(`GET ${this.#target(key)}: ${answer.status ?? "no answer"}`);
        return;
      }
      found.push(answer.status === 404 ? undefined : contentOf(answer.body, etagOf(answer)));
    }
    if (!this.#possible.some((state) => isSame(state, found))) {
      this.violations.push(`${this.#path}: ${show(found)} is none of ${this.#possible.map(show).join(" | ")}`);
    }
    this.#possible = [found];
    for (const { key, versionId, etag } of this.#versions) {
      const answer = await requests.send("HEAD", `${key}?versionId=${versionId}`);
      if (answer.status === 200 && etagOf(answer) === etag) continue;
      this.violations.push(`version ${versionId} of ${key} is lost: ${answer.status ?? "no answer"}`);
    }
    this.#versions = [];
  }

  async #put(
    requests: Requests,
    key: number,
    headers: Readonly<Record<string, string>>,
    holds: (content: Content) => boolean,
  ): Promise<void> {
    const body = randomBytes(randomInt(MAX_BYTES));
    const content = contentOf(body, md5(body));
    const answer = await requests.send("PUT", this.#target(key), headers, body);
    this.#learn(`put ${key}`, answer, (state) => (holds(state[key]) ? state.with(key, content) : undefined));
    this.#remember(key, answer, content.etag);
  }

  /** Appends to what the key may have. Any other size of it refuses the request. */
  async #append(requests: Requests, key: number): Promise<void> {
    const offset = this.#possible[0]?.[key]?.bytes.length ?? 0;
    const body = randomBytes(1 + randomInt(MAX_BYTES));
    const headers = { "x-amz-write-offset-bytes": String(offset) };
    const answer = await requests.send("PUT", this.#target(key), headers, body);
    const etag = answer.status === 200 ? etagOf(answer) : "";
    this.#learn(`append ${key}`, answer, (state) => {
      const bytes = state[key]?.bytes ?? Buffer.alloc(0);
      return bytes.length === offset ? state.with(key, contentOf(Buffer.concat([bytes, body]), etag)) : undefined;
    });
    this.#remember(key, answer, etag);
  }

  /** Reads a key, often from the edge cache: no state without these bytes is possible. */
  async #get(requests: Requests, key: number): Promise<void> {
    const { status, body } = await requests.send("GET", this.#target(key));
    if (status === undefined) return;
    const found = status === 404 ? undefined : md5(body);
    if (this.#possible.some((state) => state[key]?.md5 === found)) return;
    this.violations.push(
      `GET ${this.#target(key)}: ${status} ${found}, in none of ${this.#possible.map(show).join(" | ")}`,
    );
  }

  /** Reads all or a part of the big object, whose pieces fill the edge cache while the server is killed. */
  async #getBig(requests: Requests): Promise<void> {
    const first = randomInt(2) * randomInt(this.#big.bytes.length);
    const { status, body } = await requests.send("GET", this.#big.path, { range: `bytes=${first}-` });
    if (status === undefined || body.equals(this.#big.bytes.subarray(first))) return;
    this.violations.push(`GET ${this.#big.path} from ${first}: ${status}, ${body.length} other bytes`);
  }

  async #delete(requests: Requests, key: number): Promise<void> {
    const answer = await requests.send("DELETE", this.#target(key));
    this.#learn(`delete ${key}`, answer, (state) => state.with(key, undefined));
  }

  async #copy(requests: Requests, from: number, to: number): Promise<void> {
    const answer = await requests.send("PUT", this.#target(to), { "x-amz-copy-source": this.#target(from) });
    this.#learn(`copy ${from} ${to}`, answer, (state) =>
      state[from] === undefined ? undefined : state.with(to, state[from]),
    );
    this.#remember(to, answer, /<ETag>(?:"|&quot;)([^"&]+)/.exec(answer.body.toString())?.[1] ?? "");
  }

  async #rename(requests: Requests, from: number, to: number): Promise<void> {
    // Without the bucket's name: the source is a key.
    const source = this.#target(from).split("/").slice(2).join("/");
    const answer = await requests.send("PUT", `${this.#target(to)}?renameObject`, { "x-amz-rename-source": source });
    this.#learn(`rename ${from} ${to}`, answer, (state) =>
      state[from] === undefined ? undefined : state.with(to, state[from]).with(from, undefined),
    );
  }

  /** One or two parts; where there are two, the first is a range of the big object. */
  async #multipart(requests: Requests, key: number): Promise<void> {
    const target = this.#target(key);
    const begun = await requests.send("POST", `${target}?uploads`);
    const uploadId = /<UploadId>([^<]+)/.exec(begun.body.toString())?.[1];
    if (uploadId === undefined) return;
    const pieces: Buffer[] = [];
    const etags: string[] = [];
    if (randomInt(2) === 0) {
      const first = randomInt(this.#big.bytes.length - PART_BYTES);
      const range = {
        "x-amz-copy-source": this.#big.path,
        "x-amz-copy-source-range": `bytes=${first}-${first + PART_BYTES - 1}`,
      };
      const copied = await requests.send("PUT", `${target}?partNumber=1&uploadId=${uploadId}`, range);
      pieces.push(this.#big.bytes.subarray(first, first + PART_BYTES));
      etags.push(/<ETag>(?:"|&quot;)([0-9a-f]+)/.exec(copied.body.toString())?.[1] ?? "");
    }
    const body = randomBytes(randomInt(MAX_BYTES));
    const sent = await requests.send("PUT", `${target}?partNumber=${pieces.length + 1}&uploadId=${uploadId}`, {}, body);
    pieces.push(body);
    etags.push(etagOf(sent));
    if (etags.includes("")) return;
    const parts = etags.map((etag, index) => `<Part><PartNumber>${index + 1}</PartNumber><ETag>${etag}</ETag></Part>`);
    const document = `<CompleteMultipartUpload>${parts.join("")}</CompleteMultipartUpload>`;
    const answer = await requests.send("POST", `${target}?uploadId=${uploadId}`, {}, document);
    const etag = `${md5(Buffer.from(etags.join(""), "hex"))}-${etags.length}`;
    const content = contentOf(Buffer.concat(pieces), etag);
    if (answer.status === 200) this.completedUploads.add(uploadId);
    this.#learn(`complete ${key}`, answer, (state) => state.with(key, content));
    this.#remember(key, answer, etag);
  }

  /** @param apply the state after the request, or undefined where it would be refused */
  #learn(name: string, { status }: Answer, apply: (state: State) => State | undefined): void {
    const before = this.#possible;
    const after = before.flatMap((state) => {
      const next = apply(state);
      return next === undefined ? [] : [next];
    });
    if (status === undefined) {
      this.open += 1;
      this.#possible = distinct([...before, ...after]);
      return;
    }
    this.#possible = status < 300 ? distinct(after) : before.filter((state) => apply(state) === undefined);
    if (this.#possible.length > 0) return;
    this.violations.push(`${name} of ${this.#path}: ${status}, in none of ${before.map(show).join(" | ")}`);
    this.#possible = before;
  }

  #remember(key: number, { status, headers }: Answer, etag: string): void {
    const versionId = headers.get("x-amz-version-id");
    if (status === 200 && versionId !== null) this.#versions.push({ key: this.#target(key), versionId, etag });
  }

  #target(key: number): string {
    return `${this.#path}/${key}`;
  }
}

function distinct(states: readonly State[]): readonly State[] {
  return Array.from(new Map(states.map((state) => [show(state), state])).values());
}

function contentOf(bytes: Buffer, etag: string): NonNullable<Content> {
  return { etag, md5: md5(bytes), bytes };
}

/** Whether the keys have these contents, as far as their ETags are known. */
function isSame(state: State, found: State): boolean {
  return state.every((content, key) => {
    const other = found[key];
    return content?.md5 === other?.md5 && (content === undefined || [other?.etag, ""].includes(content.etag));
  });
}

function show(state: State): string {
  return state.map((content) => (content === undefined ? "-" : `${content.etag}/${content.md5.slice(0, 8)}`)).join(" ");
}

function etagOf({ headers }: Answer): string {
  return (headers.get("etag") ?? "").replaceAll('"', "");
}

function md5(bytes: Buffer): string {
  return createHash("md5").update(bytes).digest("hex");
}
