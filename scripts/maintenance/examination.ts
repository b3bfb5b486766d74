// A check of everything in a state folder, and how it is told.
import { openState } from "./open-state.ts";

/** What a check says. */
export interface Examination {
  readonly blobs: number;
  readonly bytes: number;
  /** What is wrong, in plain words. */
  readonly findings: readonly string[];
  /** Blobs that nothing refers to. */
  readonly orphans: readonly string[];
}

/** Checks everything; `isReadingBytes`: against checksums too. */
export async function examineState(state: string, isReadingBytes: boolean): Promise<Examination> {
  const open = await openState(state);
  try {
    // What the Worker answers.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    return (await open.ask(isReadingBytes ? "/fsck?bytes" : "/fsck")) as Examination;
  } finally {
    await open.close();
  }
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
