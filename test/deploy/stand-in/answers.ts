// Answers of Cloudflare's API: its envelope and its errors.

/** An error of the API: an HTTP status, the API's own code, and a sentence. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: number;

  constructor(status: number, code: number, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** A page that something between the API and its caller answers. */
export class ForeignPage extends Error {
  readonly status: number;

  constructor(status: number) {
    super("<!doctype html><title>Sign in to the network</title>");
    this.status = status;
  }
}

/** One page of a list, or any other result. */
export interface Answer {
  readonly result: unknown;
  readonly resultInfo?: { readonly page: number; readonly per_page: number; readonly total_count: number };
}

export function envelope({ result, resultInfo }: Answer): string {
  return JSON.stringify({
    success: true,
    errors: [],
    messages: [],
    result,
    ...(resultInfo === undefined
      ? {}
      : { result_info: { ...resultInfo, count: Array.isArray(result) ? result.length : 0 } }),
  });
}

export function errorEnvelope({ code, message }: ApiError): string {
  return JSON.stringify({ success: false, errors: [{ code, message }], messages: [], result: null });
}

/** The page that a query requests. */
export function page(items: readonly unknown[], query: URLSearchParams, greatest = 100): Answer {
  const number = Number(query.get("page") ?? "1");
  const size = Math.min(Number(query.get("per_page") ?? "20"), greatest);
  return {
    result: items.slice((number - 1) * size, number * size),
    resultInfo: { page: number, per_page: size, total_count: items.length },
  };
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The text of a field; undefined if it has none. */
export function textOf(fields: Record<string, unknown>, name: string): string | undefined {
  const value = fields[name];
  return typeof value === "string" ? value : undefined;
}

/**
 * Reads a JSON object and refuses fields that the API does not know.
 * @throws ApiError 400
 */
export function readFields(body: Buffer, known: readonly string[], code: number): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(body.toString("utf8"));
  } catch {
    throw new ApiError(400, code, "The request body is not valid JSON.");
  }
  if (!isRecord(value)) throw new ApiError(400, code, "The request body is not a JSON object.");
  const unknown = Object.keys(value).filter((name) => !known.includes(name));
  if (unknown.length > 0) throw new ApiError(400, code, `Unknown field: ${unknown.join(", ")}`);
  return value;
}
