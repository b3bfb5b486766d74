// Sets and reads quotas.
import { expect } from "vitest";

import { send } from "./client.ts";
import { succeed } from "./query-api.ts";
import { childrenOf, readXml, textOf } from "./read-xml.ts";

export function quotaDocument(limits: string): string {
  return `<QuotaConfiguration>${limits}</QuotaConfiguration>`;
}

export async function setQuota(bucket: string, limits: string): Promise<void> {
  const response = await send("PUT", `/${bucket}?quota`, { body: quotaDocument(limits) });
  expect([response.status, await response.text()]).toEqual([200, ""]);
}

/** What a bucket's quota says that it stores. */
export async function storedOf(bucket: string): Promise<Readonly<Record<string, string>>> {
  const response = await send("GET", `/${bucket}?quota`);
  const [stored] = childrenOf(readXml(await response.text()), "Stored");
  if (stored === undefined) throw new Error(`status ${response.status}`);
  return Object.fromEntries(["State", "Bytes", "Objects"].map((name) => [name, textOf(stored, name) ?? ""]));
}

/** Sets tags of a user. */
export async function tagUser(name: string, tags: Readonly<Record<string, string>>): Promise<void> {
  const members = Object.entries(tags).flatMap(([key, value], index) => [
    [`Tags.member.${index + 1}.Key`, key],
    [`Tags.member.${index + 1}.Value`, value],
  ]);
  await succeed("iam", "TagUser", { UserName: name, ...Object.fromEntries(members) });
}
