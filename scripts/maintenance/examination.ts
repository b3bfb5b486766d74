// Checks everything in a state folder and reports the result.
import { setTimeout } from "node:timers/promises";
import { checkDisk, type DiskFindings } from "./disk.ts";
import { openState } from "./open-state.ts";

const CONFIRMATION_PAUSE_MS = 1000;

/** The result of a check. */
export interface Examination {
  readonly blobs: number;
  readonly bytes: number;
  /** The faults, one sentence each. */
  readonly findings: readonly string[];
  /** Blobs that no row references, and files without a blob. */
  readonly orphans: readonly string[];
}

/** Checks everything; with `readsBytes`, also every blob against its checksums. */
export async function examineState(state: string, readsBytes: boolean): Promise<Examination> {
  const open = await openState(state);
  try {
    // The Worker's response has this shape.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const examined = (await open.request(readsBytes ? "/fsck?bytes" : "/fsck")) as Examination;
    const disk = await checkDiskTwice(state);
    return {
      ...examined,
      findings: [...examined.findings, ...disk.findings],
      orphans: [...examined.orphans, ...disk.orphanedUploads],
    };
  } finally {
    await open.close();
  }
}

/** Reports only faults that a second check confirms, because a server may be deleting a file together with its blob. */
async function checkDiskTwice(state: string): Promise<DiskFindings> {
  const first = checkDisk(state, Date.now());
  if (first.findings.length === 0) return first;
  await setTimeout(CONFIRMATION_PAUSE_MS);
  const second = checkDisk(state, Date.now());
  return { ...second, findings: second.findings.filter((finding) => first.findings.includes(finding)) };
}

/** The report, line by line. */
export function reportLines({ blobs, bytes, findings, orphans }: Examination): string[] {
  const summary = `${blobs} blobs of ${bytes} bytes, ${orphans.length} orphans, ${findings.length} findings`;
  return [
    ...findings.map((finding) => `FOUND  ${finding}`),
    ...orphans.map((orphan) => `orphan ${orphan}`),
    `fsck: ${summary}: ${findings.length === 0 ? "sound" : "NOT SOUND"}`,
  ];
}
