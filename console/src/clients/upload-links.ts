// Upload links, with which a guest uploads into a bucket: a POST policy that this page signs and the server checks. It
// limits prefix, size and time. A link contains the signature and no secret.
import type { Connection, Credentials } from "./connection.ts";
import { bucketPath } from "./paths.ts";

export interface UploadLimits {
  readonly bucket: string;
  readonly prefix: string;
  readonly mostBytes: number;
  /** In ms. */
  readonly until: number;
}

/** The data of the guest's page. */
export interface UploadLink extends UploadLimits {
  /** The fields of the form except the key and the file. */
  readonly fields: Readonly<Record<string, string>>;
}

export async function makeUploadLink(
  { credentials, region, now }: Pick<Connection, "credentials" | "region"> & { readonly now: number },
  limits: UploadLimits,
): Promise<UploadLink> {
  const time = new Date(now).toISOString().replaceAll(/[:-]|\.\d{3}/g, "");
  const scope = `${time.slice(0, 8)}/${region}/s3/aws4_request`;
  const signed = {
    "x-amz-algorithm": "AWS4-HMAC-SHA256",
    "x-amz-credential": `${credentials.accessKeyId}/${scope}`,
    "x-amz-date": time,
    ...(credentials.sessionToken === undefined ? {} : { "x-amz-security-token": credentials.sessionToken }),
  };
  const document = {
    expiration: new Date(limits.until).toISOString(),
    conditions: [
      { bucket: limits.bucket },
      ["starts-with", "$key", limits.prefix],
      ["starts-with", "$Content-Type", ""],
      ["content-length-range", 0, limits.mostBytes],
      { success_action_status: "204" },
      ...Object.entries(signed).map(([name, value]) => ({ [name]: value })),
    ],
  };
  const policy = base64(new TextEncoder().encode(JSON.stringify(document)));
  const signature = await signPolicy(credentials, scope, policy);
  const fields = { ...signed, policy, success_action_status: "204", "x-amz-signature": signature };
  return { ...limits, fields };
}

async function signPolicy(credentials: Credentials, scope: string, policy: string): Promise<string> {
  let key: Uint8Array<ArrayBuffer> = new TextEncoder().encode(`AWS4${credentials.secretAccessKey}`);
  for (const part of [...scope.split("/"), policy]) key = await hmac(key, part);
  return Array.from(key, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function hmac(secret: Uint8Array<ArrayBuffer>, text: string): Promise<Uint8Array<ArrayBuffer>> {
  const key = await crypto.subtle.importKey("raw", secret, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", key, new TextEncoder().encode(text)));
}

function base64(bytes: Uint8Array): string {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}

/** A link as one parameter of an address. */
export function writeUploadLink(link: UploadLink): string {
  const text = base64(new TextEncoder().encode(JSON.stringify(link)));
  return text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** Reads a link; undefined if it is not one. */
export function readUploadLink(text: string): UploadLink | undefined {
  try {
    const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    const at = (name: string): unknown => Reflect.get(Object(value), name);
    const [bucket, prefix, mostBytes, until, given] = [
      at("bucket"),
      at("prefix"),
      at("mostBytes"),
      at("until"),
      at("fields"),
    ];
    if (typeof bucket !== "string" || typeof prefix !== "string") return undefined;
    if (typeof mostBytes !== "number" || typeof until !== "number") return undefined;
    const fields = Object.entries(Object(given)).filter(
      (field): field is [string, string] => typeof field[1] === "string",
    );
    return { bucket, prefix, mostBytes, until, fields: Object.fromEntries(fields) };
  } catch {
    return undefined;
  }
}

/**
 * Uploads a file with a link, and reports how many bytes are sent.
 * @throws Error with the server's own explanation
 */
export async function uploadWithLink(
  endpoint: string,
  { bucket, prefix, fields }: UploadLink,
  file: File,
  onProgress: (sent: number) => void,
): Promise<void> {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  form.append("key", prefix + file.name);
  form.append("Content-Type", file.type || "application/octet-stream");
  form.append("file", file);
  await new Promise<void>((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", `${endpoint}${bucketPath(bucket)}`);
    request.upload.addEventListener("progress", ({ loaded }) => onProgress(loaded));
    request.addEventListener("error", () => reject(new Error("")));
    request.addEventListener("load", () => {
      if (request.status < 300) resolve();
      else reject(new Error(/<Message>([^<]*)<\/Message>/.exec(request.responseText)?.[1] ?? String(request.status)));
    });
    request.send(form);
  });
}
