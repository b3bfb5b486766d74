// Answers a GET or HEAD of a delivery host: finds which object its path means, authorizes an anonymous caller, and serves
// the object, a redirect or an error. Follows S3's website endpoint where the bucket has a website configuration.
import { deliveryFromText } from "../protocol/buckets/delivery-configuration.ts";
import { websiteFromText, type WebsiteConfiguration } from "../protocol/buckets/website.ts";
import {
  redirectToFolder,
  redirectToHost,
  routedRedirect,
  storedLocation,
  type Redirect,
} from "../protocol/buckets/website-routing.ts";
import { checkKey } from "../protocol/core/addressing.ts";
import { joinInputs, OBJECT_READ } from "../protocol/core/operation-inputs.ts";
import { S3Error } from "../protocol/core/s3-error.ts";
import { redirectLocationOf } from "../protocol/objects/object-metadata.ts";
import type { StoredObject } from "../protocol/objects/stored-object.ts";
import type { Bucket } from "../state/metadata/buckets.ts";
import { refreshLater } from "./background-refresh.ts";
import { bucketFactsPath, dependsOnTags, findBucket, readBucket, type KnownBucket } from "./bucket-facts.ts";
import { defaultLifetime, totalMs, type DeliveryContext } from "./delivery-context.ts";
import { errorPage } from "./error-page.ts";
import { findObject, readBucketWithObject, readObjects, type FoundObject } from "./object-facts.ts";
import { serveObject } from "./serve-object.ts";
import { stalenessHeaders, type SiteAnswer } from "./site-answer.ts";

const INPUTS = joinInputs(OBJECT_READ);

type Website = Extract<WebsiteConfiguration, { redirectAllRequestsTo: undefined }>;

/** Reads the bucket, and in the same round trip the object that the path most likely means. */
async function readSite(context: DeliveryContext): Promise<KnownBucket> {
  const { target, siteKey } = context;
  if (target.kind === "subdomain" || siteKey === "" || siteKey.endsWith("/")) return readBucket(context);
  return readBucketWithObject(context, target.bucketName, target.prefix + siteKey);
}

/** Concurrent requests for the same object read once. Others read the bucket and their own object in one round trip. */
async function readSiteOnce(context: DeliveryContext): Promise<KnownBucket> {
  const name = `${bucketFactsPath(context)}\n${context.siteKey}`;
  return context.cache.readOnce(
    name,
    async () => findBucket(context),
    async () => readSite(context),
  );
}

/** A bucket as a site. */
interface Site {
  readonly bucket: Bucket;
  /** Whether the bucket's facts should be read again. */
  readonly isAging: boolean;
  readonly website: Website | undefined;
  readonly prefix: string;
  readonly cleanUrls: boolean;
}

/** Answers a GET or HEAD. @throws Error if D1 or the blob store fails */
export async function answerSite(context: DeliveryContext): Promise<SiteAnswer> {
  const { siteKey, origin, requestId } = context;
  const bound = totalMs(defaultLifetime(context.settings));
  const { bucket, isAging } = (await findBucket(context)) ?? (await readSiteOnce(context));
  const refreshBucket = (): void => {
    if (isAging) refreshLater(context, bucketFactsPath(context), async () => readBucket(context));
  };
  if (bucket === undefined) {
    refreshBucket();
    return errorPage(new S3Error("NoSuchBucket"), requestId);
  }
  context.admit(bucket);
  const configuration = websiteFromText(bucket.configurations.website);
  if (configuration?.redirectAllRequestsTo !== undefined) {
    refreshBucket();
    return redirected(redirectToHost(configuration.redirectAllRequestsTo, siteKey, origin), bucket, bound);
  }
  const site = siteOf(context, { bucket, isAging }, configuration);
  const early = routedRedirect(configuration?.routingRules ?? [], siteKey, undefined, origin);
  if (early !== undefined) {
    refreshBucket();
    return redirected(early, bucket, bound);
  }
  try {
    return { ...(await answerObject(context, site)), bucket };
  } catch (error) {
    if (!(error instanceof S3Error)) throw error;
    return { ...(await answerError(context, site, error)), bucket };
  }
}

function siteOf(
  { target, settings }: DeliveryContext,
  { bucket, isAging }: Pick<Site, "bucket" | "isAging">,
  website: Website | undefined,
): Site {
  const delivery = deliveryFromText(bucket.configurations.delivery);
  return {
    bucket,
    isAging,
    website,
    prefix: target.kind === "fixed" ? target.prefix : (delivery?.prefix ?? ""),
    cleanUrls: settings.deliveryCleanUrls || delivery?.cleanUrls === true,
  };
}

/** A key that a path can mean. */
interface Candidate {
  readonly key: string;
  /** Whether the path lacks the slash of a folder. */
  readonly isFolder: boolean;
}

/** The keys that a path can mean, the first one first. @throws S3Error NoSuchKey, KeyTooLongError */
function candidates(siteKey: string, { website, prefix, cleanUrls }: Site): readonly [Candidate, ...Candidate[]] {
  const file = (key: string): Candidate => ({ key: prefix + key, isFolder: false });
  checkKey(prefix + siteKey);
  if (siteKey === "" || siteKey.endsWith("/")) {
    if (website !== undefined) return [file(siteKey + website.indexSuffix)];
    if (siteKey === "") throw new S3Error("NoSuchKey");
    return [file(siteKey)];
  }
  const index = website === undefined ? [] : [{ ...file(`${siteKey}/${website.indexSuffix}`), isFolder: true }];
  return [file(siteKey), ...(cleanUrls ? [file(`${siteKey}.html`)] : []), ...index];
}

async function answerObject(context: DeliveryContext, site: Site): Promise<SiteAnswer> {
  const { bucket, isAging } = site;
  const found = candidates(context.siteKey, site);
  const keys = found.map(({ key }) => key);
  const first = await findObject(context, bucket, keys);
  // A read of the object has read the bucket too.
  if (isAging && !first.isRead) refreshLater(context, bucketFactsPath(context), async () => readBucket(context));
  const answer = await answerFound(context, site, found, first);
  if (answer !== undefined) return answer;
  // The blob is missing because the object was replaced long ago, so ask for the current one.
  const again = await answerFound(
    context,
    site,
    found,
    await readObjects({ ...context, nearest: context.primary }, bucket, keys, 0),
  );
  if (again !== undefined) return again;
  throw new Error(`the blob of an object in bucket ${bucket.id} is missing`);
}

/** @returns undefined if the object's blob is missing */
async function answerFound(
  context: DeliveryContext,
  { bucket }: Site,
  [wanted, ...others]: readonly [Candidate, ...Candidate[]],
  found: FoundObject,
): Promise<SiteAnswer | undefined> {
  const { object, slices, index } = found;
  if (object === undefined) throw missing(context, bucket, wanted.key);
  requireReadable(context, bucket, object);
  const age = ageHeaders(context, found);
  if ([wanted, ...others][index]?.isFolder === true) {
    const { status, location } = redirectToFolder(context.siteKey);
    return { status, headers: { location, "cache-control": "no-cache", ...age } };
  }
  const location = redirectLocationOf(object);
  if (location !== undefined) {
    return { status: 301, headers: { location: storedLocation(location), ...redirectLifetime(object), ...age } };
  }
  const answer = await serveObject(context, { bucket, object, slices });
  return answer === undefined ? undefined : { ...answer, headers: { ...answer.headers, ...age } };
}

/** Browsers keep a 301 without a lifetime for as long as they like, so one without its own is confirmed each time. */
function redirectLifetime({ systemMetadata }: StoredObject): Record<string, string> {
  const own = Object.entries(systemMetadata).filter(([name]) => name === "cache-control" || name === "expires");
  return own.length === 0 ? { "cache-control": "no-cache" } : Object.fromEntries(own);
}

function ageHeaders({ now, settings }: DeliveryContext, { readAt, lifetime }: FoundObject): Record<string, string> {
  return stalenessHeaders(now - readAt, Math.max(totalMs(lifetime), totalMs(defaultLifetime(settings))));
}

/** @throws S3Error AccessDenied */
function requireReadable({ access }: DeliveryContext, bucket: Bucket, object: StoredObject): void {
  const authorization = { actions: ["s3:GetObject"], bucket, bucketName: bucket.name, key: object.key, object };
  access.requireAllowed({ ...authorization, inputs: INPUTS });
}

/**
 * The error for a key without an object. As in S3, only a caller who may list the bucket learns that. In addition, so
 * does one to whom the bucket's policy opens the key whatever its object is.
 */
function missing({ access }: DeliveryContext, bucket: Bucket, key: string): S3Error {
  const request = { actions: ["s3:GetObject"], bucket, bucketName: bucket.name, key, inputs: INPUTS };
  const isOpen = !dependsOnTags(bucket) && access.allows(request);
  const error = new S3Error("NoSuchKey", { Key: key });
  return isOpen ? error : access.maskNotFound(error, bucket, key);
}

/** The answer to an error: a routing rule's redirect, the error document, or the small page. */
async function answerError(context: DeliveryContext, site: Site, error: S3Error): Promise<SiteAnswer> {
  const { website, bucket, prefix } = site;
  const bound = totalMs(defaultLifetime(context.settings));
  if (website !== undefined) {
    const redirect = routedRedirect(website.routingRules, context.siteKey, error.status, context.origin);
    if (redirect !== undefined) return redirected(redirect, bucket, bound);
    const isDocumented = error.status >= 400 && error.status < 500 && error.status !== 412 && error.status !== 416;
    const document = isDocumented ? await errorDocument(context, bucket, prefix, website, error) : undefined;
    if (document !== undefined) return document;
  }
  const page = errorPage(error, context.requestId);
  return { ...page, headers: { ...page.headers, ...stalenessHeaders(0, bound) } };
}

async function errorDocument(
  context: DeliveryContext,
  bucket: Bucket,
  prefix: string,
  { errorKey }: Website,
  error: S3Error,
): Promise<SiteAnswer | undefined> {
  if (errorKey === undefined) return undefined;
  try {
    const found = await findObject(context, bucket, [prefix + errorKey]);
    const { object, slices } = found;
    if (object === undefined) return undefined;
    requireReadable(context, bucket, object);
    const answer = await serveObject(context, { bucket, object, slices, errorStatus: error.status });
    if (answer === undefined) return undefined;
    return { ...answer, headers: { ...answer.headers, ...ageHeaders(context, found) }, errorCode: error.code };
  } catch (ofDocument) {
    if (ofDocument instanceof S3Error) return undefined;
    throw ofDocument;
  }
}

function redirected({ status, location }: Redirect, bucket: Bucket, boundMs: number): SiteAnswer {
  return { status, headers: { location, "cache-control": "no-cache", ...stalenessHeaders(0, boundMs) }, bucket };
}
