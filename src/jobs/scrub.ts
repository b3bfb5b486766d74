// Reads all blobs again, little by little, and compares them with what is known of their bytes: the MD5 that the blob
// store has kept since they were put, and the sizes, ETags and checksums of the rows that hold them. What it finds is
// remembered and logged, and nothing is ever deleted because of it.
import { RunningDigest, type DigestAlgorithm } from "../bytes/digest.ts";
import { toBase64, toHex } from "../bytes/hex-base64.ts";
import { FrameLayout } from "../bytes/frame-layout.ts";
import { PieceReader } from "../bytes/streams.ts";
import { parseBirth } from "../protocol/birth-certificate.ts";
import { digestAlgorithm } from "../protocol/checksums.ts";
import { lookUpExpectations, type BlobExpectation } from "../state/blob-expectations.ts";
import type { Database } from "../state/database.ts";
import type { BlobEntry, BlobStore } from "../state/blob-store.ts";
import type { BornBlob } from "../state/orphans.ts";
import { forgetFindings, forgetFindingsBefore, rememberFindings, type ScrubFinding } from "../state/scrub-findings.ts";
import type { Job, JobContext, JobStep } from "./job.ts";

const PAGE_BLOBS = 100;

interface Progress {
  /** When the pass began. */
  readonly began: number;
  readonly after: string | undefined;
  /** The tick of the step before, and how many bytes have been read in it. */
  readonly tick: number;
  readonly bytes: number;
  /** The blob that could not be read in the step before, which is a finding if it cannot be read again. */
  readonly unread?: string | undefined;
}

export const scrub: Job = {
  name: "scrub",

  async step(context, cursor) {
    return readPage(context, readProgress(cursor, context.now));
  },
};

/** Reads blobs until the page is over or the tick's bytes are read; the last one may be larger than what was left. */
async function readPage(context: JobContext, progress: Progress): Promise<JobStep> {
  const { began, after, tick, bytes: ofTick } = progress;
  const { database, blobs, settings, now, budget } = context;
  const spent = tick === now ? ofTick : 0;
  const page = await blobs.list(after, PAGE_BLOBS);
  const expected = await expectationsOf(database, page.blobs);

  const read: string[] = [];
  const findings: ScrubFinding[] = [];
  let bytes = 0;
  let unread: string | undefined;
  for (const blob of page.blobs) {
    if (spent + bytes >= settings.scrubBytesPerTick || budget.isSpent()) break;
    let finding: string | undefined;
    try {
      finding = await examineBlob(blobs, blob, expected.get(blob.blobId));
    } catch (error) {
      unread = blob.blobId;
      if (unread !== progress.unread) break;
      finding = `it cannot be read: ${error instanceof Error ? error.message : String(error)}`;
    }
    if (finding !== undefined) findings.push({ blobId: blob.blobId, finding });
    read.push(blob.blobId);
    bytes += blob.size;
  }
  const wrong = new Set(findings.map(({ blobId }) => blobId));
  await database.batch([forgetFindings(read.filter((id) => !wrong.has(id))), rememberFindings(findings, now)]);

  const report = { blobs: read.length, bytes, findings: findings.length };
  const isPageOver = read.length === page.blobs.length;
  if (isPageOver && page.next === undefined) {
    // What a whole pass has not found again is of blobs that are gone.
    await database.batch([forgetFindingsBefore(began)]);
    return { cursor: null, report };
  }
  const reached: Progress = { began, after: read.at(-1) ?? after, tick: now, bytes: spent + bytes, unread };
  return { cursor: JSON.stringify(reached), report, isTickOver: !isPageOver };
}

/** What is expected of blobs, by their ids. */
export async function expectationsOf(
  database: Database,
  blobs: readonly BlobEntry[],
): Promise<ReadonlyMap<string, readonly BlobExpectation[]>> {
  const expectations = await database.look(lookUpExpectations(blobs.flatMap((blob) => bornBlob(blob) ?? [])));
  return Map.groupBy(expectations, ({ blobId }) => blobId);
}

/** Reads a blob; what is wrong with it, or undefined where nothing is. */
export async function examineBlob(
  blobs: BlobStore,
  { blobId, size }: BlobEntry,
  expectations: readonly BlobExpectation[] = [],
): Promise<string | undefined> {
  const opened = await blobs.open(blobId);
  // It was deleted since it was listed.
  if (opened === undefined) return undefined;
  const algorithms = new Set<DigestAlgorithm>(["MD5"]);
  for (const { checksum } of expectations)
    if (checksum !== undefined) algorithms.add(digestAlgorithm(checksum.algorithm));
  const { length, digests } = await digestsOf(opened.body, algorithms);
  const md5 = toHex(digests.get("MD5") ?? new Uint8Array());
  if (length !== size) return `${length} bytes can be read, the store says ${size}`;
  if (opened.md5 !== undefined && toHex(opened.md5) !== md5)
    return `its MD5 is ${md5}, the store says ${toHex(opened.md5)}`;
  for (const expectation of expectations) {
    const due = expectation.isEncrypted ? new FrameLayout(expectation.size).sealedLength : expectation.size;
    if (due !== size) return `it has ${size} bytes, its row says ${due}`;
    if (expectation.md5 !== undefined && expectation.md5 !== md5)
      return `its MD5 is ${md5}, its row says ${expectation.md5}`;
    const { checksum } = expectation;
    if (checksum === undefined) continue;
    const computed = toBase64(digests.get(digestAlgorithm(checksum.algorithm)) ?? new Uint8Array());
    if (computed !== checksum.value) return `its ${checksum.algorithm} is ${computed}, its row says ${checksum.value}`;
  }
  return undefined;
}

async function digestsOf(
  body: ReadableStream<Uint8Array>,
  algorithms: ReadonlySet<DigestAlgorithm>,
): Promise<{ readonly length: number; readonly digests: ReadonlyMap<DigestAlgorithm, Uint8Array> }> {
  const running = Array.from(algorithms, (algorithm) => [algorithm, new RunningDigest(algorithm)] as const);
  let length = 0;
  try {
    const reader = new PieceReader(body);
    for (let piece = await reader.read(); piece !== undefined; piece = await reader.read()) {
      length += piece.length;
      const taken = piece;
      await Promise.all(running.map(([, digest]) => digest.update(taken)));
    }
  } catch (error) {
    for (const [, digest] of running) digest.abandon();
    throw error;
  }
  const digests = new Map<DigestAlgorithm, Uint8Array>();
  for (const [algorithm, digest] of running) digests.set(algorithm, await digest.finish());
  return { length, digests };
}

function bornBlob({ blobId, birthCertificate }: BlobEntry): BornBlob | undefined {
  const birth = parseBirth(birthCertificate);
  return birth === undefined ? undefined : { ...birth, blobId };
}

function readProgress(cursor: string | null, now: number): Progress {
  if (cursor === null) return { began: now, after: undefined, tick: now, bytes: 0 };
  // What readPage wrote.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return JSON.parse(cursor) as Progress;
}
