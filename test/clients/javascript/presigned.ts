// The presigner of the AWS SDK for JavaScript; curl uses its URLs as any recipient does.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type ServiceInputTypes,
  type ServiceOutputTypes,
} from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { type Curl, curlFor } from "../curl-command.ts";
import type { Check } from "../harness.ts";
import { encodeKey, ODD_KEYS } from "../odd-keys.ts";
import { newFolder } from "../site.ts";
import { type JavaScriptTools, putText } from "./tools.ts";

export function presignedChecks(tools: JavaScriptTools): Check[] {
  const { client, bucket, site } = tools;
  const folder = newFolder(site, "javascript-presigned");
  const curl = curlFor(site, folder);
  const upload = join(folder, "upload");
  writeFileSync(upload, "uploaded by URL");
  const urlOf = <Input extends ServiceInputTypes, Output extends ServiceOutputTypes>(
    command: Parameters<typeof getSignedUrl<ServiceInputTypes, Input, Output>>[1],
  ) => getSignedUrl<ServiceInputTypes, Input, Output>(client, command, { expiresIn: 60 });
  const getUrl = (Key: string) => urlOf(new GetObjectCommand({ Bucket: bucket, Key }));
  return [
    {
      name: "a presigned GET reads the object, a HEAD of it and a listing work the same way",
      async run() {
        await putText(tools, "shared", "for all to see");
        assert.equal((await curl(await getUrl("shared"))).body, "for all to see");
        const bearing = await curl(await getUrl("shared"), "-H", "Authorization: Bearer of-something-else");
        assert.equal(bearing.body, "for all to see");
        const head = await curl(await urlOf(new HeadObjectCommand({ Bucket: bucket, Key: "shared" })), "--head");
        assert.equal(head.status, 200);
        assert.equal(head.headers.get("content-length"), "14");
        const list = await curl(await urlOf(new ListObjectsV2Command({ Bucket: bucket, Prefix: "shared" })));
        assert.match(list.body, /<Key>shared<\/Key>/);
      },
    },
    {
      name: "a presigned PUT made without a body, so with an empty body's CRC32 in its query, takes any body",
      async run() {
        const url = await urlOf(new PutObjectCommand({ Bucket: bucket, Key: "by-url" }));
        assert.match(url, /x-amz-checksum-crc32=AAAAAA%3D%3D/, "the presigner no longer does this");
        assertStatus(await curl(url, "--upload-file", upload), 200);
        assert.equal((await curl(await getUrl("by-url"))).body, "uploaded by URL");
      },
    },
    {
      name: "metadata that the presigner moves into the query acts as if it were sent in headers",
      async run() {
        const url = await urlOf(
          new PutObjectCommand({ Bucket: bucket, Key: "hoisted", Metadata: { color: "sea blue", size: "9+1" } }),
        );
        assert.match(url, /x-amz-meta-color=sea%20blue/);
        assertStatus(await curl(url, "--upload-file", upload, "-H", "Content-Type: text/plain"), 200);
        const head = await client.send(new HeadObjectCommand({ Bucket: bucket, Key: "hoisted" }));
        assert.deepEqual({ ...head.Metadata }, { color: "sea blue", size: "9+1" });
        assert.equal(head.ContentType, "text/plain");
      },
    },
    {
      name: "a presigned DELETE deletes",
      async run() {
        await putText(tools, "to-delete", "x");
        const url = await urlOf(new DeleteObjectCommand({ Bucket: bucket, Key: "to-delete" }));
        assertStatus(await curl(url, "--request", "DELETE"), 204);
        assertError(await curl(await getUrl("to-delete")), 404, "NoSuchKey");
      },
    },
    {
      name: "presigned URLs of odd keys put and get the same object",
      async run() {
        for (const key of ODD_KEYS.slice(0, 24)) {
          const Key = `url/${key}`;
          const url = await urlOf(new PutObjectCommand({ Bucket: bucket, Key }));
          // Not --upload-file, which adds the file's name to a URL that ends with a slash.
          assertStatus(await curl(url, "--request", "PUT", "--data-binary", `@${upload}`), 200, key);
          const got = await client.send(new GetObjectCommand({ Bucket: bucket, Key }));
          assert.equal(await got.Body?.transformToString(), "uploaded by URL", key);
          assert.equal((await curl(await getUrl(Key))).body, "uploaded by URL", key);
        }
      },
    },
    {
      name: "response-* parameters of a presigned GET replace headers, and only when they are signed",
      async run() {
        await putText(tools, "named", "x");
        const url = await urlOf(
          new GetObjectCommand({
            Bucket: bucket,
            Key: "named",
            ResponseContentDisposition: 'attachment; filename="ä + b.txt"',
            ResponseContentType: "text/x-other",
            ResponseCacheControl: "no-store",
          }),
        );
        const { headers } = await curl(url);
        assert.equal(headers.get("content-disposition"), 'attachment; filename="ä + b.txt"');
        assert.equal(headers.get("content-type"), "text/x-other");
        assert.match(headers.get("cache-control") ?? "", /^no-store/);
        const added = await curl(`${await getUrl("named")}&response-content-type=text%2Fhtml`);
        assertError(added, 403, "SignatureDoesNotMatch");
      },
    },
    {
      name: "an expired, a tampered and a wrongly used URL are refused",
      async run() {
        await putText(tools, "guarded", "x");
        const command = new GetObjectCommand({ Bucket: bucket, Key: "guarded" });
        const signingDate = new Date(Date.now() - 120_000);
        const expired = await curl(await getSignedUrl(client, command, { expiresIn: 60, signingDate }));
        assertError(expired, 403, "AccessDenied");
        assert.match(expired.body, /<Message>Request has expired<\/Message>/);
        const url = await getUrl("guarded");
        const signature = /X-Amz-Signature=([0-9a-f]+)/.exec(url)?.[1] ?? "";
        assertError(await curl(url.replace("/guarded", `/${encodeKey("other")}`)), 403, "SignatureDoesNotMatch");
        assertError(await curl(url.replace("Expires=60", "Expires=600")), 403, "SignatureDoesNotMatch");
        assertError(await curl(url.replace(signature, "0".repeat(64))), 403, "SignatureDoesNotMatch");
        assertError(await curl(url.replace(signature, "0123")), 403, "SignatureDoesNotMatch");
        assertError(await curl(url, "--upload-file", upload), 403, "SignatureDoesNotMatch");
        assertError(await curl(url, "--request", "DELETE"), 403, "SignatureDoesNotMatch");
        assert.equal((await curl(url, "--head")).status, 403);
        assertError(await curl(url, "-H", "x-amz-meta-a: unsigned"), 403, "AccessDenied");
        assertError(await curl(url.replace("Expires=60", "Expires=604801")), 400, "AuthorizationQueryParametersError");
      },
    },
  ];
}

function assertStatus(answer: Curl, status: number, about = ""): void {
  assert.equal(answer.status, status, `${about} ${answer.body}`);
}

function assertError(answer: Curl, status: number, code: string): void {
  assertStatus(answer, status);
  assert.match(answer.body, new RegExp(`<Code>${code}</Code><Message>.`));
}
