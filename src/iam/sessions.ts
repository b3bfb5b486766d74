// STS's actions that return temporary credentials: GetSessionToken, GetFederationToken, AssumeRole. A session has its
// user's rights at the time of each request, within its session policy. It ends with its access key.
import { assumedRoleArn, federatedArn, roleArn } from "../auth/identity/identity-arns.ts";
import { newId, newSecret } from "../auth/identity/new-credentials.ts";
import { rootSecretDigest, createSessionToken, type SessionFacts } from "../auth/identity/session-token.ts";
import { assumedRoleId, federatedUserId } from "../auth/identity/session-principal.ts";
import { formatIsoSeconds } from "../bytes/dates.ts";
import { element, type XmlElement } from "../bytes/xml.ts";
import { FEDERATED_NAME, ROLE_ARN, SESSION_NAME, SESSION_POLICY } from "../protocol/iam/identity-parameters.ts";
import { constraintError, QueryApiError } from "../protocol/iam/query-api-error.ts";
import type { QueryParameters } from "../protocol/iam/query-parameters.ts";
import { spendSession } from "../state/identities/spent-sessions.ts";
import { defineAction, type Action, type Call, type ConditionKeys } from "./action.ts";
import { requireKeys } from "./master-key.ts";
import { checkPolicy } from "./user-policies.ts";

/** In seconds. AWS accepts longer durations for some sessions than any session has here. */
const DURATION = {
  minimum: 900,
  assumeRole: 3600,
  chained: 3600,
  maximum: 43_200,
  maximumRequested: 129_600,
  root: 3600,
} as const;

/** The path of roles whose sessions may do one thing once: begin a session of another role. */
const ONE_TIME_PATH = "one-time/";
const ONE_TIME_POLICY = JSON.stringify({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Action: "sts:AssumeRole", Resource: "*" }],
});

const getSessionToken: Action = {
  name: "GetSessionToken",
  /** As in AWS, no permission is required, because the session has no more rights than its user. */
  async run(call) {
    const { parameters } = call;
    rejectMfa(parameters);
    const seconds = parameters.optionalNumber("DurationSeconds", DURATION.minimum, DURATION.maximumRequested);
    const name = call.principal.userName ?? call.settings.accountId;
    return [await credentials(call, { kind: "session", name }, seconds ?? DURATION.maximum)];
  },
};

const getFederationToken = defineAction("sts", {
  name: "GetFederationToken",
  resource: ({ parameters, settings }) => federatedArn(settings.accountId, parameters.text("Name", FEDERATED_NAME)),
  conditionKeys: durationKeys,

  async run(call) {
    const { parameters, settings } = call;
    const name = parameters.text("Name", FEDERATED_NAME);
    const policy = readPolicy(parameters);
    const seconds = parameters.optionalNumber("DurationSeconds", DURATION.minimum, DURATION.maximumRequested);
    return [
      await credentials(call, { kind: "federated", name, policy }, seconds ?? DURATION.maximum),
      element("FederatedUser", [
        element("FederatedUserId", federatedUserId(settings.accountId, name)),
        element("Arn", federatedArn(settings.accountId, name)),
      ]),
      ...packedSize(policy),
    ];
  },
});

const assumeRole = defineAction("sts", {
  name: "AssumeRole",
  resource: ({ parameters }) => parameters.text("RoleArn", ROLE_ARN),
  conditionKeys: (parameters) =>
    new Map([["sts:rolesessionname", [parameters.text("RoleSessionName", SESSION_NAME)]], ...durationKeys(parameters)]),

  async run(call) {
    const { parameters, settings, principal } = call;
    const role = roleName(parameters.text("RoleArn", ROLE_ARN), settings.accountId);
    const name = parameters.text("RoleSessionName", SESSION_NAME);
    const given = readPolicy(parameters);
    rejectMfa(parameters);
    parameters.refuse(["SourceIdentity"], "source identities are not supported.");
    const isOneTime = principal.roleArn?.startsWith(roleArn(settings.accountId, ONE_TIME_PATH)) === true;
    if (principal.session?.policy !== undefined && !isOneTime) {
      throw new QueryApiError("AccessDenied", "A session that has a policy cannot begin another one.");
    }
    const seconds = parameters.optionalNumber("DurationSeconds", DURATION.minimum, DURATION.maximum);
    if (principal.session?.kind === "role" && seconds !== undefined && seconds > DURATION.chained) {
      throw new QueryApiError(
        "ValidationError",
        "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining",
      );
    }
    const policy = role.startsWith(ONE_TIME_PATH) ? oneTimePolicy(given) : given;
    if (isOneTime) await spend(call);
    return [
      await credentials(call, { kind: "role", name, role, policy }, seconds ?? DURATION.assumeRole),
      element("AssumedRoleUser", [
        element("AssumedRoleId", await assumedRoleId(settings.accountId, role, name)),
        element("Arn", assumedRoleArn(settings.accountId, role, name)),
      ]),
      ...packedSize(policy),
    ];
  },
});

/** The limits of a one-time session are its policy. @throws QueryApiError ValidationError beside another policy */
function oneTimePolicy(given: string | undefined): string {
  if (given === undefined) return ONE_TIME_POLICY;
  throw new QueryApiError("ValidationError", `A session of a role below /${ONE_TIME_PATH} cannot have another policy.`);
}

/** @throws QueryApiError ExpiredToken if the session has begun another one before */
async function spend({ database, principal, expiresAt = Number.MAX_SAFE_INTEGER, now }: Call): Promise<void> {
  const accessKeyId = principal.accessKeyId ?? "";
  if (await spendSession(database, { accessKeyId, expiresAt }, now)) return;
  throw new QueryApiError("ExpiredToken", "The session could begin one other session, and has begun it.");
}

/** The condition keys about the requested duration. */
function durationKeys(parameters: QueryParameters): ConditionKeys {
  const seconds = parameters.get("DurationSeconds");
  return new Map(seconds === undefined ? [] : [["sts:durationseconds", [seconds]]]);
}

export const SESSION_ACTIONS: readonly Action[] = [getSessionToken, getFederationToken, assumeRole];

/** Creates temporary credentials. Root's last at most one hour, and no session outlives its parent session. */
async function credentials(
  call: Call,
  limits: Pick<SessionFacts, "kind" | "name" | "role" | "policy">,
  seconds: number,
): Promise<XmlElement> {
  const { principal, now } = call;
  const maximum = principal.kind === "root" ? DURATION.root : DURATION.maximum;
  const expiresAt = Math.min(now + Math.min(seconds, maximum) * 1000, call.expiresAt ?? Infinity);
  const accessKeyId = newId("session");
  const secretAccessKey = newSecret();
  const facts = { ...limits, ...(await parentOf(call)), secretAccessKey, issuedAt: now, expiresAt };
  return element("Credentials", [
    element("AccessKeyId", accessKeyId),
    element("SecretAccessKey", secretAccessKey),
    element("SessionToken", await createSessionToken(requireKeys(call), accessKeyId, facts)),
    element("Expiration", formatIsoSeconds(expiresAt)),
  ]);
}

/** The parent of a new session. A session that another one starts gets no further rights, nor calls to IAM. */
async function parentOf({
  parentAccessKeyId,
  principal,
  settings,
}: Call): Promise<Pick<SessionFacts, "parentAccessKeyId" | "rootDigest" | "mayCallIam">> {
  const { root, previousRoot } = settings;
  // A session that the previous pair begins ends with that pair.
  const pair =
    principal.kind === "root" ? [root, previousRoot].find((one) => one?.accessKeyId === parentAccessKeyId) : undefined;
  const rootDigest = pair === undefined ? undefined : await rootSecretDigest(pair.secretAccessKey);
  return { parentAccessKeyId, rootDigest, ...(principal.session?.mayCallIam === false ? { mayCallIam: false } : {}) };
}

/** The session policy. Other limits and tags of a session are rejected, because ignoring them would widen it. */
function readPolicy(parameters: QueryParameters): string | undefined {
  parameters.refuse(["PolicyArns"], "managed policies are not supported.");
  parameters.refuse(["Tags", "TransitiveTagKeys"], "session tags are not supported.");
  const policy = parameters.optionalText("Policy", SESSION_POLICY);
  if (policy !== undefined) checkPolicy(policy, "session");
  return policy;
}

function packedSize(policy: string | undefined): XmlElement[] {
  if (policy === undefined) return [];
  return [element("PackedPolicySize", Math.ceil((policy.length / SESSION_POLICY.max) * 100))];
}

/**
 * The name of a role, with its path. Every role of the account exists. @throws QueryApiError ValidationError,
 * AccessDenied
 */
function roleName(arn: string, accountId: string): string {
  const match = /^arn:aws:iam::(\d{12}):role\/((?:[!-.0-~]+\/)*[\w+=,.@-]{1,64})$/.exec(arn);
  if (match === null) throw constraintError("RoleArn", "Member must be the ARN of a role");
  const [, account, name = ""] = match;
  if (account !== accountId) {
    throw new QueryApiError("AccessDenied", `The role ${arn} is not in this account.`);
  }
  return name;
}

function rejectMfa(parameters: QueryParameters): void {
  if (parameters.get("SerialNumber") === undefined && parameters.get("TokenCode") === undefined) return;
  throw new QueryApiError("AccessDenied", "MultiFactorAuthentication failed: there are no devices for it.");
}
