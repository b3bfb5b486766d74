// A client lists a page, deletes or rewrites the entries of that page, and continues with the returned markers or
// token: the listing shows every entry that existed throughout.
import { beforeEach, describe, expect, it } from "vitest";

import { send } from "../support/client.ts";
import { freshBucket, freshBucketName, putAll } from "../support/fresh-bucket.ts";
import { createUpload, putPart } from "../support/multipart.ts";
import { allow, freshUser, freshUserName, membersOf, putPolicy, succeed } from "../support/query-api.ts";
import { childrenOf, readXml, textOf, type Element } from "../support/read-xml.ts";
import { takeSnapshot } from "../support/snapshots.ts";
import {
  bodyOf,
  deleteKey,
  putVersion,
  removeVersion,
  setVersioning,
  versionedBucket,
  versionsOf,
} from "../support/versioning.ts";

type Change = "deleted" | "rewritten";
const CHANGES = ["deleted", "rewritten"] as const;

async function get(target: string): Promise<Element> {
  const response = await send("GET", target);
  const text = await response.text();
  expect(response.status, text).toBe(200);
  return readXml(text);
}

/** The texts of `child` in all elements `entry`. */
function textsOf(root: Element, entry: string, child: string): string[] {
  return childrenOf(root, entry).map((found) => textOf(found, child) ?? "");
}

/** A query parameter for each returned marker; undefined after the last page. */
function nextOf(root: Element, markers: Readonly<Record<string, string>>): string | undefined {
  if (textOf(root, "IsTruncated") === "false") return undefined;
  return Object.entries(markers)
    .map(([parameter, name]) => [parameter, textOf(root, name)] as const)
    .map(([parameter, value]) => (value === undefined ? "" : `&${parameter}=${encodeURIComponent(value)}`))
    .join("");
}

/** Lists page by page, and changes the entries of each page before it requests the next one. */
async function listChanging(
  listPage: (markers: string) => Promise<{ readonly shown: readonly string[]; readonly next: string | undefined }>,
  change: (shown: readonly string[]) => Promise<void>,
): Promise<string[]> {
  const all: string[] = [];
  for (let markers: string | undefined = ""; markers !== undefined;) {
    const { shown, next } = await listPage(markers);
    all.push(...shown);
    if (all.length > 200) throw new Error("the listing never ends");
    await change(shown);
    markers = next;
  }
  return all;
}

const deleteAll = async (targets: readonly string[]): Promise<void> => {
  for (const target of targets) {
    const response = await send("DELETE", target);
    await response.arrayBuffer();
    expect(response.status, target).toBe(204);
  }
};

describe("a listing of versions whose pages are deleted", () => {
  const VERSION_MARKERS = { "key-marker": "NextKeyMarker", "version-id-marker": "NextVersionIdMarker" };

  /** A bucket with null versions above, between and below other versions, and with delete markers. */
  async function bucketOfVersions(): Promise<string> {
    const bucket = await freshBucket();
    await putAll(bucket, { bottom: "null", middle: "replaced" });
    await setVersioning(bucket, "Enabled");
    for (const key of ["bottom", "middle", "middle", "top", "top"]) await putVersion(bucket, key, "x");
    await deleteKey(bucket, "middle");
    await setVersioning(bucket, "Suspended");
    await putVersion(bucket, "middle", "null");
    await deleteKey(bucket, "top");
    await setVersioning(bucket, "Enabled");
    for (const key of ["middle", "middle"]) await putVersion(bucket, key, "x");
    return bucket;
  }

  const entriesOf = (root: Element): string[] =>
    root.children
      .filter(({ name }) => name === "Version" || name === "DeleteMarker")
      .map((entry) => `${textOf(entry, "Key") ?? ""}?versionId=${textOf(entry, "VersionId") ?? ""}`);

  it.each([1, 2, 3, 4])("shows every version with %i per page, and leaves an empty bucket", async (size) => {
    const bucket = await bucketOfVersions();
    const before = (await versionsOf(bucket)).map(({ key, versionId }) => `${key}?versionId=${versionId}`);
    expect(before).toHaveLength(11);
    const shown = await listChanging(
      async (markers) => {
        const root = await get(`/${bucket}?versions&max-keys=${size}${markers}`);
        return { shown: entriesOf(root), next: nextOf(root, VERSION_MARKERS) };
      },
      (page) => deleteAll(page.map((entry) => `/${bucket}/${entry}`)),
    );
    expect(shown).toEqual(before);
    expect(await versionsOf(bucket)).toEqual([]);
    await deleteAll([`/${bucket}`]);
  });

  it.each([1, 2, 3])("shows every version with %i per page to a client that sends `null` itself", async (size) => {
    const bucket = await bucketOfVersions();
    const before = (await versionsOf(bucket)).map(({ key, versionId }) => `${key}?versionId=${versionId}`);
    const shown = await listChanging(
      async (markers) => {
        const root = await get(`/${bucket}?versions&max-keys=${size}${markers}`);
        const page = entriesOf(root);
        const [key = "", id = ""] = page.at(-1)?.split("?versionId=") ?? [];
        const isLast = textOf(root, "IsTruncated") === "false";
        return { shown: page, next: isLast ? undefined : `&key-marker=${key}&version-id-marker=${id}` };
      },
      (page) => deleteAll(page.map((entry) => `/${bucket}/${entry}`)),
    );
    expect(shown).toEqual(before);
    expect(await versionsOf(bucket)).toEqual([]);
  });

  it("continues at the end of a page although the page's null version was overwritten since", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "null" });
    await setVersioning(bucket, "Enabled");
    const oldest = await putVersion(bucket, "k", "1");
    await setVersioning(bucket, "Suspended");
    await putVersion(bucket, "k", "null");
    await setVersioning(bucket, "Enabled");
    await putVersion(bucket, "k", "2");
    const first = await get(`/${bucket}?versions&max-keys=2`);
    expect(entriesOf(first).at(-1)).toBe("k?versionId=null");
    await setVersioning(bucket, "Suspended");
    await putVersion(bucket, "k", "null again");
    const second = await get(`/${bucket}?versions&max-keys=2${nextOf(first, VERSION_MARKERS) ?? ""}`);
    expect(entriesOf(second)).toEqual([`k?versionId=${oldest}`]);
    // The markers of a null version contain no version id.
    const marker = textOf(first, "NextVersionIdMarker") ?? "";
    expect(await bodyOf(bucket, "k", marker)).toBe("400 InvalidArgument");
  });
});

describe.each(CHANGES)("a listing whose pages are %s", (change: Change) => {
  const KEYS = ["a/1", "a/2", "b", "c/1", "c/2", "d", "e", "f/g"];
  let bucket = "";

  beforeEach(async () => {
    bucket = await freshBucket();
    await putAll(bucket, Object.fromEntries(KEYS.map((key) => [key, "x"])));
  });

  const changeKeys = async (keys: readonly string[]): Promise<void> => {
    if (change === "deleted") await deleteAll(keys.map((key) => `/${bucket}/${encodeURIComponent(key)}`));
    else await putAll(bucket, Object.fromEntries(keys.map((key) => [key, "rewritten"])));
  };
  /** The keys of entries; those that end in a slash are common prefixes. */
  const keysOf = (entries: readonly string[]): string[] =>
    KEYS.filter((key) => entries.some((entry) => (entry.endsWith("/") ? key.startsWith(entry) : key === entry)));

  const shownBy = (root: Element): string[] => [
    ...textsOf(root, "Contents", "Key"),
    ...textsOf(root, "CommonPrefixes", "Prefix"),
  ];

  it.each([
    ["?list-type=2", { "continuation-token": "NextContinuationToken" }],
    ["?list-type=2&delimiter=/", { "continuation-token": "NextContinuationToken" }],
    ["?delimiter=/", { marker: "NextMarker" }],
  ])("shows every object that existed throughout: %s", async (query, markers) => {
    for (const size of [1, 2, 3]) {
      await changeKeys([]);
      await putAll(bucket, Object.fromEntries(KEYS.map((key) => [key, "x"])));
      const shown = await listChanging(
        async (marker) => {
          const root = await get(`/${bucket}${query}&max-keys=${size}${marker}`);
          return { shown: shownBy(root), next: nextOf(root, markers) };
        },
        (page) => changeKeys(keysOf(page)),
      );
      expect(keysOf(shown), `${size} to a page`).toEqual(KEYS);
      expect(new Set(shown).size).toBe(shown.length);
    }
  });

  it("shows every object to a client that sends the last key as the next marker", async () => {
    const shown = await listChanging(
      async (marker) => {
        const root = await get(`/${bucket}?max-keys=2${marker}`);
        const page = shownBy(root);
        const isLast = textOf(root, "IsTruncated") === "false";
        return { shown: page, next: isLast ? undefined : `&marker=${encodeURIComponent(page.at(-1) ?? "")}` };
      },
      (page) => changeKeys(page),
    );
    expect(shown).toEqual(KEYS);
  });

  it("shows every upload, including several of one key", async () => {
    const keys = ["a", "a", "a", "b/1", "b/1", "c", "c"];
    const uploads: string[] = [];
    for (const key of keys) uploads.push(`${key} ${await createUpload(bucket, key)}`);
    const shown = await listChanging(
      async (markers) => {
        const root = await get(`/${bucket}?uploads&max-uploads=2${markers}`);
        const page = childrenOf(root, "Upload").map(
          (one) => `${textOf(one, "Key") ?? ""} ${textOf(one, "UploadId") ?? ""}`,
        );
        return {
          shown: page,
          next: nextOf(root, { "key-marker": "NextKeyMarker", "upload-id-marker": "NextUploadIdMarker" }),
        };
      },
      async (page) => {
        for (const entry of page) {
          const [key = "", uploadId = ""] = entry.split(" ");
          // An upload that began during the listing may be shown or not.
          if (!uploads.includes(entry)) continue;
          await deleteAll([`/${bucket}/${encodeURIComponent(key)}?uploadId=${uploadId}`]);
          if (change === "rewritten") await createUpload(bucket, key);
        }
      },
    );
    expect(shown.filter((entry) => uploads.includes(entry))).toEqual(uploads);
  });

  it("shows every part of an upload, although parts are rewritten meanwhile", async () => {
    const uploadId = await createUpload(bucket, "k");
    for (const partNumber of [1, 3, 4, 7, 10_000]) await putPart(bucket, "k", uploadId, partNumber, "x");
    const shown = await listChanging(
      async (markers) => {
        const root = await get(`/${bucket}/k?uploadId=${uploadId}&max-parts=2${markers}`);
        return {
          shown: textsOf(root, "Part", "PartNumber"),
          next: nextOf(root, { "part-number-marker": "NextPartNumberMarker" }),
        };
      },
      async (page) => {
        for (const partNumber of page) await putPart(bucket, "k", uploadId, Number(partNumber), "rewritten");
      },
    );
    expect(shown).toEqual(["1", "3", "4", "7", "10000"]);
  });

  it("shows every object of a snapshot while the bucket's objects change", async () => {
    bucket = await versionedBucket();
    await putAll(bucket, Object.fromEntries(KEYS.map((key) => [key, "x"])));
    const address = await takeSnapshot(bucket, "s");
    for (const query of ["", "&delimiter=/"]) {
      const shown = await listChanging(
        async (markers) => {
          const root = await get(`/${address}?list-type=2&max-keys=2${query}${markers}`);
          return { shown: shownBy(root), next: nextOf(root, { "continuation-token": "NextContinuationToken" }) };
        },
        (page) => changeKeys(keysOf(page)),
      );
      expect(keysOf(shown), query).toEqual(KEYS);
    }
  });

  it("shows every bucket", async () => {
    const prefix = freshBucketName().slice(0, 20);
    const buckets = ["a", "b", "c", "d", "e"].map((end) => `${prefix}-${end}`);
    for (const name of buckets) expect((await send("PUT", `/${name}`)).status).toBe(200);
    const shown = await listChanging(
      async (markers) => {
        const root = await get(`/?prefix=${prefix}&max-buckets=2${markers}`);
        const page = childrenOf(root, "Buckets").flatMap((list) => textsOf(list, "Bucket", "Name"));
        const token = textOf(root, "ContinuationToken");
        return { shown: page, next: token === undefined ? undefined : `&continuation-token=${token}` };
      },
      async (page) => {
        for (const name of page) {
          await deleteAll([`/${name}`]);
          if (change === "rewritten") expect((await send("PUT", `/${name}`)).status).toBe(200);
        }
      },
    );
    expect(shown).toEqual(buckets);
  });

  describe("of IAM", () => {
    /** Lists page by page, and changes the entries of each page before it requests the next one. */
    const listMembers = (
      action: string,
      parameters: Readonly<Record<string, string>>,
      list: string,
      name: string,
      changeMember: (name: string) => Promise<void>,
    ): Promise<string[]> =>
      listChanging(
        async (marker) => {
          const page = marker === "" ? {} : { Marker: marker };
          const root = await succeed("iam", action, { ...parameters, MaxItems: "2", ...page });
          const shown = membersOf(root, list).map((member) => (name === "" ? member.text : textOf(member, name)) ?? "");
          return { shown, next: textOf(root, "Marker") };
        },
        async (page) => {
          for (const member of page) await changeMember(member);
        },
      );

    it("shows every user in the order of names", async () => {
      const base = freshUserName();
      const names = ["a", "B", "c", "D", "e"].map((end) => `${base}${end}`);
      // The paths have the opposite order.
      for (const [index, UserName] of names.entries()) {
        await succeed("iam", "CreateUser", { UserName, Path: `/${base}/${9 - index}/` });
      }
      const shown = await listMembers(
        "ListUsers",
        { PathPrefix: `/${base}/` },
        "Users",
        "UserName",
        async (UserName) => {
          if (change === "deleted") await succeed("iam", "DeleteUser", { UserName });
          else await succeed("iam", "UpdateUser", { UserName, NewPath: `/${base}/z/` });
        },
      );
      expect(shown).toEqual(names);
    });

    it("shows every policy of a user", async () => {
      const { name: UserName } = await freshUser();
      const names = ["a", "b", "c", "d", "e"];
      for (const name of names) await putPolicy(UserName, allow("s3:GetObject"), name);
      const shown = await listMembers("ListUserPolicies", { UserName }, "PolicyNames", "", async (PolicyName) => {
        if (change === "deleted") await succeed("iam", "DeleteUserPolicy", { UserName, PolicyName });
        else await putPolicy(UserName, allow("s3:PutObject"), PolicyName);
      });
      expect(shown).toEqual(names);
    });

    it("shows every tag of a user", async () => {
      const UserName = freshUserName();
      await succeed("iam", "CreateUser", { UserName });
      const tag = (Key: string, Value: string) =>
        succeed("iam", "TagUser", { UserName, "Tags.member.1.Key": Key, "Tags.member.1.Value": Value });
      const keys = ["a", "B", "c", "D", "e"];
      for (const key of keys.toReversed()) await tag(key, "1");
      const shown = await listMembers("ListUserTags", { UserName }, "Tags", "Key", async (key) => {
        if (change === "deleted") await succeed("iam", "UntagUser", { UserName, "TagKeys.member.1": key });
        else await tag(key, "2");
      });
      expect(shown).toEqual(keys);
    });

    it("shows every access key of a user", async () => {
      const { name: UserName, credentials } = await freshUser();
      const other = await succeed("iam", "CreateAccessKey", { UserName });
      const otherId = childrenOf(other, "AccessKey").map((key) => textOf(key, "AccessKeyId") ?? "");
      const seen = new Set<string>();
      for (let marker: string | undefined = ""; marker !== undefined;) {
        const page = marker === "" ? {} : { Marker: marker };
        const root = await succeed("iam", "ListAccessKeys", { UserName, MaxItems: "1", ...page });
        for (const member of membersOf(root, "AccessKeyMetadata")) {
          const AccessKeyId = textOf(member, "AccessKeyId") ?? "";
          seen.add(AccessKeyId);
          if (change === "deleted") await succeed("iam", "DeleteAccessKey", { UserName, AccessKeyId });
          else await succeed("iam", "UpdateAccessKey", { UserName, AccessKeyId, Status: "Inactive" });
        }
        marker = textOf(root, "Marker");
      }
      expect(Array.from(seen).toSorted()).toEqual([credentials.accessKeyId, ...otherId].toSorted());
    });
  });
});

describe("a version-id marker that a client composed", () => {
  it("lists a key from its newest version when its null version is missing", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "null" });
    await setVersioning(bucket, "Enabled");
    const newer = await putVersion(bucket, "k", "1");
    await setVersioning(bucket, "Suspended");
    await putVersion(bucket, "k", "null on top");
    const first = await get(`/${bucket}?versions&max-keys=1`);
    expect(textsOf(first, "Version", "VersionId")).toEqual(["null"]);
    await removeVersion(bucket, "k", "null");
    const second = await get(`/${bucket}?versions&key-marker=k&version-id-marker=null`);
    expect(textsOf(second, "Version", "VersionId")).toEqual([newer]);
  });
});
