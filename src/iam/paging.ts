// Pages of IAM's lists, by MaxItems and Marker.
import { compareUtf8 } from "../bytes/text.ts";
import { element, optionalElement, type XmlElement } from "../bytes/xml.ts";
import { makeToken, readToken } from "../protocol/listings/listing.ts";
import { QueryApiError } from "../protocol/iam/query-api-error.ts";
import type { QueryParameters } from "../protocol/iam/query-parameters.ts";

const DEFAULT_ITEMS = 100;
const MAX_ITEMS = 1000;
const MAX_MARKER_LENGTH = 4096;

/** The requested page. */
export interface PageRequest {
  /** The last item of the previous page; undefined for the first page. */
  readonly after: string | undefined;
  readonly limit: number;
}

/** @param listing identifies the list that a marker belongs to @throws QueryApiError ValidationError */
export async function readPage(parameters: QueryParameters, listing: readonly string[]): Promise<PageRequest> {
  const limit = parameters.optionalNumber("MaxItems", 1, MAX_ITEMS) ?? DEFAULT_ITEMS;
  const marker = parameters.optionalText("Marker", { max: MAX_MARKER_LENGTH });
  if (marker === undefined) return { after: undefined, limit };
  const after = await readToken(marker, listing).catch(() => {
    throw new QueryApiError("ValidationError", "Invalid Marker.");
  });
  return { after, limit };
}

/** The elements that end a page; `last` is its last item if more items follow. */
export async function pageElements(last: string | undefined, listing: readonly string[]): Promise<XmlElement[]> {
  const marker = last === undefined ? undefined : await makeToken(last, listing);
  return [element("IsTruncated", last !== undefined), optionalElement("Marker", marker)].filter(
    (found) => found !== undefined,
  );
}

/**
 * A page of a complete list, with the elements that end it. The list is sorted by name, so that a marker stays valid
 * when its item is deleted or replaced.
 * @param nameOf returns a unique name of an item
 */
export async function pageOf<Item>(
  items: readonly Item[],
  nameOf: (item: Item) => string,
  parameters: QueryParameters,
  listing: readonly string[],
): Promise<{ readonly page: readonly Item[]; readonly elements: readonly XmlElement[] }> {
  const { after, limit } = await readPage(parameters, listing);
  const following = items
    .filter((item) => after === undefined || compareUtf8(nameOf(item), after) > 0)
    .toSorted((one, other) => compareUtf8(nameOf(one), nameOf(other)));
  const page = following.slice(0, limit);
  const last = page.at(-1);
  const isTruncated = last !== undefined && following.length > limit;
  return { page, elements: await pageElements(isTruncated ? nameOf(last) : undefined, listing) };
}
