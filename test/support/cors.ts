// Buckets that pages of other origins may use.
import { digest } from "../../src/bytes/digest.ts";
import { toBase64 } from "../../src/bytes/hex-base64.ts";
import { utf8 } from "../../src/bytes/text.ts";
import { send } from "./client.ts";

/** A configuration of one rule. */
export function corsDocument(origin: string, method = "GET"): string {
  return `<CORSConfiguration><CORSRule><AllowedOrigin>${origin}</AllowedOrigin><AllowedMethod>${method}</AllowedMethod><AllowedHeader>*</AllowedHeader><ExposeHeader>ETag</ExposeHeader></CORSRule></CORSConfiguration>`;
}

/** Puts a configuration with its mandatory digest. */
export async function putCors(bucket: string, document: string): Promise<Response> {
  const md5 = toBase64(await digest("MD5", utf8(document)));
  return send("PUT", `/${bucket}?cors`, { body: document, headers: { "content-md5": md5 } });
}
