// Checks what a dead server has left behind, past it: its databases and blobs are opened by a runtime of their own.
import { checkReferences, type ReferenceReport } from "../../src/state/repair/check-references.ts";
import { Counts } from "../../src/state/d1/counts.ts";
import { Database } from "../../src/state/d1/database.ts";
import { openState } from "../../scripts/maintenance/open-state.ts";

/** Checks everything in a state folder that no server uses. */
export async function examine(state: string): Promise<ReferenceReport> {
  const opened = await openState(state);
  try {
    return await checkReferences(new Database(opened.database, new Counts()), async (cursor) => {
      const page = await opened.blobs.list(cursor === undefined ? {} : { cursor });
      return {
        blobs: page.objects.map(({ key, size }) => ({ blobId: key, size })),
        cursor: page.truncated ? page.cursor : undefined,
      };
    });
  } finally {
    await opened.close();
  }
}
