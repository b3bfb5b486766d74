// Whether the parts of a bucket's statement have anything to do with each other. A statement that can never apply is a
// mistake of whoever wrote it, and one that was to deny something would leave it open.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
import { isAnyOf, isDoneTo, names, type ResourceLevel } from "./actions.ts";
import type { MatchText } from "./match-text.ts";
import { PolicyProblem, type Patterns, type PolicyCondition } from "./policy.ts";

const LISTINGS = actions("ListBucket ListBucketMultipartUploads ListBucketVersions");
const CREATION = actions("CreateBucket");
const UPLOADS = actions("BypassGovernanceRetention PutObject ReplicateObject");
const TAGGING = actions("PutObjectTagging PutObjectVersionTagging ReplicateTags");

/** The actions for which there can be something under a key, or under the keys of a family; all, for all others. */
const ACTIONS_BY_KEY: ReadonlyMap<string, readonly MatchText[]> = new Map([
  ["s3:delimiter", LISTINGS],
  ["s3:max-keys", LISTINGS],
  ["s3:prefix", [...LISTINGS, ...actions("GetBucketUsage GetLifecycleConfiguration RestoreBucketSnapshot")]],
  ["s3:locationconstraint", CREATION],
  ["s3:x-amz-object-ownership", CREATION],
  ["s3:if-match", [...UPLOADS, ...actions("DeleteObject DeleteObjectVersion")]],
  ["s3:if-none-match", UPLOADS],
  ["s3:objectcreationoperation", UPLOADS],
  ["s3:x-amz-copy-source", UPLOADS],
  ["s3:x-amz-metadata-directive", UPLOADS],
  ["s3:x-amz-server-side-encryption", UPLOADS],
  ["s3:x-amz-server-side-encryption-aws-kms-key-id", UPLOADS],
  ["s3:x-amz-website-redirect-location", UPLOADS],
  ["s3:requestobjecttag", [...UPLOADS, ...TAGGING]],
  ["s3:requestobjecttagkeys", [...UPLOADS, ...TAGGING]],
  [
    "s3:existingobjecttag",
    [
      ...TAGGING,
      ...actions(`DeleteObjectTagging DeleteObjectVersionTagging GetObject GetObjectAcl GetObjectAttributes
        GetObjectTagging GetObjectVersion GetObjectVersionAcl GetObjectVersionAttributes GetObjectVersionTagging
        PutObjectAcl PutObjectVersionAcl`),
    ],
  ],
]);

/** Every action must have a resource in its statement that it can be done to. @throws PolicyProblem */
export function checkResources({ patterns, isNegated }: Patterns, levels: readonly ResourceLevel[]): void {
  if (!isNegated && !patterns.every((action) => isDoneTo(action, levels))) {
    throw new PolicyProblem("Action does not apply to any resource(s) in statement");
  }
}

/** Every condition must be about something that can be there for every action of its statement. @throws PolicyProblem */
export function checkConditions({ patterns, isNegated }: Patterns, conditions: readonly PolicyCondition[]): void {
  if (isNegated) return;
  // Many conditions may be about tags, but their families are few: each is compared with the actions once.
  const families = new Set(conditions.map(({ key }) => key.split("/", 1)[0] ?? ""));
  for (const family of families) {
    const known = ACTIONS_BY_KEY.get(family);
    if (known !== undefined && !patterns.every((action) => isAnyOf(action, known))) {
      throw new PolicyProblem("Conditions do not apply to combination of actions and resources in statement");
    }
  }
}

function actions(list: string): MatchText[] {
  return names("s3", list);
}
