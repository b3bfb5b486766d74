// Chromium: presigned URLs, forms and stored pages from an origin other than Cairn's.
import { CreateBucketCommand, PutBucketCorsCommand } from "@aws-sdk/client-s3";
import { directUploadChecks } from "./browser/direct-uploads.ts";
import { openPageServer } from "./browser/page-server.ts";
import { storedPageChecks } from "./browser/stored-pages.ts";
import { uploadChecks } from "./browser/uploads.ts";
import { type Suite, suiteOf } from "./harness.ts";
import { newClient } from "./javascript/tools.ts";
import { type Endpoint, newBucketName, type Site } from "./site.ts";

/** The browser's checks at one endpoint. */
export function browser(site: Site, endpoint: Endpoint): Suite {
  const name = `browser (${endpoint.scheme})`;
  return {
    client: name,
    async run(report) {
      const client = newClient(site, endpoint);
      const pages = await openPageServer();
      const [bucket, closedBucket] = [newBucketName("browser"), newBucketName("browser-closed")];
      for (const Bucket of [bucket, closedBucket]) await client.send(new CreateBucketCommand({ Bucket }));
      const rule = { AllowedOrigins: [pages.origin], AllowedMethods: ["PUT", "POST", "GET"], AllowedHeaders: ["*"] };
      const CORSConfiguration = { CORSRules: [{ ...rule, ExposeHeaders: ["ETag"] }] };
      await client.send(new PutBucketCorsCommand({ Bucket: bucket, CORSConfiguration }));
      const tools = { site, endpoint, client, pages, bucket, closedBucket };
      try {
        await suiteOf(name, [...uploadChecks(tools), ...storedPageChecks(tools), ...directUploadChecks(tools)]).run(
          report,
        );
      } finally {
        pages.close();
        client.destroy();
      }
    },
  };
}
