// IAM's actions on users' tags: TagUser, UntagUser, ListUserTags.
import { element, type XmlElement } from "../bytes/xml.ts";
import { checkTagCount, readTagKeys, readTags, type UserTag } from "../protocol/iam/identity-parameters.ts";
import { haveQuota } from "../protocol/iam/user-limits.ts";
import { foldTagKey } from "../protocol/core/tagging.ts";
import { QueryApiError } from "../protocol/iam/query-api-error.ts";
import { memberList } from "../protocol/iam/query-api-xml.ts";
import type { QueryParameters } from "../protocol/iam/query-parameters.ts";
import { countBucketsOf } from "../state/metadata/bucket-quotas.ts";
import { setUserTags, type User } from "../state/identities/users.ts";
import { defineUserAction, type Action, type Call, type ConditionKeys } from "./action.ts";
import { pageOf } from "./paging.ts";

const tagUser = defineUserAction({
  name: "TagUser",
  isCallerByDefault: false,
  conditionKeys: tagConditionKeys,

  async run(call, user) {
    const given = readTags(call.parameters);
    const keys = new Set(given.map(([key]) => foldTagKey(key)));
    const tags = [...user.tags.filter(([key]) => !keys.has(foldTagKey(key))), ...given];
    checkTagCount(tags.length);
    await change(call, user, tags);
    return undefined;
  },
});

const untagUser = defineUserAction({
  name: "UntagUser",
  isCallerByDefault: false,
  conditionKeys: (parameters) => new Map([["aws:tagkeys", readTagKeys(parameters)]]),

  async run(call, user) {
    const keys = new Set(readTagKeys(call.parameters).map(foldTagKey));
    await change(
      call,
      user,
      user.tags.filter(([key]) => !keys.has(foldTagKey(key))),
    );
    return undefined;
  },
});

const listUserTags = defineUserAction({
  name: "ListUserTags",
  isCallerByDefault: false,

  async run({ parameters }, { id, tags }) {
    const { page, elements } = await pageOf(tags, ([key]) => foldTagKey(key), parameters, ["tags", id]);
    return [tagsElement(page), ...elements];
  },
});

export const USER_TAG_ACTIONS: readonly Action[] = [tagUser, untagUser, listUserTags];

/** The list of tags. */
export function tagsElement(tags: readonly UserTag[]): XmlElement {
  return memberList(
    "Tags",
    tags.map(([key, value]) => [element("Key", key), element("Value", value)]),
  );
}

/** The condition keys about the tags in a call. */
export function tagConditionKeys(parameters: QueryParameters): ConditionKeys {
  const tags = readTags(parameters);
  return new Map([
    ["aws:tagkeys", tags.map(([key]) => key)],
    ...tags.map(([key, value]): [string, string[]] => [`aws:requesttag/${foldTagKey(key)}`, [value]]),
  ]);
}

async function change({ database }: Call, user: User, tags: readonly UserTag[]): Promise<void> {
  const [changed] = await database.batch([setUserTags(user, tags)]);
  // D1 counts the rows of triggers too.
  if (changed === undefined || changed.changes === 0) {
    throw new QueryApiError(
      "ConcurrentModification",
      "The user's tags were changed by another request. Please try again.",
    );
  }
  if (haveQuota(tags)) await countBucketsOf(database, user.id);
}
