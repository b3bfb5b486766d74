import { describe, expect, it } from "vitest";

import { send } from "../support/client.ts";
import { seen, WILDCARD } from "../support/delivery.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket, freshBucketName, putAll } from "../support/fresh-bucket.ts";
import { publicReadPolicy, putPolicy } from "../support/policies.ts";

const scope = { DELIVERY: `fixed.${WILDCARD}=some-bucket, *.${WILDCARD}` };

function documentOf(...hosts: readonly string[]): string {
  const elements = hosts.map((host) => `<Host>${host}</Host>`).join("");
  return `<DeliveryConfiguration>${elements}<Prefix>p/</Prefix><CleanUrls>true</CleanUrls></DeliveryConfiguration>`;
}

async function put(bucket: string, body: string): Promise<Response> {
  return send("PUT", `/${bucket}?delivery`, { body }, scope);
}

function freshHost(): string {
  return `${freshBucketName()}.${WILDCARD}`;
}

describe("PutBucketDelivery", () => {
  it("makes the bucket's prefix the site of the hosts", async () => {
    const bucket = await freshBucket();
    await putPolicy(bucket, publicReadPolicy(bucket));
    await putAll(bucket, { "p/about.html": "about" });
    const [one, two] = [freshHost(), freshHost()];
    expect((await put(bucket, documentOf(one, two.toUpperCase()))).status).toBe(200);
    for (const host of [one, two]) expect(await seen({ host, scope }, "/about")).toEqual([200, "about"]);
    expect((await put(bucket, documentOf(one))).status).toBe(200);
    await send("POST", `/${bucket}?purge`, {}, scope);
    expect((await seen({ host: freshHost(), scope }, "/about"))[0]).toBe(404);
    expect(await seen({ host: one, scope }, "/about")).toEqual([200, "about"]);
  });

  it("refuses a host that another bucket claims, and frees hosts with the configuration and the bucket", async () => {
    const [first, second] = [await freshBucket(), await freshBucket()];
    const host = freshHost();
    const refusal = { status: 409, code: "DeliveryHostAlreadyInUse", fields: { Host: host } };
    expect((await put(first, documentOf(host))).status).toBe(200);
    expect((await put(first, documentOf(host))).status).toBe(200);
    await expectS3Error(await put(second, documentOf(host)), refusal);
    await send("DELETE", `/${first}?delivery`);
    expect((await put(second, documentOf(host))).status).toBe(200);
    await expectS3Error(await put(first, documentOf(host)), refusal);
    expect((await send("DELETE", `/${second}`)).status).toBe(204);
    expect((await put(first, documentOf(host))).status).toBe(200);
  });

  it("refuses a host that carries the name of another bucket", async () => {
    const [own, other] = [await freshBucket(), await freshBucket()];
    const host = `${other}.${WILDCARD}`;
    await expectS3Error(await put(own, documentOf(host)), {
      status: 409,
      code: "DeliveryHostAlreadyInUse",
      fields: { Host: host },
    });
    expect((await put(own, documentOf(`${own}.${WILDCARD}`))).status).toBe(200);
  });

  it("lets one of two concurrent claims win", async () => {
    const [first, second] = [await freshBucket(), await freshBucket()];
    const document = documentOf(freshHost());
    const answers = await Promise.all([put(first, document), put(second, document)]);
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409]);
  });

  it.each(["s3.example.com", "b.s3.example.com", "localhost", WILDCARD, `x${WILDCARD}`, `fixed.${WILDCARD}`])(
    "refuses a host that the operator does not lend: %s",
    async (host) => {
      await expectS3Error(await put(await freshBucket(), documentOf(host)), {
        status: 400,
        code: "InvalidArgument",
        fields: { ArgumentName: "Host", ArgumentValue: host },
      });
    },
  );

  it.each([
    `a b.${WILDCARD}`,
    `a.${WILDCARD}:80`,
    `a.${WILDCARD}.`,
    `http://a.${WILDCARD}`,
    `*.${WILDCARD}`,
    "",
    `-a.${WILDCARD}`,
  ])("refuses a text that is no host name: %s", async (host) => {
    const response = await put(await freshBucket(), documentOf(host));
    expect(response.status).toBe(400);
    expect(await response.text()).toContain("<Code>InvalidArgument</Code>");
  });

  it.each([
    ["no XML", "x"],
    ["another root", "<Delivery/>"],
    ["an unknown element", "<DeliveryConfiguration><X/></DeliveryConfiguration>"],
    ["two prefixes", "<DeliveryConfiguration><Prefix>a</Prefix><Prefix>b</Prefix></DeliveryConfiguration>"],
    ["a flag that is none", "<DeliveryConfiguration><CleanUrls>yes</CleanUrls></DeliveryConfiguration>"],
    ["too many hosts", documentOf(...Array.from({ length: 21 }, (_, index) => `h${index}.${WILDCARD}`))],
  ])("refuses %s", async (_what, document) => {
    await expectS3Error(await put(await freshBucket(), document), { status: 400, code: "MalformedXML" });
  });
});
