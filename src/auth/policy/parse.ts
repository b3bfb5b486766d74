// Parses policies strictly: a policy that is not understood is rejected when it is put, so that evaluation never
// ignores a part of it.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
import { utf8Length } from "../../bytes/text.ts";
import { readAction } from "./actions.ts";
import { checkConditions, checkResources } from "./applicability.ts";
import { parseConditions } from "./conditions.ts";
import { isStrings, readJson, type Json, type JsonObject } from "./json.ts";
import {
  PolicyProblem,
  type Effect,
  type Patterns,
  type Policy,
  type PolicyKind,
  type PolicyStatement,
  type PolicyVersion,
  type PrincipalPattern,
} from "./policy.ts";
import { parsePrincipal } from "./principals.ts";
import { levelOf, parseResource } from "./resources.ts";

/** The maximum size of a bucket policy, in bytes. */
export const BUCKET_POLICY_MAX_BYTES = 20 * 1024;

/** The maximum length of a user's policy, in characters without white space. */
const IDENTITY_POLICY_MAX_CHARACTERS = 6144;

/** The maximum length of a session policy, in characters. */
const SESSION_POLICY_MAX_CHARACTERS = 2048;

const STATEMENT_ELEMENTS = [
  "Sid",
  "Effect",
  "Principal",
  "NotPrincipal",
  "Action",
  "NotAction",
  "Resource",
  "NotResource",
  "Condition",
];

/** Parses a policy. @throws PolicyProblem if it is invalid */
export function parsePolicy(text: string, kind: PolicyKind): Policy {
  checkSize(text, kind);
  const document = kind.of === "bucket" && !text.startsWith("{") ? undefined : readJson(text);
  if (!(document instanceof Map)) {
    throw new PolicyProblem("Policies must be valid JSON and the first byte must be '{'");
  }
  checkElements(document, ["Version", "Id", "Statement"]);
  const id = document.get("Id");
  if (id !== undefined && typeof id !== "string") throw new PolicyProblem("Policy has an invalid Id");
  const version = parseVersion(document.get("Version"));
  const written = document.get("Statement");
  const list: readonly Json[] = Array.isArray(written) ? written : written === undefined ? [] : [written];
  if (list.length === 0) throw missing("Statement");
  const statements = list.map((statement) => parseStatement(statement, version, kind));
  checkSids(statements, kind);
  return { version, statements };
}

function checkSize(text: string, kind: PolicyKind): void {
  const isTooLong = {
    bucket: () => utf8Length(text) > BUCKET_POLICY_MAX_BYTES,
    identity: () => text.replaceAll(/\s/g, "").length > IDENTITY_POLICY_MAX_CHARACTERS,
    session: () => text.length > SESSION_POLICY_MAX_CHARACTERS,
  };
  if (isTooLong[kind.of]()) throw new PolicyProblem("Policy exceeds the maximum allowed document size.");
}

function parseVersion(value: Json | undefined): PolicyVersion {
  if (value === undefined) return "2008-10-17";
  if (value === "2008-10-17" || value === "2012-10-17") return value;
  throw new PolicyProblem("The policy must contain a valid version string");
}

function parseStatement(value: Json, version: PolicyVersion, kind: PolicyKind): PolicyStatement {
  if (!(value instanceof Map)) throw missing("Statement");
  const statement: JsonObject = value;
  checkElements(statement, STATEMENT_ELEMENTS);
  const hasVariables = version === "2012-10-17";
  const effect = parseEffect(statement.get("Effect"));
  const principal = parsePrincipals(statement, kind);
  const action = parseActions(listOf(statement, "Action"), kind);
  const resources = listOf(statement, "Resource");
  const resource = {
    isNegated: resources.isNegated,
    patterns: resources.items.map((item) => parseResource(item, hasVariables, kind)),
  };
  const sid = parseSid(statement.get("Sid"), kind);
  const conditions = parseConditions(statement.get("Condition"), hasVariables);
  if (kind.of === "bucket") {
    if (!resources.isNegated) checkResources(action, resources.items.map(levelOf));
    checkConditions(action, conditions);
  }
  return { sid, effect, principal, action, resource, conditions };
}

function parseEffect(value: Json | undefined): Effect {
  if (value === undefined) throw missing("Effect");
  if (value !== "Allow" && value !== "Deny") throw new PolicyProblem("Invalid effect");
  return value;
}

function parseSid(value: Json | undefined, kind: PolicyKind): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value === "string" && (kind.of === "bucket" || /^[0-9A-Za-z]*$/.test(value))) return value;
  throw new PolicyProblem(
    "Statement IDs (SID) must be alpha numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*",
  );
}

function checkSids(statements: readonly PolicyStatement[], kind: PolicyKind): void {
  const sids = statements.flatMap(({ sid }) => (sid === undefined || sid === "" ? [] : [sid]));
  if (kind.of !== "bucket" && new Set(sids).size < sids.length) {
    throw new PolicyProblem("Statement IDs (SID) in a single policy must be unique.");
  }
}

function parsePrincipals(statement: JsonObject, kind: PolicyKind): PrincipalPattern | undefined {
  const value = statement.get("Principal");
  const negated = statement.get("NotPrincipal");
  if (kind.of !== "bucket") {
    if (value === undefined && negated === undefined) return undefined;
    throw new PolicyProblem("Policy document should not specify a principal.");
  }
  if (value !== undefined && negated !== undefined) throw both("Principal");
  if (value !== undefined) return parsePrincipal(value, false, kind.accountId);
  if (negated !== undefined) return parsePrincipal(negated, true, kind.accountId);
  throw missing("Principal");
}

function parseActions({ items, isNegated }: Listed, kind: PolicyKind): Patterns {
  const patterns = items.map((item) => {
    const action = readAction(item, kind.of === "bucket" ? "s3" : "all");
    if (action === undefined) throw new PolicyProblem("Policy has invalid action", item);
    return action;
  });
  return { patterns, isNegated };
}

/** The strings of an element that takes one or a list, and whether it is the element's `Not` form. */
interface Listed {
  readonly items: readonly string[];
  readonly isNegated: boolean;
}

function listOf(statement: JsonObject, name: "Action" | "Resource"): Listed {
  const value = statement.get(name);
  const negated = statement.get(`Not${name}`);
  if (value !== undefined && negated !== undefined) throw both(name);
  const listed = value === undefined ? negated : value;
  if (listed === undefined) throw missing(name);
  const items: Json = typeof listed === "string" ? [listed] : listed;
  if (!isStrings(items) || items.length === 0) throw new PolicyProblem(`Policy has invalid ${name.toLowerCase()}`);
  return { items, isNegated: value === undefined };
}

function checkElements(object: JsonObject, names: readonly string[]): void {
  for (const name of object.keys()) if (!names.includes(name)) throw new PolicyProblem(`Unknown field ${name}`);
}

function missing(name: string): PolicyProblem {
  return new PolicyProblem(`Missing required field ${name}`);
}

function both(name: string): PolicyProblem {
  return new PolicyProblem(`Statement has both ${name} and Not${name}`);
}
