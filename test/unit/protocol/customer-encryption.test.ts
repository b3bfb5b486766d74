import { describe, expect, it } from "vitest";

import {
  checkPartKey,
  checkReadKey,
  encryptionHeaders,
  newEncryption,
  readCustomerKey,
  readSourceKey,
  type CustomerKey,
} from "../../../src/protocol/objects/customer-encryption.ts";
import type { S3Request } from "../../../src/protocol/core/s3-request.ts";
import { customerKey, keyHeaders } from "../../support/encryption.ts";
import { expectError, PRESIGNED, putWith, rejectionOf, requestFor } from "./support.ts";

const PREFIX = "x-amz-server-side-encryption-customer-";
const KEY = customerKey(1);
const HEADERS = keyHeaders(KEY);
const REQUESTS = "Requests specifying Server Side Encryption with Customer provided keys";

type Headers_ = Readonly<Record<string, string>>;

function without(name: string): Headers_ {
  return Object.fromEntries(Object.entries(HEADERS).filter(([header]) => header !== PREFIX + name));
}

function read(headers: Headers_): Promise<CustomerKey | undefined> {
  return readCustomerKey(putWith(headers), "loopback");
}

async function keyOf(seed: number): Promise<CustomerKey> {
  const key = await read(keyHeaders(customerKey(seed)));
  if (key === undefined) throw new Error("no key");
  return key;
}

/** A request over plain HTTP to a host. */
function insecure(host: string, headers: Headers_ = HEADERS): S3Request {
  return { ...putWith({ ...headers, host }), isSecure: false };
}

describe("a customer's key", () => {
  it("is read with its MD5, from headers or a presigned query, and for a copy source under separate names", async () => {
    const expected = {
      bytes: Uint8Array.from(atob(KEY), (byte) => byte.charCodeAt(0)),
      md5: HEADERS[`${PREFIX}key-md5`],
    };
    expect(await read(HEADERS)).toEqual(expected);
    const query = Object.entries(HEADERS).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
    const presigned = requestFor("GET", `/bucket/key?${PRESIGNED}&${query.join("&")}`);
    expect(await readCustomerKey(presigned, "loopback")).toEqual(expected);
    const ofSource = putWith(keyHeaders(KEY, "x-amz-copy-source-server-side-encryption-customer-"));
    expect(await readSourceKey(ofSource, "loopback")).toEqual(expected);
    expect(await readCustomerKey(ofSource, "loopback")).toBeUndefined();
    expect(await readSourceKey(putWith(HEADERS), "loopback")).toBeUndefined();
  });

  it("is optional", async () => {
    expect(await read({})).toBeUndefined();
    expect(await read({ "x-amz-server-side-encryption": "AES256" })).toBeUndefined();
    const unsigned = requestFor("GET", `/bucket/key?${PREFIX}key=${encodeURIComponent(KEY)}`);
    expect(await readCustomerKey(unsigned, "loopback")).toBeUndefined();
  });

  it.each(["AES128", "aes256", "", "aws:kms"])("is rejected with the algorithm %j", async (algorithm) =>
    expectError(
      await rejectionOf(read({ ...HEADERS, [`${PREFIX}algorithm`]: algorithm })),
      "InvalidEncryptionAlgorithmError",
      400,
      {
        fields: { ArgumentName: `${PREFIX}algorithm`, ArgumentValue: algorithm },
        message: "The Encryption request you specified is not valid. Supported value: AES256.",
      },
    ),
  );

  it.each([
    ["algorithm", `${REQUESTS} must provide a valid encryption algorithm.`],
    ["key", `${REQUESTS} must provide an appropriate secret key.`],
    ["key-md5", `${REQUESTS} must provide the client calculated MD5 of the secret key.`],
  ])("is rejected without its %s", async (name, message) =>
    expectError(await rejectionOf(read(without(name))), "InvalidArgument", 400, { message }),
  );

  it.each([
    ["of 16 bytes", btoa("0123456789abcdef")],
    ["of 33 bytes", btoa("0123456789abcdef0123456789abcdef0")],
    ["of none", ""],
    ["that is no base64", "0123456789abcdef0123456789abcdef0123456789*="],
    ["in the alphabet of URLs", btoa("\xff".repeat(32)).replaceAll("/", "_")],
  ])("is rejected when one %s, and not repeated in the error", async (_what, key) =>
    expectError(await rejectionOf(read({ ...HEADERS, [`${PREFIX}key`]: key })), "InvalidArgument", 400, {
      fields: { ArgumentName: `${PREFIX}key`, ArgumentValue: undefined },
      message: "The secret key was invalid for the specified algorithm.",
    }),
  );

  it.each([keyHeaders(customerKey(2))[`${PREFIX}key-md5`] ?? "", "", "x", KEY])(
    "is rejected with the MD5 %j of another key",
    async (md5) =>
      expectError(await rejectionOf(read({ ...HEADERS, [`${PREFIX}key-md5`]: md5 })), "InvalidRequest", 400, {
        message: "The calculated MD5 hash of the key did not match the hash that was provided.",
      }),
  );

  it.each(["AES256", "aws:kms"])("is rejected together with encryption by %s", async (method) =>
    expectError(
      await rejectionOf(read({ ...HEADERS, "x-amz-server-side-encryption": method })),
      "InvalidArgument",
      400,
      {
        fields: { ArgumentName: "x-amz-server-side-encryption", ArgumentValue: method },
        message:
          "Server Side Encryption with Customer provided key is incompatible with the encryption method specified",
      },
    ),
  );
});

describe("a customer's key over plain HTTP", () => {
  const message = `${REQUESTS} must be made over a secure connection.`;

  it.each(["localhost", "localhost:9000", "LocalHost", "b.localhost:80", "127.0.0.1", "127.1.2.3:9000", "[::1]:9000"])(
    "is accepted by %s, unless the setting forbids that too",
    async (host) => {
      expect(await readCustomerKey(insecure(host), "loopback")).toBeDefined();
      expectError(await rejectionOf(readCustomerKey(insecure(host), "never")), "InvalidRequest", 400, { message });
    },
  );

  it.each([
    "s3.example.com",
    "localhost.example.com",
    "127.0.0.1.example.com",
    "notlocalhost",
    "10.0.0.1",
    "128.0.0.1",
    "",
  ])("is rejected by %j", async (host) => {
    for (const headers of [HEADERS, without("key"), without("algorithm")]) {
      const refusal = await rejectionOf(readCustomerKey(insecure(host, headers), "loopback"));
      expectError(refusal, "InvalidRequest", 400, { message });
    }
    expect(await readCustomerKey(insecure(host, {}), "never")).toBeUndefined();
  });

  it("includes the source's key", async () => {
    const request = insecure("s3.example.com", keyHeaders(KEY, "x-amz-copy-source-server-side-encryption-customer-"));
    expectError(await rejectionOf(readSourceKey(request, "loopback")), "InvalidRequest", 400, { message });
  });
});

describe("the verifier of a key", () => {
  it("contains neither the key nor its MD5, and differs between keys and times", async () => {
    const key = await keyOf(1);
    const [first, second] = [await newEncryption(key), await newEncryption(key)];
    expect(first.key).toBe(key);
    const form = /^\{"salt":"([\w-]{22})","verifier":"([\w-]{43})"\}$/;
    const [, salt, verifier] = form.exec(first.keyVerifier) ?? [];
    expect(first.keyVerifier).toMatch(form);
    for (const part of [KEY, key.md5, KEY.slice(0, 8), key.md5.slice(0, 8)])
      expect(first.keyVerifier).not.toContain(part);
    const [, otherSalt, otherVerifier] = form.exec(second.keyVerifier) ?? [];
    expect(otherSalt).not.toBe(salt);
    expect(otherVerifier).not.toBe(verifier);
  });

  it("allows reads with its key only", async () => {
    const { keyVerifier } = await newEncryption(await keyOf(1));
    await checkReadKey(keyVerifier, await keyOf(1));
    expectError(await rejectionOf(checkReadKey(keyVerifier, await keyOf(2))), "AccessDenied", 403, {
      message: `${REQUESTS} must provide the correct secret key.`,
    });
    expectError(await rejectionOf(checkReadKey(keyVerifier, undefined)), "InvalidRequest", 400, {
      message:
        "The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.",
    });
  });

  it("allows reads of a plain object without a key only", async () => {
    await checkReadKey(undefined, undefined);
    expectError(await rejectionOf(checkReadKey(undefined, await keyOf(1))), "InvalidRequest", 400, {
      message: "The encryption parameters are not applicable to this object.",
    });
  });

  it("accepts parts with the key of their upload only", async () => {
    const { keyVerifier } = await newEncryption(await keyOf(1));
    await checkPartKey(keyVerifier, await keyOf(1));
    await checkPartKey(undefined, undefined);
    expectError(await rejectionOf(checkPartKey(keyVerifier, await keyOf(2))), "InvalidRequest", 400, {
      message: "The provided encryption parameters did not match the ones used originally.",
    });
    expectError(await rejectionOf(checkPartKey(keyVerifier, undefined)), "InvalidRequest", 400, {
      message:
        "The multipart upload initiate requested encryption. Subsequent part requests must include the appropriate encryption parameters.",
    });
    expectError(await rejectionOf(checkPartKey(undefined, await keyOf(1))), "InvalidRequest", 400, {
      message:
        "The multipart upload initiate did not request encryption. Please resend the request without sending encryption parameters.",
    });
  });
});

describe("the encryption headers of a response", () => {
  it("are the algorithm and the MD5 of the key", async () => {
    expect(encryptionHeaders(undefined)).toEqual({ "x-amz-server-side-encryption": "AES256" });
    expect(encryptionHeaders(await keyOf(1))).toEqual({
      [`${PREFIX}algorithm`]: "AES256",
      [`${PREFIX}key-md5`]: HEADERS[`${PREFIX}key-md5`],
    });
  });
});
