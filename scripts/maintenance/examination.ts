// A check of everything in a state folder, and how it is told.
import { setTimeout } from "node:timers/promises";
import { lookAtDisk, type DiskFindings } from "./disk.ts";
import { openState } from "./open-state.ts";

const CONFIRMATION_PAUSE_MS = 1000;

/** What a check says. */
export interface Examination {
  readonly blobs: number;
  readonly bytes: number;
  /** What is wrong, in plain words. */
  readonly findings: readonly string[];
  /** Blobs that nothing refers to, and files that belong to no blob. */
  readonly orphans: readonly string[];
}

/** Checks everything; `isReadingBytes`: against checksums too. */
export async function examineState(state: string, isReadingBytes: boolean): Promise<Examination> {
  const open = await openState(state);
  try {
    // What the Worker answers.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const examined = (await open.ask(isReadingBytes ? "/fsck?bytes" : "/fsck")) as Examination;
    const disk = await lookTwice(state);
    return {
      ...examined,
      findings: [...examined.findings, ...disk.findings],
      orphans: [...examined.orphans, ...disk.orphanedUploads],
    };
  } finally {
    await open.close();
  }
}

/** In a state that is being served, a file may be about to go with its blob: what is wrong is wrong twice. */
async function lookTwice(state: string): Promise<DiskFindings> {
  const first = lookAtDisk(state, Date.now());
  if (first.findings.length === 0) return first;
  await setTimeout(CONFIRMATION_PAUSE_MS);
  const second = lookAtDisk(state, Date.now());
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
