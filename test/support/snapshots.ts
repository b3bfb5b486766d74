// Snapshots of buckets, as clients create and see them.
import { expect } from "vitest";

import { send } from "./client.ts";
import { childrenOf, readXml, textOf } from "./read-xml.ts";
import { costOf, type Cost } from "./cost.ts";

/** Creates a snapshot, and returns the address under which it is read. */
export async function takeSnapshot(bucket: string, name: string): Promise<string> {
  const response = await send("PUT", `/${bucket}?snapshot=${name}`);
  const text = await response.text();
  expect(response.status, text).toBe(200);
  return textOf(readXml(text), "Address") ?? "";
}

/** The keys and common prefixes of all pages of a listing, in order. */
export async function listAll(address: string, query = ""): Promise<string[]> {
  return (await listPages(address, query)).flatMap(({ entries }) => entries);
}

/** A page of a listing. */
export interface ListedPage {
  readonly entries: readonly string[];
  readonly cost: Cost;
}

/** The pages of a listing by the second version of ListObjects. */
export async function listPages(address: string, query = ""): Promise<ListedPage[]> {
  const pages: ListedPage[] = [];
  let token: string | undefined = "";
  while (token !== undefined) {
    const continuation: string = token === "" ? "" : `&continuation-token=${token}`;
    const response: Response = await send("GET", `/${address}?list-type=2${query}${continuation}`);
    const text: string = await response.text();
    expect(response.status, text).toBe(200);
    const root = readXml(text);
    const contents = childrenOf(root, "Contents").map((entry) => textOf(entry, "Key") ?? "");
    const prefixes = childrenOf(root, "CommonPrefixes").map((entry) => textOf(entry, "Prefix") ?? "");
    expect(textOf(root, "KeyCount")).toBe(String(contents.length + prefixes.length));
    pages.push({ entries: [...contents, ...prefixes], cost: costOf(response) });
    token = textOf(root, "NextContinuationToken");
    expect(textOf(root, "IsTruncated")).toBe(String(token !== undefined));
  }
  return pages;
}

/** The names of a bucket's snapshots, in the order they are listed. */
export async function snapshotsOf(bucket: string): Promise<string[]> {
  const response = await send("GET", `/${bucket}?snapshots`);
  expect(response.status).toBe(200);
  return childrenOf(readXml(await response.text()), "Snapshot").map((snapshot) => textOf(snapshot, "Name") ?? "");
}
