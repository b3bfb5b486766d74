// The commands on objects and their tags, against the Worker and the model.
import { expect } from "vitest";

import { childrenOf, textOf } from "../support/read-xml.ts";
import type { CommandOf } from "./commands.ts";
import type { Comparison } from "./comparison.ts";
import { bytesOf, conditionHeaders, documentOf, tagging, tagsXml } from "./request-encoding.ts";

export async function putObject(comparison: Comparison, command: CommandOf<"put">): Promise<void> {
  const { names } = comparison;
  const { at, body, tags } = command;
  const conditions = comparison.conditions(at, command.when);
  const headers = { ...tagging(tags), ...conditionHeaders(conditions) };
  const { answer } = await comparison.send("PUT", names.target(at), { headers, body });
  return comparison.agree(at, answer, (model) => model.put(at.bucket, at.key, bytesOf(body), tags, conditions));
}

export async function getObject(comparison: Comparison, command: CommandOf<"get">): Promise<void> {
  const { names } = comparison;
  const { at, range } = command;
  const version = names.version(at, command.version);
  const headers: Record<string, string> = range === undefined ? {} : { range: `bytes=${range[0]}-${range[1]}` };
  const { answer } = await comparison.send("GET", names.target(at, { versionId: names.real(version) }), { headers });
  return comparison.agree(at, answer, (model) => model.get(at.bucket, at.key, version, range));
}

export async function deleteObject(comparison: Comparison, command: CommandOf<"delete">): Promise<void> {
  const { names } = comparison;
  const { at } = command;
  const { ifMatch } = comparison.conditions(at, command.when);
  const versionId = names.version(at, command.version);
  const headers = conditionHeaders({ ifMatch });
  const { answer } = await comparison.send("DELETE", names.target(at, { versionId: names.real(versionId) }), {
    headers,
  });
  return comparison.agree(at, answer, (model) => model.deleteObject(at.bucket, { key: at.key, versionId, ifMatch }));
}

export async function deleteObjects(
  comparison: Comparison,
  { bucket, deletions }: CommandOf<"deleteObjects">,
): Promise<void> {
  const { names } = comparison;
  const named = deletions.map(({ key, version, when }) => ({
    key,
    versionId: names.version({ bucket, key }, version),
    ifMatch: comparison.conditions({ bucket, key }, when).ifMatch,
  }));
  // Two choices may select the same version.
  const unique = Array.from(new Map(named.map((one) => [`${one.key} ${one.versionId}`, one])).values());
  const objects = unique.map(({ key, versionId, ifMatch }) => {
    const real = names.real(versionId);
    const more = [
      real === undefined ? "" : `<VersionId>${real}</VersionId>`,
      ifMatch === undefined ? "" : `<ETag>${ifMatch}</ETag>`,
    ];
    return `<Object><Key>${key}</Key>${more.join("")}</Object>`;
  });
  const sent = await comparison.send(
    "POST",
    `/${names.bucket(bucket)}?delete`,
    documentOf(`<Delete>${objects.join("")}</Delete>`),
  );
  const expected = comparison.model.respond((model) => model.deleteObjects(bucket, unique));
  const expectedMarkers = (expected.listed ?? []).map(markerOf);
  const listed = sent.body?.children.map((child, index) => {
    const marker = textOf(child, "DeleteMarkerVersionId");
    expect(textOf(child, "DeleteMarker")).toBe(marker === undefined ? undefined : "true");
    return {
      key: textOf(child, "Key"),
      versionId: names.known(textOf(child, "VersionId")),
      code: textOf(child, "Code"),
      deleteMarker: names.learn(marker, expectedMarkers[index], { bucket, key: unique[index]?.key ?? "" }),
    };
  });
  comparison.compare({ ...sent.answer, listed }, expected);
}

export async function copyObject(comparison: Comparison, command: CommandOf<"copy">): Promise<void> {
  const { names } = comparison;
  const { at, isReplaced, tags } = command;
  const source = names.source(command.source);
  const conditions = comparison.conditions(at, command.when);
  const headers = {
    "x-amz-copy-source": names.sourceHeader(source),
    ...(isReplaced ? { "x-amz-metadata-directive": "REPLACE", "x-amz-meta-replaced": "yes" } : {}),
    ...(tags === undefined ? {} : { "x-amz-tagging-directive": "REPLACE", ...tagging(tags) }),
    ...conditionHeaders(conditions),
  };
  const { answer } = await comparison.send("PUT", names.target(at), { headers });
  return comparison.agree(at, answer, (model) => model.copy(source, at.bucket, at.key, tags, isReplaced, conditions));
}

export async function renameObject(comparison: Comparison, command: CommandOf<"rename">): Promise<void> {
  const { names } = comparison;
  const { at, from, token } = command;
  const conditions = comparison.conditions(at, command.when);
  const headers = {
    "x-amz-rename-source": encodeURIComponent(from),
    ...(token === undefined ? {} : { "x-amz-client-token": token }),
    ...conditionHeaders(conditions),
  };
  const { answer } = await comparison.send("PUT", names.target(at, { renameObject: "" }), { headers });
  return comparison.agree(at, answer, (model) => model.rename(at.bucket, from, at.key, token, conditions));
}

export async function writeTags(comparison: Comparison, command: CommandOf<"putTags" | "deleteTags">): Promise<void> {
  const { names } = comparison;
  const { at } = command;
  const versionId = names.version(at, command.version);
  const target = names.target(at, { tagging: "", versionId: names.real(versionId) });
  const [method, tags, status, options] =
    command.op === "putTags"
      ? (["PUT", command.tags, 200, documentOf(tagsXml(command.tags))] as const)
      : (["DELETE", {}, 204, {}] as const);
  const { answer } = await comparison.send(method, target, options);
  return comparison.agree(at, answer, (model) => model.putTags(at.bucket, at.key, versionId, tags, status));
}

export async function getTags(comparison: Comparison, command: CommandOf<"getTags">): Promise<void> {
  const { names } = comparison;
  const { at } = command;
  const versionId = names.version(at, command.version);
  const { answer, body } = await comparison.send(
    "GET",
    names.target(at, { tagging: "", versionId: names.real(versionId) }),
  );
  const set = body === undefined ? [] : childrenOf(body, "TagSet").flatMap((tagSet) => childrenOf(tagSet, "Tag"));
  const tags = Object.fromEntries(set.map((tag) => [textOf(tag, "Key") ?? "", textOf(tag, "Value") ?? ""]));
  const isFound = answer.code === undefined;
  return comparison.agree(at, { ...answer, tags: isFound ? tags : undefined }, (model) =>
    model.getTags(at.bucket, at.key, versionId),
  );
}

/** The delete marker of the model's response to one deletion. */
function markerOf(result: unknown): string | undefined {
  const marker: unknown =
    typeof result === "object" && result !== null ? Reflect.get(result, "deleteMarker") : undefined;
  return typeof marker === "string" ? marker : undefined;
}
