// Valid requests for archives, with their required permissions.
import { send } from "./client.ts";
import { freshBucket, putAll } from "./fresh-bucket.ts";
import { buildZip } from "./zip-builder.ts";

const on = (on: string, ...spellings: readonly string[]) => ({ on, spellings });

/** An archive of the object `k`. */
export function archiveOf(query: string) {
  return async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "text" });
    const permissions = [on(bucket, "s3:ListBucket"), on(`${bucket}/k`, "s3:GetObject")];
    return { method: "GET", target: `/${bucket}${query}`, permissions };
  };
}

/** An archive of the listed object `k`. */
export function archiveOfList(query: string, action: string, version: string) {
  return async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "text" });
    const options = { body: `<Archive><Object><Key>k</Key>${version}</Object></Archive>` };
    return { method: "POST", target: `/${bucket}${query}`, options, permissions: [on(`${bucket}/k`, action)] };
  };
}

/** A read of the stored ZIP file `k`, whose member is `m`. */
export function zipRead(query: string, action: string) {
  return async () => {
    const bucket = await freshBucket();
    await send("PUT", `/${bucket}/k`, { body: buildZip({ members: [{ name: "m", content: "text" }] }) });
    return { method: "GET", target: `/${bucket}/k${query}`, permissions: [on(`${bucket}/k`, action)] };
  };
}
