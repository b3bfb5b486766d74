import { describe, expect, it } from "vitest";

import { send } from "../support/client.ts";
import { freshBucket } from "../support/fresh-bucket.ts";
import { expiresAfter, lifecycleOf, putLifecycle, rule, sendLifecycle } from "../support/lifecycle.ts";
import { expectUnset } from "../support/unset-configuration.ts";

async function shown(bucket: string): Promise<string> {
  const response = await send("GET", `/${bucket}?lifecycle`);
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toBe("application/xml");
  return (await response.text()).replace('<?xml version="1.0" encoding="UTF-8"?>\n', "");
}

describe("GetBucketLifecycleConfiguration", () => {
  it("returns its error for existing buckets without rules, and NoSuchBucket for missing ones", async () => {
    await expectUnset("lifecycle", "NoSuchLifecycleConfiguration");
  });

  it.each([
    ["legacy prefixes", ["<Prefix>a/</Prefix>", "<Prefix/>"]],
    [
      "filters",
      [
        "<Filter/>",
        "<Filter><Prefix/></Filter>",
        "<Filter><Prefix>&lt;a&gt; &amp; b</Prefix></Filter>",
        "<Filter><Tag><Key>k</Key><Value/></Tag></Filter>",
        "<Filter><ObjectSizeGreaterThan>0</ObjectSizeGreaterThan></Filter>",
        "<Filter><ObjectSizeLessThan>1</ObjectSizeLessThan></Filter>",
        "<Filter><And><Prefix/><Tag><Key>b</Key><Value>1</Value></Tag><Tag><Key>a</Key><Value>2</Value></Tag><ObjectSizeGreaterThan>1</ObjectSizeGreaterThan><ObjectSizeLessThan>3</ObjectSizeLessThan></And></Filter>",
        "<Filter><And><ObjectSizeGreaterThan>1</ObjectSizeGreaterThan><ObjectSizeLessThan>3</ObjectSizeLessThan></And></Filter>",
      ],
    ],
  ])("shows rules by %s as they were set, in their order", async (_name, filters) => {
    const bucket = await freshBucket();
    const rules = filters.map((filter, index) => rule(expiresAfter(index + 1), { id: `rule ${index}`, filter }));
    await putLifecycle(bucket, ...rules);
    expect(await shown(bucket)).toBe(lifecycleOf(...rules));
  });

  it("returns every action as it was set", async () => {
    const bucket = await freshBucket();
    const all =
      "<Transition><Days>30</Days><StorageClass>STANDARD_IA</StorageClass></Transition>" +
      "<Transition><Days>90</Days><StorageClass>DEEP_ARCHIVE</StorageClass></Transition>" +
      "<Expiration><Days>180</Days></Expiration>" +
      "<NoncurrentVersionTransition><NoncurrentDays>30</NoncurrentDays><NewerNoncurrentVersions>2</NewerNoncurrentVersions><StorageClass>GLACIER</StorageClass></NoncurrentVersionTransition>" +
      "<NoncurrentVersionExpiration><NoncurrentDays>60</NoncurrentDays><NewerNoncurrentVersions>5</NewerNoncurrentVersions></NoncurrentVersionExpiration>" +
      "<AbortIncompleteMultipartUpload><DaysAfterInitiation>7</DaysAfterInitiation></AbortIncompleteMultipartUpload>";
    const rules = [
      rule(all, { id: "all", status: "Disabled" }),
      rule("<Expiration><ExpiredObjectDeleteMarker>false</ExpiredObjectDeleteMarker></Expiration>", { id: "markers" }),
      rule("<Expiration><Date>2030-01-01T00:00:00.000Z</Date></Expiration>", { id: "date" }),
    ];
    await putLifecycle(bucket, ...rules);
    expect(await shown(bucket)).toBe(lifecycleOf(...rules));
  });

  it("assigns a permanent ID to rules without one", async () => {
    const bucket = await freshBucket();
    await putLifecycle(
      bucket,
      rule(expiresAfter(1)),
      rule(expiresAfter(2), { id: "mine" }),
      `<Rule><ID></ID>${rule(expiresAfter(3)).slice(6)}`,
    );
    const text = await shown(bucket);
    expect(text.match(/<ID>.*?<\/ID>/g)).toEqual([
      expect.stringMatching(/^<ID>\w{32}<\/ID>$/),
      "<ID>mine</ID>",
      expect.stringMatching(/^<ID>\w{32}<\/ID>$/),
    ]);
    expect(await shown(bucket)).toBe(text);
    // The returned document can be set again, and is then returned unchanged.
    expect((await sendLifecycle(bucket, text)).status).toBe(200);
    expect(await shown(bucket)).toBe(text);
  });

  it("accepts AWS's output with its elements in any order", async () => {
    const bucket = await freshBucket();
    const document = `<?xml version="1.0" encoding="UTF-8"?>
<LifecycleConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
  <Rule>
    <Expiration><Days>3650</Days></Expiration>
    <Status>Enabled</Status>
    <ID>Archive and then delete rule</ID>
    <Transition><StorageClass>STANDARD_IA</StorageClass><Days>30</Days></Transition>
    <Filter><And><Tag><Value>x</Value><Key>k</Key></Tag><Prefix>projectdocs/</Prefix></And></Filter>
    <Transition><Days>365</Days><StorageClass>GLACIER</StorageClass></Transition>
  </Rule>
</LifecycleConfiguration>`;
    expect((await sendLifecycle(bucket, document)).status).toBe(200);
    expect(await shown(bucket)).toBe(
      lifecycleOf(
        "<Rule><ID>Archive and then delete rule</ID><Filter><And><Prefix>projectdocs/</Prefix><Tag><Key>k</Key><Value>x</Value></Tag></And></Filter><Status>Enabled</Status>" +
          "<Transition><Days>30</Days><StorageClass>STANDARD_IA</StorageClass></Transition><Transition><Days>365</Days><StorageClass>GLACIER</StorageClass></Transition>" +
          "<Expiration><Days>3650</Days></Expiration></Rule>",
      ),
    );
  });
});
