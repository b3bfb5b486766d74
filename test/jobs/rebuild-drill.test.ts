// The drill: random histories of everything that stores, shares or drops bytes; then the database is lost and rebuilt.
// What was uploaded last under each key is restored byte for byte, or the report names the key; what else a key
// shows was uploaded to it before; and no upload that was not completed shows anywhere.
// `REBUILD_DRILLS=500 npx vitest run --config test/vitest.config.ts test/jobs/rebuild-drill.test.ts` runs more of them.
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";

import { send, type RequestScope } from "../support/client.ts";
import { md5Hex } from "../support/digests.ts";
import { freshBucket } from "../support/fresh-bucket.ts";
import { storeBodiesInBlobs } from "../support/inline.ts";
import { createUpload, joined, largePart, putPart, sendCompletion, type ListedPart } from "../support/multipart.ts";
import { readXml, textOf } from "../support/read-xml.ts";
import { referencesIn, loseDatabase, rebuilt, rebuildFindings } from "../support/rebuilding.ts";
import { setVersioning } from "../support/versioning.ts";

storeBodiesInBlobs();

const DRILLS = numberFrom("REBUILD_DRILLS") ?? 12;
const FIRST_SEED = numberFrom("REBUILD_SEED") ?? 1;
const TURNS = 40;
const KEYS = ["a", "b", "c", "d"];

/** The expected state of a key, tracked without asking Cairn. */
interface KeyHistory {
  /** Digests of all its uploaded and committed contents, in commit order. */
  readonly uploaded: string[];
  /** Whether its current content is the last of these. */
  isAsUploaded: boolean;
}

interface OpenUpload {
  readonly key: string;
  readonly id: string;
  readonly parts: Map<number, { readonly listed: ListedPart; readonly bytes: Uint8Array }>;
}

function numberFrom(binding: string): number | undefined {
  const value: unknown = Reflect.get(env, binding);
  return typeof value === "string" && /^\d+$/.test(value) ? Number(value) : undefined;
}

/** Numbers below `bound`, the same for the same seed. */
function numbersOf(seed: number): (bound: number) => number {
  let state = seed * 7919;
  return (bound) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}

/** A history in one bucket. */
class Drill {
  readonly transcript: string[] = [];
  readonly histories = new Map(KEYS.map((key): [string, KeyHistory] => [key, { uploaded: [], isAsUploaded: true }]));
  readonly #bucket: string;
  readonly #next: (bound: number) => number;
  readonly #isVersioned: boolean;
  /** The current content of each key, by its digest. */
  readonly #shown = new Map<string, string>();
  readonly #uploads: OpenUpload[] = [];

  constructor(bucket: string, isVersioned: boolean, next: (bound: number) => number) {
    this.#bucket = bucket;
    this.#isVersioned = isVersioned;
    this.#next = next;
  }

  async turn(number: number): Promise<void> {
    const key = this.#key();
    const text = `${key} in turn ${number}`;
    switch (this.#next(11)) {
      case 0:
      case 1:
        return this.#put(key, text);
      case 2:
        return this.#begin(key);
      case 3:
      case 4:
        return this.#addPart(text);
      case 5:
        return this.#end();
      case 6:
        return this.#copy(this.#key(), key);
      case 7:
        return this.#isVersioned ? this.#copy(this.#key(), key) : this.#rename(this.#key(), key);
      case 8:
      case 9:
        return this.#append(key, text);
      default:
        return this.#delete(key);
    }
  }

  #key(): string {
    return KEYS[this.#next(KEYS.length)] ?? "";
  }

  #history(key: string): KeyHistory {
    return this.histories.get(key) ?? { uploaded: [], isAsUploaded: true };
  }

  #uploaded(key: string, digest: string): void {
    const history = this.#history(key);
    history.uploaded.push(digest);
    history.isAsUploaded = true;
    this.#shown.set(key, digest);
  }

  async #put(key: string, body: string): Promise<void> {
    this.transcript.push(`put ${key}: ${body}`);
    expect((await send("PUT", `/${this.#bucket}/${key}`, { body })).status).toBe(200);
    this.#uploaded(key, md5Hex(body));
  }

  /** Short appends are merged with the last part, long ones become slices. */
  async #append(key: string, text: string): Promise<void> {
    const found = await send("GET", `/${this.#bucket}/${key}`);
    const bytes = found.status === 200 ? await found.bytes() : new Uint8Array();
    const body = text.repeat(this.#next(2) === 0 ? 1 : 5000);
    this.transcript.push(`append ${body.length} bytes to the ${bytes.length} of ${key}`);
    const headers = { "x-amz-write-offset-bytes": String(bytes.length) };
    expect((await send("PUT", `/${this.#bucket}/${key}`, { body, headers })).status).toBe(200);
    this.#uploaded(key, md5Hex(joined([bytes, new TextEncoder().encode(body)])));
  }

  async #begin(key: string): Promise<void> {
    const id = await createUpload(this.#bucket, key);
    this.transcript.push(`begin ${key}: upload ${this.#uploads.length}`);
    this.#uploads.push({ key, id, parts: new Map() });
  }

  /** Part 1 may be large, so that it need not be the last; others are small or copied. */
  async #addPart(text: string): Promise<void> {
    const index = this.#next(Math.max(1, this.#uploads.length));
    const upload = this.#uploads[index];
    if (upload === undefined) return;
    const { key, id, parts } = upload;
    const source = this.#key();
    const number = this.#next(3) + 1;
    const kind = this.#next(4);
    if (kind === 0 && this.#shown.has(source)) {
      const headers = { "x-amz-copy-source": `/${this.#bucket}/${source}` };
      const bytes = await (await send("GET", `/${this.#bucket}/${source}`)).bytes();
      const target = `/${this.#bucket}/${key}?partNumber=${number}&uploadId=${id}`;
      const response = await send("PUT", target, { headers });
      expect(response.status).toBe(200);
      const etag = textOf(readXml(await response.text()), "ETag") ?? "";
      parts.set(number, { listed: { partNumber: number, etag }, bytes });
      this.transcript.push(`part ${number} of upload ${index}: copy of ${source}`);
      return;
    }
    const bytes = kind === 1 ? largePart(this.#next(3)) : new TextEncoder().encode(text);
    parts.set(number, { listed: await putPart(this.#bucket, key, id, number, bytes), bytes });
    this.transcript.push(`part ${number} of upload ${index}: ${bytes.length} bytes`);
  }

  /** Completes an upload with some of its parts, or aborts it. */
  async #end(): Promise<void> {
    const index = this.#next(Math.max(1, this.#uploads.length));
    const upload = this.#uploads[index];
    if (upload === undefined) return;
    const { key, id, parts } = upload;
    if (this.#next(4) === 0) {
      this.transcript.push(`abort upload ${index}`);
      await send("DELETE", `/${this.#bucket}/${key}?uploadId=${id}`);
      this.#uploads.splice(index, 1);
      return;
    }
    const chosen = Array.from(parts.entries())
      .toSorted(([one], [other]) => one - other)
      .filter(() => this.#next(4) > 0)
      .map(([, part]) => part);
    const listed = chosen.map((part) => part.listed);
    const { status } = await sendCompletion(this.#bucket, key, id, listed);
    this.transcript.push(
      `complete upload ${index} of ${key} with ${listed.map(({ partNumber }) => partNumber).join()}: ${status}`,
    );
    // A part is too small, or no part exists: the upload stays open.
    if (status !== 200) return;
    this.#uploads.splice(index, 1);
    this.#uploaded(key, md5Hex(joined(chosen.map(({ bytes }) => bytes))));
  }

  async #copy(from: string, to: string): Promise<void> {
    await this.#move(from, to, `/${this.#bucket}/${to}`, { "x-amz-copy-source": `/${this.#bucket}/${from}` });
  }

  async #rename(from: string, to: string): Promise<void> {
    const headers = { "x-amz-rename-source": `/${this.#bucket}/${from}` };
    const isMoved = await this.#move(from, to, `/${this.#bucket}/${to}?renameObject`, headers);
    if (!isMoved) return;
    this.#shown.delete(from);
    this.#history(from).isAsUploaded = false;
  }

  async #move(from: string, to: string, target: string, headers: Record<string, string>): Promise<boolean> {
    const digest = this.#shown.get(from);
    const { status } = await send("PUT", target, { headers });
    this.transcript.push(`${target.includes("?") ? "rename" : "copy"} ${from} to ${to}: ${status}`);
    if (digest === undefined || from === to || status !== 200) return false;
    this.#shown.set(to, digest);
    this.#history(to).isAsUploaded = false;
    return true;
  }

  async #delete(key: string): Promise<void> {
    this.transcript.push(`delete ${key}`);
    expect((await send("DELETE", `/${this.#bucket}/${key}`)).status).toBe(204);
    this.#shown.delete(key);
    this.#history(key).isAsUploaded = false;
  }
}

async function digestOf(bucket: string, key: string, world: RequestScope): Promise<string | undefined> {
  const response = await send("GET", `/${bucket}/${key}`, {}, world);
  const bytes = await response.bytes();
  return response.status === 200 ? md5Hex(bytes) : undefined;
}

beforeEach(loseDatabase);

describe("a rebuild after any history", () => {
  const seeds = Array.from({ length: DRILLS }, (_, index) => FIRST_SEED + index);

  it.each(seeds)("restores the last upload or reports it: seed %i", async (seed) => {
    const next = numbersOf(seed);
    const bucket = await freshBucket();
    const isVersioned = seed % 3 === 0;
    if (isVersioned) await setVersioning(bucket, "Enabled");
    const drill = new Drill(bucket, isVersioned, next);
    for (let turn = 0; turn < TURNS; turn += 1) await drill.turn(turn);

    const { world } = await rebuilt(bucket);
    expect((await referencesIn(world)).findings, drill.transcript.join("\n")).toEqual([]);
    const findings = await rebuildFindings();
    for (const [key, { uploaded, isAsUploaded }] of drill.histories) {
      const reported = findings.filter((finding) => finding.key === key).map(({ finding }) => finding);
      const story = `${drill.transcript.join("\n")}\n\n${key} is reported:\n${reported.join("\n")}`;
      const shown = await digestOf(bucket, key, world);
      const isUncertain = reported.some((finding) => finding.includes("may have been committed after"));
      // Copies, renames and deletions leave nothing in the blob store; uploads do.
      if (isAsUploaded && !isUncertain) expect(shown, story).toBe(uploaded.at(-1));
      else if (shown !== undefined) expect(uploaded, story).toContain(shown);
      if (uploaded.length === 0) expect(shown, story).toBeUndefined();
      // Every earlier upload is reported or was collected.
      if (new Set(uploaded).size > 1 && shown !== undefined) expect(reported.length, story).toBeGreaterThan(0);
    }
  });
});
