// Bucket policies, as clients put them.
import { send, type SendOptions } from "./client.ts";

/** A policy of these statements. */
export function policyText(...statements: readonly Readonly<Record<string, unknown>>[]): string {
  return JSON.stringify({ Version: "2012-10-17", Statement: statements });
}

/** A policy that lets everyone read every object. */
export function publicReadPolicy(bucket: string): string {
  const Resource = `arn:aws:s3:::${bucket}/*`;
  return policyText({ Effect: "Allow", Principal: "*", Action: "s3:GetObject", Resource });
}

export async function putPolicy(bucket: string, text: string, options: SendOptions = {}): Promise<Response> {
  return send("PUT", `/${bucket}?policy`, { body: text, ...options });
}

/** Puts the named settings; others are off. */
export async function putPublicAccessBlock(bucket: string, ...settings: readonly string[]): Promise<Response> {
  const elements = settings.map((name) => `<${name}>true</${name}>`).join("");
  const body = `<PublicAccessBlockConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${elements}</PublicAccessBlockConfiguration>`;
  return send("PUT", `/${bucket}?publicAccessBlock`, { body });
}
