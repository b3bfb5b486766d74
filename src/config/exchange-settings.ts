// The settings of what a deployment exchanges with others: the destinations of events, and the stores of imports.
import { FORMS, type Setting } from "./setting-checks.ts";

export const EXCHANGE_SETTINGS = {
  EVENT_QUEUES: {
    default: "",
    form: FORMS.targetNames,
    meaning:
      "Comma-separated names of the Worker's Queues bindings that notification configurations may name as `arn:cairn:queue:::NAME` (docs/events.md).",
  },
  EVENT_WEBHOOKS: {
    default: "",
    form: FORMS.webhooks,
    isSecret: true,
    meaning:
      'JSON of the webhooks that notification configurations may name as `arn:cairn:webhook:::NAME`: `{"NAME": {"url": "https://…", "secret": "…"}}` (a secret; docs/events.md).',
  },
  EVENT_RETENTION_DAYS: {
    default: "7",
    range: [1, 90],
    meaning:
      "Days for which the feed of a bucket keeps its events, and for which deliveries are retried at most (1 to 90).",
  },
  UPSTREAMS: {
    default: "",
    form: FORMS.upstreams,
    isSecret: true,
    meaning:
      'JSON of the S3 stores from which buckets may import (docs/import.md): `{"NAME": {"endpoint": "https://…", "region": "…", "accessKeyId": "…", "secretAccessKey": "…", "buckets": ["my-bucket"]}}` (a secret).',
  },
} as const satisfies Record<string, Setting>;
