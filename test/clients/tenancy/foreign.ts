// A tenant's requests to the other's folder and to the bucket: all are refused, with the same error for existing and
// missing objects, and change nothing.
import assert from "node:assert/strict";
import { textIn, textsIn } from "../../../scripts/tenancy/caller.ts";
import type { Check } from "../harness.ts";
import { exchange, openSocket } from "../raw/exchange.ts";
import { signRequest } from "../raw/sign.ts";
import { assertDenied, assertDone, deletionOf, md5Of, type TenancyTools } from "./tools.ts";

type OperationRequest = readonly [method: string, target: string, headers?: Record<string, string>, body?: string];

const NO_TAGS = "<Tagging><TagSet></TagSet></Tagging>";

const from = (target: string) => ({ "x-amz-copy-source": target });

export function foreignChecks(tools: TenancyTools): Check[] {
  const { operator, bucket, one, other, site } = tools;
  const own = (key: string): string => `/${bucket}/${one.name}/${key}`;
  const foreign = (key: string): string => `/${bucket}/${other.name}/${key}`;
  const attempt = ([method, target, headers = {}, body]: OperationRequest) =>
    one.caller.s3(method, target, { headers, ...(body === undefined ? {} : { body }) });

  /** Sends a request without a client library. */
  async function raw(method: string, target: string, body = ""): Promise<{ status: number; body: string }> {
    const identity = { host: site.http.host, credentials: one.keys, region: site.region };
    const headers = method === "PUT" ? { "content-length": String(body.length) } : {};
    const { head } = signRequest({ ...identity, method, target, headers });
    return exchange(await openSocket(site, site.http), [head, body]);
  }

  async function refuse(...attempts: readonly OperationRequest[]): Promise<void> {
    for (const each of attempts) await assertDenied(attempt(each), `${each[0]} ${each[1]}`);
  }

  /** Runs `act` and asserts that the bucket did not change. */
  async function unchanged(act: () => Promise<void>): Promise<void> {
    await assertDone(other.caller.s3("PUT", foreign("secret"), { body: "unchanged" }));
    const before = await assertDone(operator.s3("GET", `/${bucket}?list-type=2`));
    await act();
    assert.equal(await assertDone(operator.s3("GET", `/${bucket}?list-type=2`)), before);
    assert.equal(await assertDone(other.caller.s3("GET", foreign("secret"))), "unchanged");
  }

  const refusal = (what: string, act: () => Promise<void>): Check => ({
    name: `${one.name} ${what}`,
    run: () => unchanged(act),
  });

  return [
    refusal("neither reads, writes, tags, renames nor deletes the other's objects", () =>
      refuse(
        ["GET", foreign("secret")],
        ["GET", foreign("secret"), { range: "bytes=0-0" }],
        ["HEAD", foreign("secret")],
        ["GET", foreign("secret?attributes"), { "x-amz-object-attributes": "ObjectSize" }],
        ["GET", foreign("secret?versionId=null")],
        ["GET", foreign("secret?tagging")],
        ["GET", foreign("secret?acl")],
        ["PUT", foreign("secret"), {}, "x"],
        ["PUT", foreign("new"), {}, "x"],
        ["PUT", foreign("new"), { "if-none-match": "*" }, "x"],
        ["PUT", foreign("secret?tagging"), md5Of(NO_TAGS), NO_TAGS],
        ["DELETE", foreign("secret")],
        ["DELETE", foreign("secret?versionId=null")],
        ["DELETE", foreign("secret?tagging")],
        ["PUT", foreign("stolen"), { "x-amz-rename-source": foreign("secret") }],
        ["PUT", own("stolen"), { "x-amz-rename-source": foreign("secret") }],
        ["PUT", foreign("planted"), { "x-amz-rename-source": own("secret") }],
      ),
    ),
    refusal("copies neither from the other's folder nor into it, whole or as a part", async () => {
      const id = textIn(await assertDone(one.caller.s3("POST", own("parts?uploads"))), "UploadId");
      await refuse(
        ["PUT", own("stolen"), from(foreign("secret"))],
        ["PUT", own("stolen"), from(`${foreign("secret")}?versionId=null`)],
        ["PUT", own("stolen"), from(encodeURIComponent(foreign("secret").slice(1)))],
        ["PUT", foreign("planted"), from(own("secret"))],
        ["PUT", own(`parts?partNumber=1&uploadId=${id}`), from(foreign("secret"))],
        ["POST", foreign("planted?uploads")],
      );
      await assertDone(one.caller.s3("DELETE", own(`parts?uploadId=${id}`)));
    }),
    refusal("cannot use the id of the other's upload", async () => {
      const id = textIn(await assertDone(other.caller.s3("POST", foreign("parts?uploads"))), "UploadId");
      await refuse(
        ["PUT", foreign(`parts?partNumber=1&uploadId=${id}`), {}, "x"],
        ["GET", foreign(`parts?uploadId=${id}`)],
        ["DELETE", foreign(`parts?uploadId=${id}`)],
        ["POST", foreign(`parts?uploadId=${id}`), {}, "<CompleteMultipartUpload/>"],
      );
      for (const method of ["GET", "DELETE"]) {
        const answer = await attempt([method, own(`parts?uploadId=${id}`)]);
        assert.equal(textIn(await answer.text(), "Code"), "NoSuchUpload");
      }
      await assertDone(other.caller.s3("DELETE", foreign(`parts?uploadId=${id}`)));
    }),
    refusal("lists neither the other's folder nor anything above its own", async () => {
      const { name } = one;
      const prefixes = [undefined, "", "a", "al-", name, name.slice(0, -1), other.name, `${other.name}/`, "*", "${*}"];
      for (const prefix of prefixes) {
        const query = prefix === undefined ? "" : `&prefix=${encodeURIComponent(prefix)}`;
        await refuse(
          ["GET", `/${bucket}?list-type=2${query}`],
          ["GET", `/${bucket}?delimiter=%2F${query}`],
          ["GET", `/${bucket}?versions${query}`],
          ["GET", `/${bucket}?uploads${query}`],
        );
      }
      await refuse(["GET", "/"], ["HEAD", `/${bucket}`]);
      for (const twice of [`prefix=${name}%2F&prefix=${other.name}%2F`, `prefix=${other.name}%2F&prefix=${name}%2F`]) {
        const { body } = await raw("GET", `/${bucket}?list-type=2&${twice}`);
        assert.doesNotMatch(body, new RegExp(`<Key>${other.name}/`), "what is asked about is what is listed");
      }
      const page = await assertDone(
        other.caller.s3("GET", `/${bucket}?list-type=2&max-keys=1&prefix=${other.name}%2F`),
      );
      const token = encodeURIComponent(textIn(page, "NextContinuationToken"));
      const answer = await attempt(["GET", `/${bucket}?list-type=2&prefix=${name}%2F&continuation-token=${token}`]);
      assert.equal(answer.status, 400, await answer.text());
    }),
    refusal("deletes only its own objects with DeleteObjects", async () => {
      await assertDone(one.caller.s3("PUT", own("passing"), { body: "x" }));
      const { headers, body } = deletionOf(`${other.name}/secret`, `${one.name}/passing`, `${other.name}/never-put`);
      const result = await assertDone(one.caller.s3("POST", `/${bucket}?delete`, { headers, body }));
      assert.deepEqual(textsIn(result, "Code"), ["AccessDenied", "AccessDenied"]);
      assert.match(result, new RegExp(`<Deleted><Key>${one.name}/passing</Key></Deleted>`));
    }),
    refusal("learns nothing about what exists", async () => {
      const asked: readonly ((key: string) => OperationRequest)[] = [
        ...["GET", "HEAD", "DELETE"].map((method) => (key: string): OperationRequest => [method, foreign(key)]),
        (key) => ["GET", foreign(key), { "if-match": '"0"' }],
        (key) => ["PUT", own("stolen"), from(foreign(key))],
      ];
      for (const ask of asked) {
        const [there, absent] = [
          await assertDenied(attempt(ask("secret"))),
          await assertDenied(attempt(ask("absent"))),
        ];
        assert.equal(there, absent.replaceAll("absent", "secret"));
      }
    }),
    refusal("neither reads nor changes the bucket's configuration", async () => {
      const policy = JSON.stringify({ Version: "2012-10-17", Statement: [] });
      const subresources = ["policy", "cors", "acl", "lifecycle", "encryption", "ownershipControls"];
      await refuse(
        ...subresources.map((name): OperationRequest => ["GET", `/${bucket}?${name}`]),
        ["PUT", `/${bucket}?policy`, {}, policy],
        ["DELETE", `/${bucket}?policy`],
        ["DELETE", `/${bucket}?cors`],
        [
          "PUT",
          `/${bucket}?versioning`,
          {},
          "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>",
        ],
        ["DELETE", `/${bucket}`],
        ["PUT", `/${bucket}-of-its-own`],
      );
    }),
    refusal("may not call IAM, for itself or for the other", async () => {
      const UserName = other.name;
      for (const [action, parameters] of [
        ["ListUsers", {}],
        ["CreateAccessKey", {}],
        ["CreateAccessKey", { UserName }],
        ["PutUserPolicy", { UserName: one.name, PolicyName: "more", PolicyDocument: "{}" }],
        ["UpdateAccessKey", { UserName, AccessKeyId: other.keys.accessKeyId, Status: "Inactive" }],
      ] as const) {
        await assert.rejects(one.caller.iam(action, parameters), /AccessDenied/, action);
      }
      await assert.rejects(one.caller.sts("GetFederationToken", { Name: other.name }), /AccessDenied/);
      await assert.rejects(
        one.caller.sts("AssumeRole", { RoleArn: "arn:aws:iam::000000000000:role/any", RoleSessionName: "any" }),
        /AccessDenied/,
      );
    }),
    refusal("does not reach the other's folder by `..` in a path", async () => {
      for (const step of ["..", "%2e%2e", "%2E%2E"]) {
        const target = own(`${step}/${other.name}/secret`);
        assert.equal((await raw("GET", target)).status, 404, "a key like any other, and not there");
        assert.equal((await raw("PUT", target, "mine")).status, 200, "a key of its own");
        assert.equal((await raw("GET", target)).body, "mine");
        assert.equal((await raw("DELETE", target)).status, 204);
      }
    }),
  ];
}
