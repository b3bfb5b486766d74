import { DATABASE_COUNT } from "../support/placement.ts";
import { describe, expect, it } from "vitest";

import { anonymous, deliver, send, type RequestScope } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { expectAnswerHeaders, expectS3Error } from "../support/expect-s3-error.ts";
import { childrenOf, namesOf, plain, readXml, textOf, type Element } from "../support/read-xml.ts";

const NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/";

/** A separate account, so that the buckets of other tests are not listed. */
function freshAccount(): RequestScope & { readonly ACCOUNT_ID: string } {
  const digits = crypto.getRandomValues(new Uint32Array(2)).join("");
  return { ACCOUNT_ID: digits.slice(0, 12).padEnd(12, "7") };
}

async function create(account: RequestScope, names: readonly string[], region = "us-east-1"): Promise<void> {
  const body = `<CreateBucketConfiguration><LocationConstraint>${region}</LocationConstraint></CreateBucketConfiguration>`;
  for (const name of names) expect((await send("PUT", `/${name}`, { body }, account)).status).toBe(200);
}

async function list(
  account: RequestScope,
  query = "",
): Promise<{ root: Element; names: string[]; token: string | undefined }> {
  const response = await send("GET", `/${query}`, {}, account);
  expect(response.status).toBe(200);
  const root = readXml(await response.text());
  const buckets = childrenOf(root, "Buckets")[0]?.children ?? [];
  return {
    root,
    names: buckets.map((bucket) => textOf(bucket, "Name") ?? ""),
    token: textOf(root, "ContinuationToken"),
  };
}

function nameWith(ending: string): string {
  return `${crypto.randomUUID().slice(0, 8)}-${ending}`;
}

const NO_WRITES = { rowsWritten: 0, coordinatorCalls: 0, blobCalls: 0 };

describe("ListBuckets", () => {
  it("lists the caller's buckets in name order, with date, region and ARN", async () => {
    const account = freshAccount();
    const [first, second] = [`a-${nameWith("x")}`, `b-${nameWith("x")}`];
    const begin = Date.now();
    await create(account, [second], "eu-west-1");
    await create(account, [first]);
    const response = await send("GET", "/", {}, account);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("application/xml");
    expectAnswerHeaders(response);
    expect(costOf(response)).toMatchObject({ ...NO_WRITES, roundTrips: DATABASE_COUNT });

    const root = readXml(await response.text());
    expect(root.name).toBe("ListAllMyBucketsResult");
    expect(root.attributes).toEqual({ xmlns: NAMESPACE });
    expect(namesOf(root)).toEqual(["Owner", "Buckets"]);
    const [owner, buckets] = root.children;
    expect(owner === undefined ? undefined : plain(owner)).toEqual({
      ID: account.ACCOUNT_ID,
      DisplayName: account.ACCOUNT_ID,
    });
    expect(buckets?.children.map(plain)).toEqual(
      [
        [first, "us-east-1"],
        [second, "eu-west-1"],
      ].map(([name, region]) => ({
        Name: name,
        CreationDate: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        BucketRegion: region,
        BucketArn: `arn:aws:s3:::${name}`,
      })),
    );
    for (const bucket of buckets?.children ?? []) {
      expect(namesOf(bucket)).toEqual(["Name", "CreationDate", "BucketRegion", "BucketArn"]);
      const created = Date.parse(textOf(bucket, "CreationDate") ?? "");
      expect(created).toBeGreaterThanOrEqual(begin);
      expect(created).toBeLessThanOrEqual(Date.now());
    }
  });

  it("lists an account without buckets as an empty element", async () => {
    const { root, names } = await list(freshAccount());
    expect(namesOf(root)).toEqual(["Owner", "Buckets"]);
    expect(names).toEqual([]);
  });

  it("does not list the buckets of others", async () => {
    const [mine, other] = [freshAccount(), freshAccount()];
    const name = nameWith("mine");
    await create(mine, [name]);
    await create(other, [nameWith("theirs")]);
    expect((await list(mine)).names).toEqual([name]);
  });

  it("does not list a deleted bucket", async () => {
    const account = freshAccount();
    const name = nameWith("gone");
    await create(account, [name]);
    await send("DELETE", `/${name}`, {}, account);
    expect((await list(account)).names).toEqual([]);
  });

  it("ignores unknown parameters", async () => {
    const account = freshAccount();
    expect((await list(account, "?x-id=ListBuckets&unknown=1")).names).toEqual([]);
  });

  it("lists those with a prefix and returns the prefix", async () => {
    const account = freshAccount();
    const base = nameWith("p");
    const names = ["", "-a", "-b", "a", "q"].map((ending) => `${base}${ending}`);
    await create(account, names);
    const { root, names: shown } = await list(account, `?prefix=${base}-`);
    expect(shown).toEqual([`${base}-a`, `${base}-b`]);
    expect(textOf(root, "Prefix")).toBe(`${base}-`);
    // LIKE would treat these as wildcards.
    for (const prefix of ["%25", "_", base.toUpperCase(), "' OR 1=1 --"]) {
      expect((await list(account, `?prefix=${encodeURIComponent(prefix)}`)).names).toEqual([]);
    }
  });

  it("lists those of a region", async () => {
    const account = freshAccount();
    const [here, there] = [nameWith("here"), nameWith("there")];
    await create(account, [here], "eu-west-1");
    await create(account, [there], "us-west-2");
    expect((await list(account, "?bucket-region=eu-west-1")).names).toEqual([here]);
    expect((await list(account, "?bucket-region=eu-west-2")).names).toEqual([]);
  });

  it("rejects an invalid region", async () => {
    for (const region of ["", "Not A Region", "x".repeat(65)]) {
      await expectS3Error(await send("GET", `/?bucket-region=${encodeURIComponent(region)}`), {
        status: 400,
        code: "InvalidArgument",
        message: `Argument value ${region} is not a valid AWS Region`,
        fields: { ArgumentName: "bucket-region", ArgumentValue: region },
      });
    }
  });

  it("returns every bucket once over pages of any size, and no token on the last", async () => {
    const account = freshAccount();
    const base = nameWith("page");
    const names = ["a", "b", "c", "d", "e"].map((ending) => `${base}-${ending}`);
    await create(account, names);
    for (const size of [1, 2, 3, 5, 10_000]) {
      const pages: string[][] = [];
      for (let token: string | undefined; ;) {
        const query = token === undefined ? "" : `&continuation-token=${token}`;
        const page = await list(account, `?prefix=${base}&max-buckets=${size}${query}`);
        expect(textOf(page.root, "Prefix")).toBe(base);
        expect(namesOf(page.root)).toEqual(
          page.token === undefined
            ? ["Owner", "Buckets", "Prefix"]
            : ["Owner", "Buckets", "ContinuationToken", "Prefix"],
        );
        pages.push(page.names);
        token = page.token;
        if (token === undefined) break;
      }
      expect(pages.flat()).toEqual(names);
      expect(pages).toHaveLength(Math.ceil(names.length / size));
    }
  });

  it("rejects a page size outside 1 to 10000", async () => {
    for (const size of ["0", "10001", "-1", "1.5", "x", "", "99999999999999999999"]) {
      await expectS3Error(await send("GET", `/?max-buckets=${size}`), {
        status: 400,
        code: "InvalidArgument",
        fields: { ArgumentName: "max-buckets", ArgumentValue: size },
      });
    }
  });

  it("rejects a token that is garbled or of another listing", async () => {
    const account = freshAccount();
    const base = nameWith("tok");
    await create(account, [`${base}-a`, `${base}-b`]);
    const { token = "" } = await list(account, `?prefix=${base}&max-buckets=1`);
    expect(token).not.toBe("");
    for (const [query, value] of [
      [`prefix=${base}`, `${token}A`],
      [`prefix=${base}`, token.slice(1)],
      [`prefix=${base}`, ""],
      [`prefix=${base}`, "!!"],
      [`prefix=${base}-`, token],
      ["", token],
    ] as const) {
      await expectS3Error(await send("GET", `/?${query}&continuation-token=${value}`, {}, account), {
        status: 400,
        code: "InvalidArgument",
        message: "The continuation token provided is incorrect",
        fields: { ArgumentName: "continuation-token", ArgumentValue: value },
      });
    }
  });

  it("rejects anonymous requests", async () => {
    await expectS3Error(await deliver(anonymous("GET", "/")), { status: 403, code: "AccessDenied" });
  });
});
