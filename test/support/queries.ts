// Queries of a bucket, as clients send and read them.
import { expect } from "vitest";

import { send, type SendOptions } from "./client.ts";
import { costOf, type Cost } from "./cost.ts";
import { childrenOf, readXml, textOf, type Element } from "./read-xml.ts";

/** One page of a query's result. */
export interface FoundPage {
  readonly keys: readonly string[];
  readonly contents: readonly Element[];
  readonly root: Element;
  readonly nextToken: string | undefined;
  readonly cost: Cost;
}

/** Sends a query that must succeed; parameters by name. */
export async function queryPage(
  bucket: string,
  parameters: Readonly<Record<string, string>> = {},
  options: SendOptions = {},
): Promise<FoundPage> {
  const response = await send("GET", queryTarget(bucket, parameters), options);
  const text = await response.text();
  expect(response.status, text).toBe(200);
  const root = readXml(text);
  expect(root.name).toBe("QueryBucketResult");
  const contents = childrenOf(root, "Contents");
  const keys = contents.map((entry) => textOf(entry, "Key") ?? "");
  expect(textOf(root, "KeyCount")).toBe(String(keys.length));
  const nextToken = textOf(root, "NextContinuationToken");
  expect(textOf(root, "IsTruncated")).toBe(String(nextToken !== undefined));
  return { keys, contents, root, nextToken, cost: costOf(response) };
}

/** All pages of a query. */
export async function queryPages(
  bucket: string,
  parameters: Readonly<Record<string, string>>,
  options: SendOptions = {},
): Promise<FoundPage[]> {
  const pages: FoundPage[] = [];
  for (let token: string | undefined = ""; token !== undefined;) {
    const page: FoundPage = await queryPage(
      bucket,
      token === "" ? parameters : { ...parameters, "continuation-token": token },
      options,
    );
    pages.push(page);
    token = page.nextToken;
  }
  return pages;
}

/** The keys that a query finds, on all of its pages. */
export async function found(
  bucket: string,
  parameters: Readonly<Record<string, string>>,
  options: SendOptions = {},
): Promise<string[]> {
  return (await queryPages(bucket, parameters, options)).flatMap(({ keys }) => keys);
}

/** The target of a query. */
export function queryTarget(bucket: string, parameters: Readonly<Record<string, string>>): string {
  const encoded = Object.entries(parameters).map(
    ([name, value]) => `&${encodeURIComponent(name)}=${encodeURIComponent(value)}`,
  );
  return `/${bucket}?query${encoded.join("")}`;
}
