// The small HTML page of an error on a delivery host. It contains the code's own text and nothing of the request or of
// another error's message.
import { S3Error } from "../protocol/core/s3-error.ts";
import type { SiteAnswer } from "./site-answer.ts";

const REASONS: Readonly<Record<number, string>> = {
  400: "Bad Request",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  412: "Precondition Failed",
  416: "Range Not Satisfiable",
  500: "Internal Server Error",
  501: "Not Implemented",
  503: "Service Unavailable",
  507: "Insufficient Storage",
};

/** Headers of an error that its answer keeps. */
const KEPT: ReadonlySet<string> = new Set(["allow", "content-range", "retry-after"]);

/** The page of an error. */
export function errorPage(error: S3Error, requestId: string): SiteAnswer {
  const { code, status } = error;
  const title = `${status} ${REASONS[status] ?? "Error"}`;
  // A message can contain keys and signatures, so the page shows the code's default text.
  const { message } = new S3Error(code);
  const body = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title></head>
<body><h1>${title}</h1><p>${escapeHtml(message)}</p><ul><li>Code: ${code}</li><li>RequestId: ${requestId}</li></ul></body>
</html>
`;
  const kept = Object.entries(error.headers).filter(([name]) => KEPT.has(name.toLowerCase()));
  return {
    status,
    headers: {
      ...(status === 503 ? { "retry-after": "1" } : {}),
      ...Object.fromEntries(kept),
      "content-type": "text/html; charset=utf-8",
      "cache-control": "no-store",
      "content-security-policy": "default-src 'none'; sandbox",
    },
    body,
    errorCode: code,
  };
}

function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
