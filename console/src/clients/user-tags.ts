// Tags of users that set a user's quota and rates (docs/quotas.md).
import type { Connection } from "./connection.ts";
import { listAll } from "./iam.ts";
import { callQueryApi } from "./query-api.ts";
import { textOf } from "./xml.ts";

export async function listUserTags(connection: Connection, user: string): Promise<ReadonlyMap<string, string>> {
  const members = await listAll(connection, "ListUserTags", { UserName: user }, "Tags");
  return new Map(members.map((member) => [textOf(member, "Key"), textOf(member, "Value")]));
}

/** Sets tags. Others stay as they are. */
export async function tagUser(connection: Connection, user: string, tags: ReadonlyMap<string, string>): Promise<void> {
  if (tags.size === 0) return;
  const parameters = Array.from(tags).flatMap(([key, value], index) => [
    [`Tags.member.${index + 1}.Key`, key],
    [`Tags.member.${index + 1}.Value`, value],
  ]);
  await callQueryApi(connection, "iam", "TagUser", { UserName: user, ...Object.fromEntries(parameters) });
}

export async function untagUser(connection: Connection, user: string, keys: readonly string[]): Promise<void> {
  if (keys.length === 0) return;
  const parameters = keys.map((key, index) => [`TagKeys.member.${index + 1}`, key]);
  await callQueryApi(connection, "iam", "UntagUser", { UserName: user, ...Object.fromEntries(parameters) });
}
