// The AWS SDK for JavaScript v3, run in this process.
import { type Suite, suiteOf } from "./harness.ts";
import { annotationChecks } from "./javascript/annotations.ts";
import { appendChecks } from "./javascript/appends.ts";
import { checksumChecks } from "./javascript/checksums.ts";
import { conditionChecks } from "./javascript/conditions.ts";
import { consistencyChecks } from "./javascript/consistency.ts";
import { encryptionChecks } from "./javascript/encryption.ts";
import { errorChecks } from "./javascript/errors.ts";
import { listingChecks } from "./javascript/listing.ts";
import { objectChecks } from "./javascript/objects.ts";
import { partChecks } from "./javascript/parts.ts";
import { presignedChecks } from "./javascript/presigned.ts";
import { type JavaScriptTools, newClient } from "./javascript/tools.ts";
import { type Endpoint, newBucketName, type Site } from "./site.ts";

/** The SDK's checks at one endpoint. It sends the same over TLS, so there only what has a body is checked again. */
export function javaScriptSdk(site: Site, endpoint: Endpoint): Suite {
  const tools: JavaScriptTools = {
    site,
    endpoint,
    client: newClient(site, endpoint),
    bucket: newBucketName("javascript"),
  };
  const always = [
    ...objectChecks(tools),
    ...checksumChecks(tools),
    ...partChecks(tools),
    ...encryptionChecks(tools),
    ...appendChecks(tools),
  ];
  if (endpoint.scheme === "https") return suiteOf("aws-sdk-js (https)", always);
  return suiteOf("aws-sdk-js (http)", [
    ...always,
    ...listingChecks(tools),
    ...annotationChecks(tools),
    ...conditionChecks(tools),
    ...presignedChecks(tools),
    ...errorChecks(tools),
    ...consistencyChecks(tools),
  ]);
}
