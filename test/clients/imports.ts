// Imports between three stores: two served Cairns and s3rver, a store that is not Cairn. Buckets import what is read,
// `npm run import` copies whole buckets, and rclone and `aws s3 sync` carry files out and back.
import { startCairn } from "./cairn-process.ts";
import type { AwsCli } from "./aws-cli.ts";
import { copyChecks } from "./imports/copies.ts";
import { syncChecks } from "./imports/syncs.ts";
import { upstreamChecks } from "./imports/upstreams.ts";
import type { ImportSite, StoreSide } from "./imports/sides.ts";
import { type Suite, suiteOf } from "./harness.ts";
import { newFolder, type Site } from "./site.ts";
import { launchS3rver } from "../bench/compare/s3rver.ts";

const OTHER = { accessKeyId: "THEOTHERCAIRNSROOT00", secretAccessKey: "the/other+cairns/secret/key" };
const FIRST = { accessKeyId: "THEFIRSTCAIRNSROOT00", secretAccessKey: "the/first+cairns/secret/key" };

/** The checks of imports. Each run has servers of its own, because checks stop them. */
export function imports(site: Site, awsClis: readonly AwsCli[]): Suite {
  return {
    client: "imports",
    async run(report) {
      const folder = newFolder(site, "imports");
      const s3rver = await launchS3rver();
      const other = await startCairn({ state: `${folder}/other`, credentials: OTHER });
      const declare = (endpoint: string, keys: typeof OTHER, region: string) => ({
        endpoint,
        region,
        ...keys,
        buckets: ["*"],
      });
      const upstreams = {
        cairn: declare(other.url, OTHER, "auto"),
        s3rver: declare(s3rver.url, s3rver.key, "us-east-1"),
      };
      const first = await startCairn({
        state: `${folder}/first`,
        credentials: FIRST,
        settings: { UPSTREAMS: JSON.stringify(upstreams) },
      });
      const sides: ImportSite = {
        site,
        folder,
        first: { url: first.url, keys: FIRST, region: "auto", upstream: "" },
        cairn: { url: other.url, keys: OTHER, region: "auto", upstream: "cairn" },
        s3rver: { url: s3rver.url, keys: s3rver.key, region: "us-east-1", upstream: "s3rver" },
      };
      const stores: readonly StoreSide[] = [sides.cairn, sides.s3rver];
      try {
        const checks = [...copyChecks(sides, stores), ...syncChecks(sides, awsClis), ...upstreamChecks(sides, stores)];
        await suiteOf("imports", checks).run(report);
      } finally {
        s3rver.stop();
        await Promise.all([first.stop(), other.stop()]);
      }
    },
  };
}
