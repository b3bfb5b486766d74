// Parses the policy of a form: a signed JSON document in base64 that limits what the form may contain.
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html
import { parseIsoDate } from "../../bytes/dates.ts";
import { fromBase64 } from "../../bytes/hex-base64.ts";
import { decodeUtf8 } from "../../bytes/text.ts";
import { S3Error } from "../core/s3-error.ts";

/** One condition of a policy. */
export type PostCondition =
  | {
      readonly kind: "eq" | "starts-with";
      /** The field's name without its `$`; undefined if there was no `$`. */
      readonly field: string | undefined;
      readonly operand: string;
      readonly shown: string;
    }
  | {
      readonly kind: "content-length-range";
      /** Bytes; undefined for a text that is not a number. */
      readonly least: number | undefined;
      readonly most: number | undefined;
      readonly shown: string;
    };

export interface PostPolicy {
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  readonly conditions: readonly PostCondition[];
}

const OPERATIONS = ["eq", "starts-with", "content-length-range"] as const;

/**
 * Reads a policy.
 * @param text the value of the policy field: base64 of UTF-8
 * @throws S3Error InvalidPolicyDocument
 */
export function parsePostPolicy(text: string): PostPolicy {
  const bytes = fromBase64(text.replaceAll(/\s/g, ""));
  if (bytes === undefined) throw invalidPolicy("invalid Base64 encoding.");
  const document = parseJson(decodeUtf8(bytes));
  if (!isObject(document)) throw invalidPolicy("Invalid JSON.");
  const unexpected = Object.keys(document).find((name) => name !== "expiration" && name !== "conditions");
  if (unexpected !== undefined) throw invalidPolicy(`Unexpected: '${unexpected}'`);
  const { expiration, conditions } = document;
  if (expiration === undefined) throw invalidPolicy("Policy missing expiration.");
  if (conditions === undefined) throw invalidPolicy("Policy missing conditions.");
  const expiresAt = typeof expiration === "string" ? parseIsoDate(expiration) : undefined;
  if (expiresAt === undefined) throw invalidPolicy(`Invalid 'expiration' value: '${shownValue(expiration)}'`);
  if (!Array.isArray(conditions)) throw invalidPolicy("Invalid 'conditions' value: must be a List.");
  return { expiresAt, conditions: conditions.map(parseCondition) };
}

function parseCondition(condition: unknown): PostCondition {
  if (Array.isArray(condition)) return parseList(condition);
  if (!isObject(condition)) throw invalidPolicy("Invalid condition test: must be a List or Object.");
  const [property, ...others] = Object.entries(condition);
  if (property === undefined || others.length > 0) {
    throw invalidPolicy("Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.");
  }
  const [field, operand] = property;
  if (typeof operand !== "string") throw invalidPolicy("Invalid Simple-Condition: value must be a string.");
  return { kind: "eq", field, operand, shown: shownList(["eq", `$${field}`, operand]) };
}

function parseList(list: readonly unknown[]): PostCondition {
  const [operation, ...operands] = list;
  if (operation === undefined) throw invalidPolicy("Invalid Condition: missing operation identifier.");
  const kind = OPERATIONS.find((name) => typeof operation === "string" && name === operation.toLowerCase());
  if (kind === undefined) throw invalidPolicy(`Invalid Condition: unknown operation '${shownValue(operation)}'.`);
  const [first, second] = operands;
  if (operands.length !== 2) throw invalidPolicy(`Invalid ${kind}: wrong number of arguments.`);
  const shown = shownList(list);
  if (kind === "content-length-range") return { kind, least: parseBound(first), most: parseBound(second), shown };
  if (typeof first !== "string" || typeof second !== "string") throw invalidPolicy("Invalid JSON.");
  return { kind, field: first.startsWith("$") ? first.slice(1) : undefined, operand: second, shown };
}

/** A bound in bytes: a number, or a text that contains one. */
function parseBound(bound: unknown): number | undefined {
  if (typeof bound === "string") return /^\d{1,15}$/.test(bound) ? Number(bound) : undefined;
  if (!Number.isSafeInteger(bound) || Number(bound) < 0) {
    throw invalidPolicy("Invalid content-length-range: bounds must be whole numbers of bytes.");
  }
  return Number(bound);
}

function parseJson(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? "");
  } catch {
    throw invalidPolicy("Invalid JSON.");
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A condition in the notation of S3's messages: `["eq", "$key", "x"]`. */
function shownList(list: readonly unknown[]): string {
  return `[${list.map((item) => JSON.stringify(item)).join(", ")}]`;
}

function shownValue(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function invalidPolicy(sentence: string): S3Error {
  return new S3Error("InvalidPolicyDocument", {}, `Invalid Policy: ${sentence}`);
}
