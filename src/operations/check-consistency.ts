// CheckConsistency, an operation of Cairn's own (docs/recovery.md): compares metadata with the blob store both ways and
// changes nothing. Each answer speaks of 10,000 blobs, the first one of the rules between the tables besides. It reads
// whole tables, so it is for the account's root, and for
// users with the permission only while root is disabled.
import { element, optionalElement } from "../bytes/xml.ts";
import { defineServiceOperation, type S3Response } from "../contract/operation.ts";
import { makeToken, readToken } from "../protocol/listings/listing.ts";
import { S3Error, S3_NAMESPACE } from "../protocol/core/s3-error.ts";
import { comparePage, confirmFindings, listingOf, type ReferencePage } from "../state/repair/check-references.ts";
import { EVERYTHING, lookUpInconsistencies } from "../state/repair/consistency.ts";

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

  async run({ principal, settings, database, blobs }, { cursor }) {
    // While root is disabled, users stand in for it whose policies allow the action.
    if (principal.kind !== "root" && settings.root !== undefined) throw new S3Error("AccessDenied");
    const scope = { ...EVERYTHING, from: cursor === undefined ? EVERYTHING.from : `${cursor}\0` };
    const check = async (): Promise<ReferencePage> => {
      const broken = cursor === undefined ? await database.look(lookUpInconsistencies(EVERYTHING)) : [];
      const page = await comparePage(database, listingOf(blobs), cursor, scope);
      return { ...page, findings: [...broken, ...page.findings] };
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
