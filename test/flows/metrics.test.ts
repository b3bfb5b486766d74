import { describe, expect, it } from "vitest";

import { anonymous, deliver, ROOT, send, signed } from "../support/client.ts";
import { connectionLost, d1With } from "../support/faults.ts";
import { freshBucket } from "../support/fresh-bucket.ts";

/** Adds the counts right after each answer. */
const COUNTED = { USAGE: "true", USAGE_FLUSH_SECONDS: "0" } as const;
describe("metrics", () => {
  const METRICS = { ...COUNTED, METRICS_TOKEN: "a-token-of-metrics" } as const;
  const get = async (headers: Record<string, string>, scope: object = METRICS, method = "GET"): Promise<Response> =>
    deliver(anonymous(method, "/_/metrics", { headers }), scope);
  const BEARER = { authorization: "Bearer a-token-of-metrics" };

  it("are answered in the format of Prometheus, without buckets, keys and secrets", async () => {
    const bucket = await freshBucket();
    const before = countOf(await (await get(BEARER)).text(), "PutObject", "2xx");
    await send("PUT", `/${bucket}/secret-key-name`, { body: "12345" }, COUNTED);
    const response = await get(BEARER);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    const text = await response.text();
    expect(countOf(text, "PutObject", "2xx")).toBe(before + 1);
    for (const line of text.trimEnd().split("\n")) {
      expect(line).toMatch(
        /^(?:# (?:HELP|TYPE) cairn_\w+ .+|cairn_\w+(?:\{\w+="[\w:]+"(?:,\w+="[\w:]+")*\})? [\d.]+)$/,
      );
    }
    expect(text).toContain('cairn_database_up{database="DB"} 1');
    expect(text).not.toMatch(new RegExp(`${bucket}|secret|${ROOT.accessKeyId}`));
  });

  it("are refused without the token, and do not exist without the setting", async () => {
    for (const authorization of [
      "",
      "Bearer",
      "Bearer a-token-of-metricsx",
      "Basic a-token-of-metrics",
      "Bearer a b",
    ]) {
      const response = await get({ authorization });
      expect([authorization, response.status]).toEqual([authorization, 401]);
    }
    expect((await get(BEARER, COUNTED)).status).toBe(404);
    expect((await get(BEARER, { ...METRICS, METRICS_TOKEN: "short" })).status).toBe(404);
    expect((await get(BEARER, METRICS, "POST")).status).toBe(405);
    const request = await signed("GET", "/_/metrics");
    expect((await deliver(request, METRICS)).status).toBe(401);
  });

  it("say 503 when the database is out of reach", async () => {
    const broken = { ...METRICS, DB: d1With(() => Promise.reject(connectionLost())) };
    expect((await get(BEARER, broken)).status).toBe(503);
  });
});

function countOf(text: string, operation: string, status: string): number {
  const label = `cairn_requests_total{operation="${operation}",status="${status}"} `;
  const line = text.split("\n").find((one) => one.startsWith(label));
  return Number(line?.slice(label.length) ?? 0);
}
