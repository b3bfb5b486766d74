// Rates of users, of access keys, and of client addresses without credentials.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { anonymous, deliver, send, signed, type RequestScope } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { publicSite, visit } from "../support/delivery.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { publicReadPolicy, putPolicy } from "../support/policies.ts";
import { call, credentialsOf, freshKey, refuse, succeed } from "../support/query-api.ts";
import { answered, setSecond, statusOf } from "../support/rates.ts";
import { DATABASE_COUNT } from "../support/placement.ts";
import { setQuota, tagUser } from "../support/quotas.ts";
import { freshUser } from "../support/users.ts";

const EVERYTHING = { Effect: "Allow", Action: ["s3:*", "sts:*", "iam:GetUser"], Resource: "*" };
const OK = [200, null];

beforeEach(() => {
  setSecond(0);
});

afterEach(() => {
  vi.useRealTimers();
});

describe("a user's rate of requests", () => {
  it("holds for all keys and sessions of the user together, on every bucket and in IAM, and for no other user", async () => {
    const bucket = await freshBucket();
    const { name, credentials } = await freshUser(EVERYTHING);
    const other = await freshUser(EVERYTHING);
    const second = await freshKey(name);
    const session = credentialsOf(await succeed("sts", "GetSessionToken", {}, { credentials }));
    await tagUser(name, { "Cairn:Requests-Per-Second": "4" });
    const head = async (as: typeof second) => statusOf("HEAD", `/${bucket}`, { credentials: as });
    expect(await head(credentials)).toEqual(OK);
    expect(await head(second)).toEqual(OK);
    expect(await head(session)).toEqual(OK);
    expect((await call("iam", "GetUser", {}, { credentials })).status).toBe(200);
    for (const as of [credentials, second, session]) expect(await head(as)).toEqual([503, "1"]);
    expect(await statusOf("GET", "/", { credentials })).toEqual([503, "1"]);
    await refuse("iam", "GetUser", {}, [503, "ServiceUnavailable"], { credentials });
    expect(await head(other.credentials)).toEqual(OK);
    expect(await statusOf("HEAD", `/${bucket}`)).toEqual(OK);
    setSecond(0.3);
    expect(await head(credentials)).toEqual(OK);
    await succeed("iam", "UntagUser", { UserName: name, "TagKeys.member.1": "cairn:requests-per-second" });
    for (let index = 0; index < 6; index += 1) expect(await head(credentials)).toEqual(OK);
  });

  it("counts requests that are denied, and costs no round trip and row more than without a rate", async () => {
    const bucket = await freshBucket();
    const { name, credentials } = await freshUser();
    const costs = async (): Promise<readonly [number, number, number]> => {
      const response = await send("GET", `/${bucket}/a`, { credentials });
      const { roundTrips, rowsWritten } = costOf(response);
      return [response.status, roundTrips, rowsWritten];
    };
    // An isolate asks once where a bucket is. Then the user and the bucket may be in two databases, read at once.
    await send("HEAD", `/${bucket}`);
    const unlimited = await costs();
    expect(unlimited).toEqual([403, Math.min(unlimited[1], DATABASE_COUNT, 2), 0]);
    await tagUser(name, { "cairn:requests-per-second": "2" });
    expect([await costs(), await costs()]).toEqual([unlimited, unlimited]);
    expect(await costs()).toEqual([503, unlimited[1], 0]);
  });

  it("is not used up by requests with a forged signature", async () => {
    const bucket = await freshBucket();
    const { name, credentials } = await freshUser(EVERYTHING);
    await tagUser(name, { "cairn:requests-per-second": "1", "cairn:key-requests-per-second": "1" });
    const forged = { ...credentials, secretAccessKey: "x".repeat(40) };
    for (let index = 0; index < 3; index += 1) {
      expect(await statusOf("HEAD", `/${bucket}`, { credentials: forged })).toEqual([403, null]);
      expect((await call("iam", "GetUser", {}, { credentials: forged })).status).toBe(403);
    }
    expect(await statusOf("HEAD", `/${bucket}`, { credentials })).toEqual(OK);
    expect(await statusOf("HEAD", `/${bucket}`, { credentials })).toEqual([503, "1"]);
    expect(await statusOf("HEAD", `/${bucket}`, { credentials: forged })).toEqual([403, null]);
  });

  it("is given back by a request that the bucket refuses", async () => {
    const bucket = await freshBucket();
    const { name, credentials } = await freshUser(EVERYTHING);
    await tagUser(name, { "cairn:requests-per-second": "2" });
    await setQuota(bucket, "<MaxRequestsPerSecond>1</MaxRequestsPerSecond>");
    expect(await statusOf("HEAD", `/${bucket}`, { credentials })).toEqual(OK);
    for (let index = 0; index < 3; index += 1) {
      expect(await statusOf("HEAD", `/${bucket}`, { credentials })).toEqual([503, "1"]);
    }
    expect(await statusOf("GET", "/", { credentials })).toEqual(OK);
  });
});

describe("a user's rates of bytes", () => {
  it("refuse uploads or reads until the debt is paid", async () => {
    const bucket = await freshBucket();
    const { name, credentials } = await freshUser(EVERYTHING);
    await tagUser(name, { "cairn:bytes-in-per-second": "10" });
    await tagUser(name, { "cairn:bytes-out-per-second": "20" });
    const put = async () => statusOf("PUT", `/${bucket}/a`, { credentials, body: "x".repeat(60) });
    const get = async () => statusOf("GET", `/${bucket}/a`, { credentials });
    expect([await put(), await put()]).toEqual([OK, [503, "6"]]);
    expect([await get(), await get()]).toEqual([OK, [503, "3"]]);
    setSecond(2.2);
    expect([await put(), await get()]).toEqual([[503, "3"], OK]);
  });

  it("tell a call of IAM or STS for how many seconds it is refused", async () => {
    const bucket = await freshBucket();
    const { name, credentials } = await freshUser(EVERYTHING);
    await tagUser(name, { "cairn:bytes-in-per-second": "10" });
    expect(await statusOf("PUT", `/${bucket}/a`, { credentials, body: "x".repeat(60) })).toEqual(OK);
    for (const service of ["iam", "sts"] as const) {
      const action = service === "iam" ? "GetUser" : "GetCallerIdentity";
      expect(await answered(await call(service, action, {}, { credentials }))).toEqual([503, "6"]);
    }
    setSecond(2.2);
    expect(await answered(await call("iam", "GetUser", {}, { credentials }))).toEqual([503, "3"]);
  });

  it("count an upload before its body is read, so that concurrent ones cannot pass together", async () => {
    const bucket = await freshBucket();
    const { name, credentials } = await freshUser(EVERYTHING);
    await tagUser(name, { "cairn:bytes-in-per-second": "10" });
    const statuses = await Promise.all(
      Array.from({ length: 5 }, async (_, index) =>
        statusOf("PUT", `/${bucket}/${index}`, { credentials, body: "x".repeat(50) }),
      ),
    );
    expect(statuses.filter(([status]) => status === 200).length).toBeLessThan(5);
    expect((await statusOf("PUT", `/${bucket}/a`, { credentials, body: "x" }))[0]).toBe(503);
  });
});

describe("an access key's rate", () => {
  it("holds for each key of the user, also for a new one after a rotation", async () => {
    const bucket = await freshBucket();
    const { name, credentials } = await freshUser(EVERYTHING);
    await tagUser(name, { "cairn:key-requests-per-second": "1" });
    const head = async (as: typeof credentials) => statusOf("HEAD", `/${bucket}`, { credentials: as });
    expect([await head(credentials), await head(credentials)]).toEqual([OK, [503, "1"]]);
    const rotated = await freshKey(name);
    expect([await head(rotated), await head(rotated), await head(credentials)]).toEqual([OK, [503, "1"], [503, "1"]]);
  });
});

describe("the tags of a user that begin with cairn:", () => {
  it.each([
    ["cairn:requests-per-second", "0"],
    ["cairn:requests-per-second", "-1"],
    ["cairn:requests-per-second", "1.5"],
    ["cairn:requests-per-second", "NaN"],
    ["cairn:requests-per-second", ""],
    ["cairn:requests-per-second", "99999999999999999999"],
    ["CAIRN:key-bytes-in-per-second", "1e3"],
    ["cairn:request-per-second", "5"],
    ["cairn:", "5"],
  ])("are refused where they are no limit: %s=%s", async (Key, Value) => {
    const { name } = await freshUser();
    const tags = { "Tags.member.1.Key": Key, "Tags.member.1.Value": Value };
    await refuse("iam", "TagUser", { UserName: name, ...tags }, [400, "InvalidInput"]);
    await refuse("iam", "CreateUser", { UserName: `${name}-2`, ...tags }, [400, "InvalidInput"]);
  });
});

describe("the rate of requests without credentials from a client address", () => {
  const LIMITED = { ANONYMOUS_REQUESTS_PER_SECOND: "2" } as const;
  let next = 0;
  const freshAddress = (): string => `198.51.${100 + (next % 100)}.${(next += 1)}`;
  const from = (request: Request, address: string): Request => {
    const headers = new Headers(request.headers);
    headers.set("cf-connecting-ip", address);
    return new Request(request, { headers, cf: {} });
  };
  const publicBucket = async (): Promise<string> => {
    const bucket = await freshBucket();
    await putAll(bucket, { a: "text" });
    await putPolicy(bucket, publicReadPolicy(bucket));
    return bucket;
  };
  const visitS3 = async (bucket: string, address: string, scope: RequestScope = LIMITED) =>
    deliver(from(anonymous("GET", `/${bucket}/a`), address), scope);

  it("is apart for each address, and refuses before any lookup", async () => {
    const bucket = await publicBucket();
    const address = freshAddress();
    expect(await answered(await visitS3(bucket, address))).toEqual(OK);
    expect(await answered(await visitS3(bucket, address))).toEqual(OK);
    const refused = await visitS3(bucket, address);
    expect(costOf(refused)).toMatchObject({ roundTrips: 0, blobCalls: 0 });
    expect(await answered(refused)).toEqual([503, "1"]);
    expect(await answered(await visitS3(bucket, freshAddress()))).toEqual(OK);
    const asRoot = await deliver(from(await signed("GET", `/${bucket}/a`), address), LIMITED);
    expect(await answered(asRoot)).toEqual(OK);
  });

  it("counts preflights and requests for buckets that do not exist", async () => {
    const address = freshAddress();
    const headers = { origin: "https://a.example", "access-control-request-method": "GET" };
    const preflight = async () =>
      (await deliver(from(anonymous("OPTIONS", "/no-such-bucket/a", { headers }), address), LIMITED)).status;
    expect([await preflight(), (await visitS3("no-such-bucket", address)).status, await preflight()]).toEqual([
      404, 404, 503,
    ]);
  });

  it("holds on delivery hosts, whose page says when to come again", async () => {
    const site = await publicSite({ a: "text" });
    const scope = { ...site.scope, ...LIMITED, EDGE: "none" } as const;
    const responses = [await visit(site, "/a", { scope }), await visit(site, "/a", { scope })];
    expect(responses.map(({ status }) => status)).toEqual([200, 200]);
    const refused = await visit(site, "/a", { scope });
    expect(await refused.clone().text()).toContain("SlowDown");
    expect(await answered(refused)).toEqual([503, "1"]);
  });

  it("limits the bytes that are sent", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { a: "x".repeat(3000) });
    await putPolicy(bucket, publicReadPolicy(bucket));
    const address = freshAddress();
    const scope = { ANONYMOUS_KILOBYTES_PER_SECOND: "1" } as const;
    expect(await answered(await visitS3(bucket, address, scope))).toEqual(OK);
    expect(await answered(await visitS3(bucket, address, scope))).toEqual([503, "3"]);
  });

  it("asks the platform's limiter where it is bound, only for requests without credentials", async () => {
    const bucket = await publicBucket();
    const keys: string[] = [];
    const ANONYMOUS_RATE_LIMIT = {
      limit: async ({ key }: { readonly key: string }) => {
        keys.push(key);
        return Promise.resolve({ success: keys.length < 2 });
      },
    };
    const scope = { ANONYMOUS_RATE_LIMIT };
    expect(await answered(await visitS3(bucket, "203.0.113.9", scope))).toEqual(OK);
    expect(await answered(await visitS3(bucket, "203.0.113.9", scope))).toEqual([503, "10"]);
    expect(await statusOf("GET", `/${bucket}/a`, {}, scope)).toEqual(OK);
    expect(new Set(keys).size).toBe(1);
    const broken = { ANONYMOUS_RATE_LIMIT: { limit: async () => Promise.reject(new Error("out of order")) } };
    expect(await answered(await visitS3(bucket, "203.0.113.9", broken))).toEqual(OK);
  });
});

describe("the log line of a request that a rate refused", () => {
  const LOGGING = { LOG_REQUESTS: "true", LOG_SAMPLE_PERCENT: "0" } as const;
  const spies = [vi.spyOn(console, "warn"), vi.spyOn(console, "error")] as const;
  beforeEach(() => {
    for (const spy of spies) spy.mockReset().mockImplementation(() => undefined);
  });
  afterEach(() => {
    for (const spy of spies) spy.mockReset();
  });
  const expectWarning = (error: string): void => {
    const [warn, failure] = spies;
    const logged = warn.mock.calls.map(([line]) => JSON.parse(String(line)) as unknown);
    expect(logged).toMatchObject([{ level: "warn", status: 503, error }]);
    expect(failure).not.toHaveBeenCalled();
    warn.mockClear();
  };

  it("has the level warn in S3, IAM and on delivery hosts", async () => {
    const bucket = await freshBucket();
    const { name, credentials } = await freshUser(EVERYTHING);
    await tagUser(name, { "cairn:requests-per-second": "1" });
    expect(await statusOf("HEAD", `/${bucket}`, { credentials }, LOGGING)).toEqual(OK);
    expect(await statusOf("HEAD", `/${bucket}`, { credentials }, LOGGING)).toEqual([503, "1"]);
    expectWarning("SlowDown");
    await call("iam", "GetUser", {}, { credentials, scope: LOGGING });
    expectWarning("ServiceUnavailable");
    const site = await publicSite({ a: "text" });
    await setQuota(site.bucket, "<Anonymous><MaxRequestsPerSecond>1</MaxRequestsPerSecond></Anonymous>");
    const scope = { ...site.scope, ...LOGGING } as const;
    expect((await visit(site, "/a", { scope })).status).toBe(200);
    expect((await visit(site, "/a", { scope })).status).toBe(503);
    expectWarning("SlowDown");
  });
});

describe("a bucket's rates on delivery hosts", () => {
  it("are those of requests without credentials", async () => {
    const site = await publicSite({ a: "text" });
    await setQuota(site.bucket, "<Anonymous><MaxRequestsPerSecond>1</MaxRequestsPerSecond></Anonymous>");
    expect((await visit(site, "/a")).status).toBe(200);
    expect(await answered(await visit(site, "/a"))).toEqual([503, "1"]);
    expect(await statusOf("GET", `/${site.bucket}/a`)).toEqual(OK);
    setSecond(1);
    expect((await visit(site, "/a")).status).toBe(200);
  });
});
