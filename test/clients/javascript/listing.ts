// The AWS SDK for JavaScript: both versions of listing, over the bucket of 2,500 objects.
import assert from "node:assert/strict";
import {
  ListObjectsCommand,
  ListObjectsV2Command,
  type ListObjectsV2CommandOutput,
  paginateListObjectsV2,
} from "@aws-sdk/client-s3";
import type { Check } from "../harness.ts";
import { LISTING_BUCKET as Bucket, LISTING_KEYS } from "../listing-fixture.ts";
import { encodeKey } from "../odd-keys.ts";
import { assertRefused, decodeListed, type JavaScriptTools } from "./tools.ts";

export function listingChecks({ client }: JavaScriptTools): Check[] {
  const listV2 = (input: Omit<ConstructorParameters<typeof ListObjectsV2Command>[0], "Bucket">) =>
    client.send(new ListObjectsV2Command({ Bucket, ...input }));
  return [
    {
      name: "ListObjectsV2 pages through 2,500 keys in UTF-8 order, 1,000 at a time, with sizes and ETags",
      async run() {
        const pages: ListObjectsV2CommandOutput[] = [];
        for await (const page of paginateListObjectsV2({ client }, { Bucket })) pages.push(page);
        assert.deepEqual(
          pages.map(({ KeyCount }) => KeyCount),
          [1000, 1000, 500],
        );
        const objects = pages.flatMap(({ Contents = [] }) => Contents);
        assert.deepEqual(
          objects.map(({ Key }) => Key),
          LISTING_KEYS,
        );
        for (const { Key = "", Size, ETag, StorageClass, Owner } of objects) {
          assert.equal(Size, encodeKey(Key).length, Key);
          assert.match(ETag ?? "", /^"[0-9a-f]{32}"$/);
          assert.equal(StorageClass, "STANDARD");
          assert.equal(Owner, undefined);
        }
      },
    },
    {
      name: "ListObjectsV2 pages of 7 keys lose none and repeat none",
      async run() {
        const keys: (string | undefined)[] = [];
        for await (const page of paginateListObjectsV2({ client, pageSize: 7 }, { Bucket, Prefix: "flat/01" })) {
          keys.push(...(page.Contents ?? []).map(({ Key }) => Key));
        }
        assert.deepEqual(
          keys,
          LISTING_KEYS.filter((key) => key.startsWith("flat/01")),
        );
      },
    },
    {
      name: "ListObjects pages by marker through 2,500 keys",
      async run() {
        const keys: string[] = [];
        let marker: string | undefined;
        for (;;) {
          const page = await client.send(new ListObjectsCommand({ Bucket, Marker: marker }));
          keys.push(...(page.Contents ?? []).map(({ Key = "" }) => Key));
          assert.equal(page.NextMarker, undefined, "NextMarker is returned only with a delimiter");
          if (page.IsTruncated !== true) break;
          marker = keys.at(-1);
        }
        assert.deepEqual(keys, LISTING_KEYS);
      },
    },
    {
      name: "a delimiter rolls keys up, and pages of common prefixes neither repeat nor skip one",
      async run() {
        const top = await listV2({ Delimiter: "/" });
        assert.deepEqual(
          top.CommonPrefixes?.map(({ Prefix }) => Prefix),
          ["flat/", "tree/", 'wörds & "more"+=/'],
        );
        assert.equal(top.KeyCount, 3);
        const trees: (string | undefined)[] = [];
        let token: string | undefined;
        do {
          const page = await listV2({ Prefix: "tree/", Delimiter: "/", MaxKeys: 90, ContinuationToken: token });
          trees.push(...(page.CommonPrefixes ?? []).map(({ Prefix }) => Prefix));
          assert.equal(page.KeyCount, page.CommonPrefixes?.length);
          assert.equal(page.ContinuationToken, token);
          token = page.NextContinuationToken;
        } while (token !== undefined);
        assert.deepEqual(
          trees,
          LISTING_KEYS.filter((key) => key.startsWith("tree/")).map((key) => key.replace(/leaf$/, "")),
        );
      },
    },
    {
      name: "ListObjects with a delimiter returns NextMarker, which continues after it",
      async run() {
        const first = await client.send(
          new ListObjectsCommand({ Bucket, Prefix: "tree/", Delimiter: "/", MaxKeys: 200 }),
        );
        assert.equal(first.IsTruncated, true);
        assert.equal(first.NextMarker, "tree/0199/");
        const second = await client.send(
          new ListObjectsCommand({ Bucket, Prefix: "tree/", Delimiter: "/", Marker: first.NextMarker }),
        );
        assert.equal(second.CommonPrefixes?.[0]?.Prefix, "tree/0200/");
        assert.equal(second.CommonPrefixes?.length, 100);
      },
    },
    {
      name: "start-after is exclusive, need not exist and stays inside a prefix",
      async run() {
        const after = await listV2({ StartAfter: "flat/1997", MaxKeys: 3 });
        assert.deepEqual(
          after.Contents?.map(({ Key }) => Key),
          ["flat/1998", "flat/1999", "tree/0000/leaf"],
        );
        assert.equal(after.StartAfter, "flat/1997");
        const between = await listV2({ Prefix: "flat/", StartAfter: "flat/1998x" });
        assert.deepEqual(
          between.Contents?.map(({ Key }) => Key),
          ["flat/1999"],
        );
      },
    },
    {
      name: "encoding-type=url encodes keys and prefixes, not what needs none",
      async run() {
        const prefix = 'wörds & "more"+=/';
        const page = await listV2({ Prefix: `${prefix}000`, Delimiter: " ", EncodingType: "url" });
        assert.equal(page.EncodingType, "url");
        assert.equal(page.Prefix, "w%C3%B6rds%20%26%20%22more%22%2B%3D/000");
        assert.equal(page.Delimiter, "%20");
        assert.equal(page.CommonPrefixes?.length, 10);
        assert.equal(decodeListed(page.CommonPrefixes?.[3]?.Prefix ?? ""), `${prefix}0003 `);
      },
    },
    {
      name: "fetch-owner adds the owner, max-keys=0 is an empty page, an exact fit has no next page",
      async run() {
        const owned = await listV2({ MaxKeys: 1, FetchOwner: true });
        assert.ok(owned.Contents?.[0]?.Owner?.ID !== undefined);
        const none = await listV2({ MaxKeys: 0 });
        assert.equal(none.KeyCount, 0);
        assert.equal(none.IsTruncated, false);
        const exact = await listV2({ Prefix: "tree/", MaxKeys: 300 });
        assert.equal(exact.KeyCount, 300);
        assert.equal(exact.IsTruncated, false);
        assert.equal(exact.NextContinuationToken, undefined);
      },
    },
    {
      name: "a forged continuation token is refused",
      run: () => assertRefused(listV2({ ContinuationToken: "made up" }), "InvalidArgument", 400),
    },
  ];
}
