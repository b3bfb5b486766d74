// Checks what a dead server has left behind, past it: its databases and blobs are opened by a runtime of their own.
import { openState } from "../../scripts/maintenance/open-state.ts";

/** The result of a check. */
export interface ReferenceReport {
  readonly findings: readonly string[];
  readonly orphans: readonly string[];
}

/** Checks everything in a state folder that no server uses: references, and that each blob can be read. */
export async function examine(state: string): Promise<ReferenceReport> {
  const opened = await openState(state);
  try {
    // The Worker's response has this shape.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    return (await opened.request("/fsck")) as ReferenceReport;
  } finally {
    await opened.close();
  }
}
