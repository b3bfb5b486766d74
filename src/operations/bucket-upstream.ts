// GetBucketUpstream, PutBucketUpstream, DeleteBucketUpstream, operations of Cairn's own (docs/import.md): the store from
// which a bucket imports the objects that it lacks.
import { mayImport } from "../config/upstreams.ts";
import { defineBucketConfiguration } from "../contract/bucket-configuration.ts";
import {
  parseUpstreamConfiguration,
  upstreamElement,
  upstreamFromText,
} from "../protocol/buckets/upstream-configuration.ts";
import { readDocument } from "../protocol/core/document-body.ts";
import { invalidArgument } from "../protocol/core/s3-error.ts";
import { setConfiguration } from "../state/metadata/buckets.ts";

export const bucketUpstream = defineBucketConfiguration({
  subresource: "upstream",
  get: { name: "GetBucketUpstream", actions: ["s3:GetBucketUpstream"] },
  put: { name: "PutBucketUpstream", actions: ["s3:PutBucketUpstream"], status: 200 },
  delete: { name: "DeleteBucketUpstream", actions: ["s3:PutBucketUpstream"] },
  load: ({ configurations }) => upstreamFromText(configurations.upstream),
  missing: "NoSuchUpstreamConfiguration",
  async parseBody(context, { name }) {
    const configuration = parseUpstreamConfiguration(await readDocument(context.request, context.openBody()));
    const upstream = context.settings.upstreams.get(configuration.source);
    // One answer for both, so that it does not show which names are declared for other buckets.
    if (upstream === undefined || !mayImport(upstream, name)) {
      const message = "The setting UPSTREAMS declares no such store for this bucket.";
      throw invalidArgument("Source", configuration.source.slice(0, 256), message);
    }
    return configuration;
  },
  store: (bucket, configuration) =>
    setConfiguration(bucket, "upstream", configuration === undefined ? null : JSON.stringify(configuration)),
  render: (configuration) => ({ body: upstreamElement(configuration) }),
});
