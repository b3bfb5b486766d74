// Reports damage that a read discovers.
import type { StoredObject } from "../../protocol/objects/stored-object.ts";
import type { Database } from "../d1/database.ts";
import { recordFindings } from "../metadata/scrub-findings.ts";

/** Records and logs a finding like the scrub. A failing database does not delay the reader. */
export async function reportDamage(
  { database, now }: { readonly database: Database; readonly now: number },
  { blobId, manifestId }: Pick<StoredObject, "blobId" | "manifestId">,
  finding: string,
): Promise<void> {
  const damaged = blobId ?? manifestId ?? "";
  console.error(JSON.stringify({ level: "error", blobId: damaged, finding }));
  await database.batch([recordFindings([{ blobId: damaged, finding }], now)]).catch(() => undefined);
}
