// Valid requests for queries and annotations, with their required permissions.
import { expect } from "vitest";

import { send, type SendOptions } from "./client.ts";
import { freshBucket, putAll } from "./fresh-bucket.ts";

const on = (on: string, ...spellings: readonly string[]) => ({ on, spellings });

/** An operation on the annotation `a` of the object `k`. */
function onAnnotation(method: string, query: string, action: string, options: SendOptions = {}) {
  return async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "text" });
    expect((await send("PUT", `/${bucket}/k?annotation&annotationName=a`, { body: "1" })).status).toBe(200);
    return { method, target: `/${bucket}/k?annotation${query}`, options, permissions: [on(`${bucket}/k`, action)] };
  };
}

function bothLevels(method: string, query: string, verb: string, noun: string, options: SendOptions = {}) {
  return [
    onAnnotation(method, query, `s3:${verb}Object${noun}`, options),
    onAnnotation(method, `${query}&versionId=null`, `s3:${verb}ObjectVersion${noun}`, options),
  ];
}

export const SEARCH_PREPARATIONS = {
  QueryBucket: [
    async () => {
      const bucket = await freshBucket();
      const permissions = [on(bucket, "s3:QueryBucket"), on(bucket, "s3:ListBucket")];
      return { method: "GET", target: `/${bucket}?query`, options: {}, permissions };
    },
  ],
  GetObjectAnnotation: bothLevels("GET", "&annotationName=a", "Get", "Annotation"),
  ListObjectAnnotations: bothLevels("GET", "", "List", "Annotations"),
  PutObjectAnnotation: bothLevels("PUT", "&annotationName=a", "Put", "Annotation", { body: "2" }),
  DeleteObjectAnnotation: bothLevels("DELETE", "&annotationName=a", "Delete", "Annotation"),
};
