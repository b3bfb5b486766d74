// Why operations of S3 that Cairn knows by name are not implemented, for the page of operations. Not part of the Worker.

interface Reason {
  /** Matches the whole names of operations. */
  readonly names: RegExp;
  readonly reason: string;
}

const REASONS: readonly Reason[] = [
  {
    names: /RestoreObject/,
    reason: "All storage classes of Cairn are readable at once, so no object needs to be restored before it is read.",
  },
  {
    names: /SelectObjectContent/,
    reason: "AWS closed it to new customers; a request may not take the CPU time of a scan in a Worker.",
  },
  { names: /GetObjectTorrent/, reason: "AWS retired it in 2022." },
  {
    names: /WriteGetObjectResponse/,
    reason:
      "It belongs to S3 Object Lambda, which AWS closed to new customers; a Worker before Cairn can change answers.",
  },
  {
    names: /UpdateObjectEncryption/,
    reason: "It moves objects between KMS keys, and Cairn has no KMS: a copy replaces a customer's key.",
  },
  {
    names: /\w+BucketReplication/,
    reason: "A bucket has one location, and R2 keeps copies itself. `rclone sync` copies a bucket elsewhere.",
  },
  {
    names: /PutBucketLogging/,
    reason: "The Worker writes one line for each request to Workers Logs (`LOG_REQUESTS`), which Logpush exports.",
  },
  {
    names: /PutBucketAccelerateConfiguration/,
    reason: "Every request already enters at Cloudflare's nearest location.",
  },
  {
    names: /PutBucketRequestPayment/,
    reason: "Requests are billed to the account that Cairn runs in; a requester has no account to bill.",
  },
  {
    names: /(Get|Put)BucketAbac/,
    reason: "Policies test tags of buckets, objects and users without being switched on for a bucket.",
  },
  {
    names: /CreateSession|ListDirectoryBuckets/,
    reason: "It belongs to directory buckets of S3 Express One Zone, which Cairn does not have.",
  },
  {
    names: /\w+BucketAnalyticsConfigurations?/,
    reason: "The lifecycle preview computes what a transition would save.",
  },
  {
    names: /\w+BucketIntelligentTieringConfigurations?/,
    reason:
      "It configures archive tiers that need a restore; R2 has two classes, between which lifecycle rules move objects.",
  },
  {
    names: /\w+BucketInventoryConfigurations?/,
    reason: "A listing costs one call for 1000 keys, and `npm run backup` writes all metadata.",
  },
  {
    names: /\w+BucketMetricsConfigurations?/,
    reason: "CloudWatch filters have no counterpart; GetBucketUsage counts objects and bytes.",
  },
  {
    names: /\w+BucketMetadata(Annotation|Inventory|Journal)?(Table)?Configuration/,
    reason:
      "It fills tables of S3 Tables, an Iceberg service of AWS that Cloudflare does not offer through R2's binding.",
  },
];

/** Operations of hosts that only AWS has, so that no request to Cairn can name them. */
const OF_OTHER_HOSTS = ["ListDirectoryBuckets", "WriteGetObjectResponse"];

/**
 * Returns a table of the operations that are not implemented, by reason.
 * @param named those that Cairn knows by name
 * @throws Error for an operation without exactly one reason, or a reason without an operation
 */
export function unimplementedTable(named: readonly string[]): string {
  const byReason = new Map<string, string[]>();
  for (const name of [...named, ...OF_OTHER_HOSTS].toSorted()) {
    const found = REASONS.filter((one) => new RegExp(`^(?:${one.names.source})$`).test(name));
    const [first] = found;
    if (first === undefined || found.length > 1) {
      throw new Error(`${name} has ${found.length} reasons in scripts/docs/unimplemented.ts`);
    }
    byReason.set(first.reason, [...(byReason.get(first.reason) ?? []), name]);
  }
  const needless = REASONS.find(({ reason }) => !byReason.has(reason));
  if (needless !== undefined) throw new Error(`no operation is left out because: ${needless.reason}`);
  const rows = Array.from(byReason, ([reason, operations]) => `| ${operations.join(", ")} | ${reason} |`);
  return ["| Not implemented | Reason |", "| --- | --- |", ...rows.toSorted()].join("\n");
}
