// CheckConsistency, an operation of Cairn's own (docs/recovery.md), compares metadata with the blob store in both
// directions and changes nothing. Each response covers 10,000 blobs; the first one also covers the rules between
// tables. Only root may call it, because it reads whole tables; while root is disabled, users with the permission may.
import { element, optionalElement } from "../bytes/xml.ts";
import { defineServiceOperation, type S3Response } from "../contract/operation.ts";
import { makeToken, readToken } from "../protocol/listings/listing.ts";
import { S3Error, S3_NAMESPACE } from "../protocol/core/s3-error.ts";
import {
  comparePage,
  confirmFindings,
  findInconsistencies,
  listingOf,
  type ReferencePage,
} from "../state/repair/check-references.ts";
import { EVERYTHING } from "../state/repair/consistency.ts";
import { findMisplacedBuckets } from "../state/repair/placement-check.ts";

const TOKEN_SCOPE = ["consistency"];
// Longer than a write takes between its blob and its commit.
const CONFIRMATION_PAUSE_MS = 1000;

export const checkConsistency = defineServiceOperation({
  name: "CheckConsistency",
  actions: ["s3:CheckConsistency"],
  route: { method: "GET", level: "service", query: ["fsck"] },
  inputs: { query: ["continuation-token"] },

  async read({ query }) {
    const token = query.get("continuation-token");
    return { cursor: token === undefined ? undefined : await readToken(token, TOKEN_SCOPE) };
  },

  async run({ principal, settings, databases, blobs }, { cursor }) {
    // While root is disabled, no other identity could call it, so users whose policies allow the action may.
    if (principal.kind !== "root" && settings.root !== undefined) throw new S3Error("AccessDenied");
    const scope = { ...EVERYTHING, from: cursor === undefined ? EVERYTHING.from : `${cursor}\0` };
    const check = async (): Promise<ReferencePage> => {
      const inconsistencies = cursor === undefined ? await findInconsistencies(databases.all, EVERYTHING) : [];
      const placements = cursor === undefined ? await findMisplacedBuckets(databases) : [];
      const page = await comparePage(databases.all, listingOf(blobs), cursor, scope);
      return { ...page, findings: [...inconsistencies, ...placements, ...page.findings] };
    };
    const page = await confirmFindings(check, pause);
    const nextToken = page.next === undefined ? undefined : await makeToken(page.next.cursor, TOKEN_SCOPE);
    return { ...page, nextToken };
  },

  write: ({ findings, orphans, nextToken }): S3Response => ({
    status: 200,
    headers: {},
    body: element(
      "CheckConsistencyResult",
      [
        ...findings.map((finding) => element("Finding", finding)),
        ...orphans.map((orphan) => element("Orphan", orphan)),
        element("IsTruncated", nextToken !== undefined),
        optionalElement("NextContinuationToken", nextToken),
      ],
      { xmlns: S3_NAMESPACE },
    ),
  }),
});

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, CONFIRMATION_PAUSE_MS));
}
