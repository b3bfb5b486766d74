// Published list prices, in USD, with where and when they were read. Everything that docs/costs.md computes comes from here.

/** When the prices were read. */
export const PRICES_OF = "November 2026";

export const SOURCES = {
  workers: "https://developers.cloudflare.com/workers/platform/pricing/",
  durableObjects: "https://developers.cloudflare.com/durable-objects/platform/pricing/",
  d1: "https://developers.cloudflare.com/d1/platform/pricing/",
  r2: "https://developers.cloudflare.com/r2/pricing/",
  s3: "https://aws.amazon.com/s3/pricing/",
  cloudFront: "https://aws.amazon.com/cloudfront/pricing/pay-as-you-go/",
} as const;

/** A price for a million units above those that each month includes. */
export interface Price {
  readonly title: string;
  readonly perMillion: number;
  readonly included: number;
  readonly source: keyof typeof SOURCES;
}

/** The Workers Paid plan, a month. */
export const PLAN = 5;

export const CLOUDFLARE = {
  requests: { title: "Worker requests", perMillion: 0.3, included: 10e6, source: "workers" },
  cpuMs: { title: "Worker CPU, ms", perMillion: 0.02, included: 30e6, source: "workers" },
  logEvents: { title: "log events", perMillion: 0.6, included: 20e6, source: "workers" },
  coordinatorCalls: { title: "Durable Object requests", perMillion: 0.15, included: 1e6, source: "durableObjects" },
  gbSeconds: { title: "Durable Object duration, GB-s", perMillion: 12.5, included: 400e3, source: "durableObjects" },
  rowsRead: { title: "D1 rows read", perMillion: 0.001, included: 25e9, source: "d1" },
  rowsWritten: { title: "D1 rows written", perMillion: 1, included: 50e6, source: "d1" },
  classA: { title: "R2 Class A", perMillion: 4.5, included: 1e6, source: "r2" },
  classB: { title: "R2 Class B", perMillion: 0.36, included: 10e6, source: "r2" },
} as const satisfies Readonly<Record<string, Price>>;

/** A GB stored for a month, above what is included. */
export const STORAGE = {
  r2: { perGb: 0.015, includedGb: 10, source: "r2" },
  d1: { perGb: 0.75, includedGb: 5, source: "d1" },
  s3: { perGb: 0.023, includedGb: 0, source: "s3" },
} as const;

/** S3 Standard in us-east-1. */
export const S3 = { write: 5, read: 0.4, perGbOut: 0.09, includedGbOut: 100 } as const;

/** CloudFront, United States and Europe, pay as you go. */
export const CLOUDFRONT = { perMillion: 1, included: 10e6, perGbOut: 0.085, includedGbOut: 1000 } as const;

/** What cannot be counted on one machine. */
export const ASSUMED = {
  /** CPU of a request without its body. */
  cpuMs: 3,
  /** CPU of hashing a megabyte of a body. */
  cpuMsPerMegabyte: 4,
  /** Time for which a call keeps a coordinator busy; 128 MB of memory are billed. */
  coordinatorSeconds: 0.02,
  coordinatorGb: 0.128,
  /** D1 storage of an object. */
  bytesPerObject: 500,
} as const;
