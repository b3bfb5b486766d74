// Checks that the elements of a bucket policy's statement fit together. A statement that can never apply is a mistake,
// and a Deny that never applies protects nothing.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
import { matchesAnyAction, appliesToLevel, names, type ResourceLevel } from "./actions.ts";
import type { MatchText } from "./match-text.ts";
import { PolicyProblem, type Patterns, type PolicyCondition } from "./policy.ts";

const LISTINGS = actions("ListBucket ListBucketMultipartUploads ListBucketVersions");
const CREATION = actions("CreateBucket");
const UPLOADS = actions("BypassGovernanceRetention PutObject ReplicateObject");
const TAGGING = actions("PutObjectTagging PutObjectVersionTagging ReplicateTags");

/** The actions that can have a value for a condition key or a family of keys. Other keys suit every action. */
const ACTIONS_BY_KEY: ReadonlyMap<string, readonly MatchText[]> = new Map([
  ["s3:delimiter", LISTINGS],
  ["s3:max-keys", [...LISTINGS, ...actions("QueryBucket")]],
  [
    "s3:prefix",
    [
      ...LISTINGS,
      ...actions("GetBucketArchive GetBucketUsage GetLifecycleConfiguration QueryBucket RestoreBucketSnapshot"),
    ],
  ],
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

/** Requires a resource in the statement that each action applies to. @throws PolicyProblem */
export function checkResources({ patterns, isNegated }: Patterns, levels: readonly ResourceLevel[]): void {
  if (!isNegated && !patterns.every((action) => appliesToLevel(action, levels))) {
    throw new PolicyProblem("Action does not apply to any resource(s) in statement");
  }
}

/** Requires condition keys that can have a value for every action of the statement. @throws PolicyProblem */
export function checkConditions({ patterns, isNegated }: Patterns, conditions: readonly PolicyCondition[]): void {
  if (isNegated) return;
  // Many conditions may test tags, but their families are few, so each family is checked once.
  const families = new Set(conditions.map(({ key }) => key.split("/", 1)[0] ?? ""));
  for (const family of families) {
    const known = ACTIONS_BY_KEY.get(family);
    if (known !== undefined && !patterns.every((action) => matchesAnyAction(action, known))) {
      throw new PolicyProblem("Conditions do not apply to combination of actions and resources in statement");
    }
  }
}

function actions(list: string): MatchText[] {
  return names("s3", list);
}
