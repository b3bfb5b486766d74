// The R2 part of the stand-in: the administration of buckets.
import type { Account } from "./account.ts";
import { type Answer, ApiError, readFields, textOf } from "./answers.ts";

const LOCATIONS = new Set(["wnam", "enam", "weur", "eeur", "apac", "oc"]);

/** Answers `/r2/buckets…`. */
export function answerR2(
  account: Account,
  { method, rest, body }: { method: string; rest: readonly string[]; body: Buffer },
): Answer {
  if (!account.isR2Enabled) {
    throw new ApiError(403, 10042, "Please enable R2 through the Cloudflare Dashboard.");
  }
  const [name] = rest;
  if (name === undefined && method === "POST") return create(account, body);
  if (name === undefined) {
    return { result: { buckets: [...account.buckets].map(([name, { location }]) => ({ name, location })) } };
  }
  const bucket = account.buckets.get(name);
  if (bucket === undefined) throw new ApiError(404, 10006, "The specified bucket does not exist.");
  if (method !== "GET") throw new ApiError(405, 10405, "Method not allowed for this endpoint");
  return { result: { name, creation_date: "2026-11-01T00:00:00.000Z", ...bucket, storage_class: "Standard" } };
}

function create(account: Account, body: Buffer): Answer {
  const fields = readFields(body, ["name", "locationHint", "storageClass"], 10_040);
  const { name } = fields;
  const location = textOf(fields, "locationHint");
  if (typeof name !== "string" || !/^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/.test(name)) {
    throw new ApiError(400, 10_005, "The specified bucket name is not valid.");
  }
  if (location !== undefined && !LOCATIONS.has(location)) {
    throw new ApiError(400, 10_041, "The specified location hint is not valid.");
  }
  if (account.buckets.has(name)) {
    throw new ApiError(409, 10_004, "The bucket you tried to create already exists, and you own it.");
  }
  account.buckets.set(name, { location });
  return { result: { name, location } };
}
