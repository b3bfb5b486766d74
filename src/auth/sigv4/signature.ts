// Computes SigV4's signing keys, strings to sign and signatures, and makes the error for a mismatch. Secrets leave this
// file only as CryptoKeys that cannot be exported.
import { digest, digestsEqual } from "../../bytes/digest.ts";
import { fromHex, toHex } from "../../bytes/hex-base64.ts";
import { utf8, utf8InScratch } from "../../bytes/text.ts";
import { S3Error } from "../../protocol/core/s3-error.ts";
import { ALGORITHM, TERMINAL, scopeText, type Scope } from "./claim.ts";
import { SigningKeyCache } from "./signing-key-cache.ts";

// A signing key is valid for one day and scope, so few are in use at a time.
const keys = new SigningKeyCache(256);

/**
 * The signing key of a secret in a scope: four HMACs, cached. The client chooses the scope's region, so clients can
 * evict keys from the cache, but cannot make it grow.
 */
export async function signingKey(secretAccessKey: string, scope: Scope): Promise<CryptoKey> {
  const name = `${scopeText(scope)}\n${secretAccessKey}`;
  const known = keys.get(name);
  if (known !== undefined) return known;
  const key = await deriveKey(secretAccessKey, scope);
  keys.put(name, key);
  return key;
}

/** The string to sign of a request. */
export async function stringToSign(amzDate: string, scope: Scope, canonicalRequest: string): Promise<string> {
  return `${ALGORITHM}\n${amzDate}\n${scopeText(scope)}\n${await sha256Hex(canonicalRequest)}`;
}

/** The signature of a text: a string to sign, or a POST form's policy in base64. */
export async function sign(key: CryptoKey, text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.sign("HMAC", key, utf8InScratch(text)));
}

/** Whether a text is the signature in lower-case hexadecimal. The time depends only on the text's form. */
export function isSignature(provided: string, signature: Uint8Array): boolean {
  const bytes = /^[0-9a-f]{64}$/.test(provided) ? fromHex(provided) : undefined;
  return bytes !== undefined && digestsEqual(bytes, signature);
}

/** The lower-case hexadecimal SHA-256 of a text's UTF-8. */
export async function sha256Hex(text: string): Promise<string> {
  return toHex(await digest("SHA-256", utf8InScratch(text)));
}

/** 403 SignatureDoesNotMatch with the fields that a developer needs to find the difference. */
export function signatureDoesNotMatch(
  accessKeyId: string,
  provided: string,
  signed: string,
  canonicalRequest?: string,
  hint = "",
): S3Error {
  const canonical = canonicalRequest === undefined ? undefined : withoutCustomerKeys(canonicalRequest);
  return new S3Error(
    "SignatureDoesNotMatch",
    {
      AWSAccessKeyId: accessKeyId,
      StringToSign: signed,
      SignatureProvided: provided,
      StringToSignBytes: spacedHex(signed),
      CanonicalRequest: canonical,
      CanonicalRequestBytes: canonical === undefined ? undefined : spacedHex(canonical),
    },
    `The request signature we calculated does not match the signature you provided. Check your key and signing method.${hint}`,
  );
}

async function deriveKey(secretAccessKey: string, scope: Scope): Promise<CryptoKey> {
  let key = await hmacKey(utf8(`AWS4${secretAccessKey}`));
  for (const part of [scope.date, scope.region, scope.service, TERMINAL]) {
    key = await hmacKey(await sign(key, part));
  }
  return key;
}

async function hmacKey(bytes: Uint8Array): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
}

// Answers can end up in logs, which must not contain SSE-C keys.
function withoutCustomerKeys(canonicalRequest: string): string {
  return canonicalRequest.replaceAll(/(server-side-encryption-customer-key[:=])[^&\n]*/gi, "$1***");
}

function spacedHex(text: string): string {
  return toHex(utf8(text)).replaceAll(/..(?!$)/g, "$& ");
}
