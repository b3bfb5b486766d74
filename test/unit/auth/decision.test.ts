import { describe, expect, it } from "vitest";

import { decide } from "../../../src/auth/access/decision.ts";
import type { BucketSubject, AuthorizationRequest } from "../../../src/auth/access/authorization-request.ts";
import { parsePolicy } from "../../../src/auth/policy/parse.ts";
import { ANONYMOUS, rootPrincipal, type Principal, type Session } from "../../../src/auth/identity/principal.ts";

const ACCOUNT = "000000000000";
const ROOT = rootPrincipal(ACCOUNT, "AKIAROOT");
const ALICE_ARN = `arn:aws:iam::${ACCOUNT}:user/alice`;
const KEY = "arn:aws:s3:::bucket/key";

interface Grants {
  readonly identity?: readonly object[];
  readonly session?: Omit<Session, "policy"> & { readonly statements?: readonly object[] };
  readonly arn?: string;
}

function text(statements: readonly object[]): string {
  return JSON.stringify({ Version: "2012-10-17", Statement: statements });
}

function alice({ identity = [], session, arn = ALICE_ARN }: Grants = {}): Principal {
  const statements = session?.statements;
  const policy = statements === undefined ? undefined : parsePolicy(text(statements), { of: "session" });
  return {
    ...ANONYMOUS,
    kind: "user",
    accountId: ACCOUNT,
    arn,
    ownerArn: ALICE_ARN,
    userId: "AIDAALICE",
    creatorId: "AIDAALICE",
    userName: "alice",
    accessKeyId: "AKIAALICE",
    policies: identity.length === 0 ? [] : [{ name: "own", policy: parsePolicy(text(identity), { of: "identity" }) }],
    session:
      session === undefined
        ? undefined
        : { kind: session.kind, name: session.name, issuedAt: session.issuedAt, policy },
  };
}

function bucketWith(configurations: Partial<BucketSubject["configurations"]> = {}, creatorId: string | null = null) {
  const unset = { tags: null, policy: null, acl: null, ownership: null, public_access_block: null };
  return {
    name: "bucket",
    ownerId: ACCOUNT,
    region: "us-east-1",
    creatorId,
    configurations: { ...unset, ...configurations },
  } satisfies BucketSubject;
}

function policed(...statements: readonly object[]): BucketSubject {
  return bucketWith({ policy: text(statements) });
}

/** Requests GetObject on bucket/key by default. */
function ask(principal: Principal, bucket: BucketSubject, authorization: Partial<AuthorizationRequest> = {}) {
  const { actions = ["s3:GetObject"], ...rest } = authorization;
  return decide(principal, { actions, bucket, bucketName: bucket.name, key: "key", ...rest }, () => undefined);
}

const read = (effect: "Allow" | "Deny", more: object = {}): object => ({
  Effect: effect,
  Action: "s3:GetObject",
  Resource: KEY,
  ...more,
});
const allCallers = { Principal: "*" };
const toAlice = { Principal: { AWS: ALICE_ARN } };
const PLAIN_SESSION = { kind: "session", name: "s", issuedAt: 0 } as const;
const FEDERATED = { kind: "federated", name: "f", issuedAt: 0 } as const;
const FEDERATED_ARN = `arn:aws:sts::${ACCOUNT}:federated-user/f`;

describe("decide", () => {
  it("allows root everything, and anonymous callers and users without a policy nothing", () => {
    expect(ask(ROOT, bucketWith()).isAllowed).toBe(true);
    expect(ask(ANONYMOUS, bucketWith()).reason).toBe("because no resource-based policy allows the s3:GetObject action");
    expect(ask(alice(), bucketWith()).reason).toBe("because no identity-based policy allows the s3:GetObject action");
  });

  it("accepts an allow of the user's or the bucket's policy", () => {
    expect(ask(alice({ identity: [read("Allow")] }), bucketWith()).isAllowed).toBe(true);
    expect(ask(alice(), policed(read("Allow", toAlice))).isAllowed).toBe(true);
    expect(ask(alice(), policed(read("Allow", { Principal: { AWS: ACCOUNT } }))).isAllowed).toBe(true);
    expect(ask(ANONYMOUS, policed(read("Allow", allCallers))).isAllowed).toBe(true);
    expect(ask(ANONYMOUS, policed(read("Allow", toAlice))).isAllowed).toBe(false);
  });

  it("applies an explicit Deny of either policy before every Allow, and names its statement", () => {
    const both = alice({ identity: [read("Allow"), read("Deny", { Sid: "Not" })] });
    expect(ask(both, policed(read("Allow", allCallers)))).toEqual({
      isAllowed: false,
      reason: "with an explicit deny in an identity-based policy (own) (statement Not)",
    });
    const denying = policed(read("Deny", { ...allCallers, Sid: "Never" }));
    expect(ask(alice({ identity: [read("Allow")] }), denying).reason).toBe(
      "with an explicit deny in a resource-based policy (statement Never)",
    );
    expect(ask(ROOT, denying).isAllowed).toBe(false);
    const narrowed = alice({
      identity: [read("Allow")],
      session: { ...PLAIN_SESSION, statements: [read("Allow"), read("Deny")] },
    });
    expect(ask(narrowed, bucketWith()).reason).toBe("with an explicit deny in a session policy");
  });

  it("never locks root out of a bucket's policy, but out of everything else", () => {
    const bucket = policed({
      Effect: "Deny",
      Principal: "*",
      Action: "s3:*",
      Resource: ["arn:aws:s3:::bucket", KEY],
    });
    for (const action of ["s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy"]) {
      expect(ask(ROOT, bucket, { actions: [action], key: undefined }).isAllowed, action).toBe(true);
    }
    expect(ask(ROOT, bucket, { actions: ["s3:GetBucketPolicyStatus"], key: undefined }).isAllowed).toBe(false);
    const put = { actions: ["s3:PutBucketPolicy"], key: undefined };
    const rootSession = (kind: Session["kind"]): Principal => {
      const policy = parsePolicy(text([{ Effect: "Allow", Action: "s3:*", Resource: "*" }]), { of: "session" });
      return { ...ROOT, session: { kind, name: "s", issuedAt: 0, policy } };
    };
    expect(ask(rootSession("session"), bucket, put).isAllowed).toBe(true);
    expect(ask(rootSession("session"), bucket).isAllowed).toBe(false);
    for (const kind of ["role", "federated"] as const) {
      expect(ask(rootSession(kind), bucket, put).isAllowed, kind).toBe(false);
      expect(ask(rootSession(kind), bucketWith(), put).isAllowed, kind).toBe(true);
    }
    const admin = alice({ identity: [{ Effect: "Allow", Action: "s3:*", Resource: "*" }] });
    expect(ask(admin, bucket, { actions: ["s3:PutBucketPolicy"], key: undefined }).isAllowed).toBe(false);
  });

  it("denies when one name of the action is denied, and allows when one is allowed", () => {
    const spellings = { actions: ["s3:DeleteBucketTagging", "s3:PutBucketTagging"], key: undefined };
    const say = (Effect: string, Action: string): object => ({ Effect, Action, Resource: "arn:aws:s3:::bucket" });
    for (const action of spellings.actions) {
      expect(ask(alice({ identity: [say("Allow", action)] }), bucketWith(), spellings).isAllowed).toBe(true);
      const denied = [say("Allow", "s3:*"), say("Deny", action)];
      expect(ask(alice({ identity: denied }), bucketWith(), spellings).isAllowed).toBe(false);
    }
  });

  it("denies when an additional action without a required Allow is explicitly denied", () => {
    const also = { actions: ["s3:DeleteObject"], explicitDenyActions: ["s3:GetObject"] };
    const mayDelete = { Effect: "Allow", Action: "s3:DeleteObject", Resource: KEY };
    expect(ask(alice({ identity: [mayDelete] }), bucketWith(), also).isAllowed).toBe(true);
    expect(ask(alice({ identity: [mayDelete, read("Deny")] }), bucketWith(), also).isAllowed).toBe(false);
    const allBut = { Effect: "Deny", NotAction: "s3:GetObject", Resource: KEY };
    expect(ask(alice({ identity: [mayDelete, allBut] }), bucketWith(), also).isAllowed).toBe(false);
  });
});

describe("a session", () => {
  it("has its user's rights within its own policy", () => {
    const identity = [read("Allow")];
    const elsewhere = { ...read("Allow"), Resource: "arn:aws:s3:::other/*" };
    expect(ask(alice({ identity, session: PLAIN_SESSION }), bucketWith()).isAllowed).toBe(true);
    expect(
      ask(alice({ identity, session: { ...PLAIN_SESSION, statements: [read("Allow")] } }), bucketWith()).isAllowed,
    ).toBe(true);
    const bound = alice({ identity, session: { ...PLAIN_SESSION, statements: [elsewhere] } });
    expect(ask(bound, bucketWith()).reason).toBe("because no session policy allows the s3:GetObject action");
    const wider = alice({ session: { ...PLAIN_SESSION, statements: [read("Allow")] } });
    expect(ask(wider, bucketWith()).isAllowed).toBe(false);
  });

  it("is limited by its policy also for root and for the bucket policy's grants to its user", () => {
    const elsewhere = { ...read("Allow"), Resource: "arn:aws:s3:::other/*" };
    const policy = parsePolicy(text([elsewhere]), { of: "session" });
    expect(ask({ ...ROOT, session: { ...PLAIN_SESSION, policy } }, bucketWith()).isAllowed).toBe(false);
    const bound = alice({ session: { ...PLAIN_SESSION, statements: [elsewhere] } });
    expect(ask(bound, policed(read("Allow", toAlice))).isAllowed).toBe(false);
  });

  it("that is federated without a policy has only the bucket policy's grants to its own name", () => {
    const session = alice({ identity: [read("Allow")], session: FEDERATED, arn: FEDERATED_ARN });
    expect(ask(session, bucketWith()).isAllowed).toBe(false);
    expect(ask(session, policed(read("Allow", toAlice))).isAllowed).toBe(false);
    expect(ask(session, policed(read("Allow", { Principal: { AWS: FEDERATED_ARN } }))).isAllowed).toBe(true);
  });
});

describe("the user who created a bucket", () => {
  const putPolicy = { actions: ["s3:PutBucketPolicy"], key: undefined };

  const maker = { Effect: "Allow", Action: "s3:CreateBucket", Resource: "arn:aws:s3:::bucket" };
  const may = (
    grants: Grants,
    bucket: BucketSubject = bucketWith({}, "AIDAALICE"),
    authorization = putPolicy,
  ): boolean => ask(alice(grants), bucket, authorization).isAllowed;

  it("may set its first policy, and no other", () => {
    const grants = { identity: [maker] };
    expect(may(grants)).toBe(true);
    expect(may(grants, bucketWith({}, "AIDABOB"))).toBe(false);
    expect(may(grants, bucketWith({}, null))).toBe(false);
    expect(may(grants, bucketWith({ policy: text([read("Allow", allCallers)]) }, "AIDAALICE"))).toBe(false);
    expect(may(grants, undefined, { ...putPolicy, actions: ["s3:ListBucket"] })).toBe(false);
  });

  it("may not once its own policies no longer allow creating the bucket", () => {
    expect(may({})).toBe(false);
    expect(may({ identity: [{ ...maker, Resource: "arn:aws:s3:::another" }] })).toBe(false);
    expect(may({ identity: [{ ...maker, Action: "s3:GetObject", Resource: "*" }] })).toBe(false);
    expect(may({ identity: [maker, { ...maker, Effect: "Deny" }] })).toBe(false);
  });

  it("may when its policies tie CreateBucket to the bucket's region", () => {
    const inRegion = (region: string) => ({
      identity: [{ ...maker, Condition: { StringEquals: { "s3:LocationConstraint": region } } }],
    });
    expect(may(inRegion("us-east-1"))).toBe(true);
    expect(may(inRegion("eu-west-1"))).toBe(false);
  });

  it("may not when denied, or in a session whose policy does not allow it", () => {
    const never = { Effect: "Deny", Action: "s3:PutBucketPolicy", Resource: "*" };
    expect(may({ identity: [maker, never] })).toBe(false);
    expect(may({ identity: [maker], session: { ...PLAIN_SESSION, statements: [maker] } })).toBe(false);
    const both = { ...maker, Action: ["s3:CreateBucket", "s3:PutBucketPolicy"] };
    expect(may({ identity: [maker], session: { ...PLAIN_SESSION, statements: [both] } })).toBe(true);
  });
});

describe("a bucket whose stored policy is unreadable", () => {
  it("is closed to all callers, except for root's repair of the policy", () => {
    const bucket = bucketWith({ policy: '{"Version":"2030-01-01"}' });
    expect(ask(ROOT, bucket)).toEqual({
      isAllowed: false,
      reason: "with an explicit deny in a resource-based policy (statement UnreadablePolicy)",
    });
    expect(ask(alice({ identity: [{ Effect: "Allow", Action: "s3:*", Resource: "*" }] }), bucket).isAllowed).toBe(
      false,
    );
    expect(ask(ROOT, bucket, { actions: ["s3:DeleteBucketPolicy"], key: undefined }).isAllowed).toBe(true);
  });
});

describe("the public access block", () => {
  it("limits a public policy to callers of the account", () => {
    const configurations = {
      policy: text([read("Allow", allCallers)]),
      public_access_block: JSON.stringify({ RestrictPublicBuckets: true }),
    };
    expect(ask(ANONYMOUS, bucketWith(configurations)).isAllowed).toBe(false);
    expect(ask(alice(), bucketWith(configurations)).isAllowed).toBe(true);
    expect(ask(ANONYMOUS, bucketWith({ ...configurations, public_access_block: "{}" })).isAllowed).toBe(true);
  });
});
