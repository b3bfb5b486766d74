// How the model's requests are written: headers, documents and ETags.
import type { SendOptions } from "../support/client.ts";
import { md5Base64 } from "../support/digests.ts";
import type { Conditions } from "./model-state.ts";

export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function bare(etag: string | undefined): string | undefined {
  return etag?.replaceAll('"', "");
}

export function tagging(tags: Readonly<Record<string, string>>): Record<string, string> {
  const text = Object.entries(tags).map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`);
  return text.length === 0 ? {} : { "x-amz-tagging": text.join("&") };
}

export function tagsXml(tags: Readonly<Record<string, string>>): string {
  const items = Object.entries(tags).map(([name, value]) => `<Tag><Key>${name}</Key><Value>${value}</Value></Tag>`);
  return `<Tagging><TagSet>${items.join("")}</TagSet></Tagging>`;
}

export function documentOf(body: string): SendOptions {
  return { body, headers: { "content-md5": md5Base64(bytesOf(body)) } };
}

export function conditionHeaders({ ifMatch, ifNoneMatch }: Conditions): Record<string, string> {
  return {
    ...(ifMatch === undefined ? {} : { "if-match": `"${ifMatch}"` }),
    ...(ifNoneMatch === true ? { "if-none-match": "*" } : {}),
  };
}
