// The commands that list objects, versions, uploads and parts page by page, against the Worker and the model.
import { expect } from "vitest";

import { childrenOf, textOf, type Element } from "../support/read-xml.ts";
import type { Comparison } from "./comparison.ts";
import { bare } from "./request-encoding.ts";
import type { ResourceNames, UploadName } from "./resource-names.ts";

const MAX_PAGES = 100;

export async function list(
  comparison: Comparison,
  op: "list" | "listVersions" | "listUploads",
  bucket: string,
  pageSize: number,
): Promise<void> {
  const { names, model } = comparison;
  const kind = {
    list: {
      query: "list-type=2&max-keys",
      item: ["Contents"],
      next: [["NextContinuationToken", "continuation-token"]],
    },
    listVersions: {
      query: "versions&max-keys",
      item: ["Version", "DeleteMarker"],
      next: [
        ["NextKeyMarker", "key-marker"],
        ["NextVersionIdMarker", "version-id-marker"],
      ],
    },
    listUploads: {
      query: "uploads&max-uploads",
      item: ["Upload"],
      next: [
        ["NextKeyMarker", "key-marker"],
        ["NextUploadIdMarker", "upload-id-marker"],
      ],
    },
  }[op];
  const listed: unknown[] = [];
  let from = "";
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const { answer, body } = await comparison.send("GET", `/${names.bucket(bucket)}?${kind.query}=${pageSize}${from}`);
    const items = (body?.children ?? []).filter(({ name }) => kind.item.includes(name));
    expect(items.length).toBeLessThanOrEqual(pageSize);
    listed.push(...items.map((item) => listedItem(names, item)));
    if (body === undefined || textOf(body, "IsTruncated") !== "true") {
      comparison.compare(
        { ...answer, listed },
        model.respond(() => (op === "listUploads" ? model.uploads.list(bucket) : model[op](bucket))),
      );
      return;
    }
    from = kind.next
      .map(([name = "", parameter = ""]) => `&${parameter}=${encodeURIComponent(textOf(body, name) ?? "")}`)
      .join("");
  }
  throw new Error(`${op} does not end within ${MAX_PAGES} pages`);
}

export async function listParts(comparison: Comparison, { bucket, key, id }: UploadName): Promise<void> {
  const { names } = comparison;
  const { answer, body } = await comparison.send(
    "GET",
    names.target({ bucket, key }, { uploadId: names.realUpload(id) }),
  );
  const parts = body === undefined ? undefined : childrenOf(body, "Part");
  const listed = parts?.map((part) => ({
    number: Number(textOf(part, "PartNumber")),
    etag: bare(textOf(part, "ETag")),
    size: Number(textOf(part, "Size")),
  }));
  const isFound = answer.code === undefined;
  comparison.compare(
    { ...answer, listed: isFound ? listed : undefined },
    comparison.model.respond((model) => model.uploads.listParts(bucket, id)),
  );
}

function listedItem(names: ResourceNames, item: Element): unknown {
  const size = textOf(item, "Size");
  const latest = textOf(item, "IsLatest");
  return {
    key: textOf(item, "Key"),
    versionId: names.known(textOf(item, "VersionId")),
    uploadId: names.known(textOf(item, "UploadId")),
    etag: bare(textOf(item, "ETag")),
    size: size === undefined ? undefined : Number(size),
    isLatest: latest === undefined ? undefined : latest === "true",
    isMarker: item.name === "DeleteMarker" ? true : undefined,
  };
}
