// The settings of counted requests, metrics and request rates: a part of the table of settings.
import { FORMS, type Setting } from "./setting-checks.ts";

export const USAGE_SETTINGS = {
  USAGE: {
    default: "true",
    values: ["true", "false"],
    meaning:
      "`false` stops counting requests by day, bucket and access key (docs/quotas.md), and the metrics of requests.",
  },
  USAGE_FLUSH_SECONDS: {
    default: "10",
    range: [0, 25],
    meaning:
      "Seconds for which an isolate counts requests before it adds the counts to D1 (0 to 25). A crash of the isolate loses at most these counts.",
  },
  USAGE_DAYS_KEPT: {
    default: "400",
    range: [1, 3650],
    meaning: "Days for which counted requests are kept (1 to 3650).",
  },
  ANONYMOUS_REQUESTS_PER_SECOND: {
    default: "0",
    range: [0, 1_000_000],
    meaning:
      "Requests without credentials that an isolate accepts from a client address in a second (0 to 1000000; docs/quotas.md); 0: no limit.",
  },
  ANONYMOUS_KILOBYTES_PER_SECOND: {
    default: "0",
    range: [0, 100_000_000],
    meaning:
      "Kilobytes that an isolate sends to a client address without credentials in a second (0 to 100000000; docs/quotas.md); 0: no limit.",
  },
  METRICS_TOKEN: {
    default: "",
    form: FORMS.bearerToken,
    isSecret: true,
    meaning:
      "Bearer token of `GET /_/metrics`, which answers in the format of Prometheus (docs/quotas.md); empty: 404 (a secret).",
  },
} as const satisfies Record<string, Setting>;
