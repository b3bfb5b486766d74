// English texts of a user's limits and usage.
export const userLimits = {
  "limits.title": "Limits",
  "limits.lead":
    "What the buckets that the user created store together, and how much its keys may send and receive. They are tags of the user (docs/quotas.md).",
  "limits.maxBytes": "Stored bytes",
  "limits.maxObjects": "Stored objects",
  "limits.requests": "Requests a second",
  "limits.bytesIn": "Bytes in a second",
  "limits.bytesOut": "Bytes out a second",
  "limits.keyRequests": "Requests a second of each key",
  "limits.keyBytesIn": "Bytes in a second of each key",
  "limits.keyBytesOut": "Bytes out a second of each key",
  "limits.whole": "A whole number, at least {least}, or nothing for no limit",
  "limits.save": "Set limits",
  "limits.saved": "The limits were saved.",
  "userUsage.title": "Requests in the last {days} days",
  "userUsage.lead": "Of the user's keys and of the sessions that they started. A deleted key is not listed.",
  "userUsage.denied": "They are shown to those who may s3:GetAccountRequestUsage.",
  "userUsage.nothing": "No request was counted.",
  "userUsage.byKey": "Requests by access key",
  "userUsage.requests": "Requests",
} as const;
