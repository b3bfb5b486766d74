// Answers GET /_/metrics in the text format of Prometheus, for the bearer token of METRICS_TOKEN. The series are bounded:
// labels are the names of operations, classes of statuses and bindings, and never a bucket, key or user.
import { digest, digestsEqual } from "../bytes/digest.ts";
import { utf8 } from "../bytes/text.ts";
import { lookUpHealth } from "../state/repair/health.ts";
import { lookUpOperationCounts, type OperationCount } from "../state/metadata/request-usage.ts";
import { answerHeaders } from "./render.ts";
import type { RequestScope } from "./request-scope.ts";

const CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** Answers 200 with the metrics. 404 without a token in the settings, 401 without the right one in the request. */
export async function answerMetrics(request: Request, scope: RequestScope): Promise<Response> {
  scope.log.setOperation("Metrics");
  const { metricsToken } = scope.settings;
  if (metricsToken === undefined) return answer(scope, 404, "No METRICS_TOKEN is set.\n");
  if (!(await isAuthorized(request, metricsToken))) {
    return answer(scope, 401, "A bearer token is required.\n", { "www-authenticate": 'Bearer realm="metrics"' });
  }
  if (request.method !== "GET" && request.method !== "HEAD") return answer(scope, 405, "", { allow: "GET, HEAD" });
  try {
    return answer(scope, 200, await renderMetrics(scope));
  } catch (error) {
    scope.logFailure(error);
    return answer(scope, 503, "The database cannot be reached.\n", { "retry-after": "5" });
  }
}

function answer(scope: RequestScope, status: number, text: string, headers: Record<string, string> = {}): Response {
  const own = { ...headers, "content-type": CONTENT_TYPE, "cache-control": "no-store" };
  const body = scope.method === "HEAD" ? null : text;
  return new Response(body, { status, headers: answerHeaders(own, scope.answerFacts()) });
}

/** Compares digests, so that the time does not depend on how much of the token is right. */
async function isAuthorized({ headers }: Request, token: string): Promise<boolean> {
  const given = /^Bearer +(\S+)$/i.exec(headers.get("authorization") ?? "")?.[1];
  if (given === undefined) return false;
  const [expected, actual] = await Promise.all([digest("SHA-256", utf8(token)), digest("SHA-256", utf8(given))]);
  return digestsEqual(expected, actual);
}

async function renderMetrics({ connections, now }: RequestScope): Promise<string> {
  const { databases } = connections;
  const [counts, facts] = await Promise.all([
    databases.first.look(lookUpOperationCounts()),
    Promise.all(databases.all.map((database) => database.look(lookUpHealth()).catch(() => undefined))),
  ]);
  const steppedAt = facts[0]?.steppedAt;
  const ofDatabases = (value: (index: number) => number | undefined): Sample[] =>
    databases.all.flatMap(({ name }, index) => {
      const found = value(index);
      return found === undefined ? [] : [{ labels: { database: name }, value: found }];
    });
  return [
    family("cairn_requests_total", "counter", "Answered requests.", perOperation(counts, "requests")),
    family("cairn_received_bytes_total", "counter", "Bytes of bodies of requests.", perOperation(counts, "bytesIn")),
    family("cairn_sent_bytes_total", "counter", "Bytes of bodies of answers.", perOperation(counts, "bytesOut")),
    family(
      "cairn_request_duration_seconds_total",
      "counter",
      "Time until the headers of answers.",
      perOperation(counts, "milliseconds").map(({ labels, value }) => ({ labels, value: value / 1000 })),
    ),
    family(
      "cairn_database_up",
      "gauge",
      "Whether the database answers.",
      ofDatabases((index) => (facts[index] === undefined ? 0 : 1)),
    ),
    family(
      "cairn_database_size_bytes",
      "gauge",
      "Size of the database.",
      ofDatabases((index) => facts[index]?.databaseBytes),
    ),
    family(
      "cairn_jobs_age_seconds",
      "gauge",
      "Time since a scheduled job last took a step.",
      steppedAt === undefined ? [] : [{ labels: {}, value: Math.max(0, (now - steppedAt) / 1000) }],
    ),
  ].join("");
}

interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

function perOperation(
  counts: readonly OperationCount[],
  name: "requests" | "bytesIn" | "bytesOut" | "milliseconds",
): Sample[] {
  return counts.map(({ operation, status, [name]: value }) => ({ labels: { operation, status }, value }));
}

function family(name: string, type: "counter" | "gauge", help: string, samples: readonly Sample[]): string {
  const lines = samples.map(({ labels, value }) => {
    const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escapeLabel(text)}"`);
    return `${name}${pairs.length === 0 ? "" : `{${pairs.join(",")}}`} ${value}\n`;
  });
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join("")}`;
}

function escapeLabel(text: string): string {
  return text
    .replaceAll("\\", "\\\\")
    .replaceAll('"', String.raw`\"`)
    .replaceAll("\n", String.raw`\n`);
}
