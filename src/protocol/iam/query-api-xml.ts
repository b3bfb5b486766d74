// The documents that IAM and STS answer with.
import { element, type XmlElement } from "../../bytes/xml.ts";
import type { QueryApiError } from "./query-api-error.ts";

/** The services of this kind, with the version of their APIs and the namespace of their answers. */
export const QUERY_SERVICES = {
  iam: { version: "2010-05-08", namespace: "https://iam.amazonaws.com/doc/2010-05-08/" },
  sts: { version: "2011-06-15", namespace: "https://sts.amazonaws.com/doc/2011-06-15/" },
} as const;

export type QueryService = keyof typeof QUERY_SERVICES;

/** What an action answers; undefined for those whose answer has no content. */
export type QueryResult = readonly (XmlElement | undefined)[] | undefined;

/** The answer to an action. */
export function resultDocument(
  service: QueryService,
  action: string,
  result: QueryResult,
  requestId: string,
): XmlElement {
  return element(
    `${action}Response`,
    [
      result === undefined ? undefined : element(`${action}Result`, result),
      element("ResponseMetadata", [element("RequestId", requestId)]),
    ],
    { xmlns: QUERY_SERVICES[service].namespace },
  );
}

/** The answer to what is refused or failed. */
export function errorDocument(
  service: QueryService,
  { code, message, status }: QueryApiError,
  requestId: string,
): XmlElement {
  return element(
    "ErrorResponse",
    [
      element("Error", [
        element("Type", status < 500 ? "Sender" : "Receiver"),
        element("Code", code),
        element("Message", message),
      ]),
      element("RequestId", requestId),
    ],
    { xmlns: QUERY_SERVICES[service].namespace },
  );
}

/** A list whose entries are all called `member`. */
export function memberList(
  name: string,
  members: readonly (readonly (XmlElement | undefined)[] | string)[],
): XmlElement {
  return element(
    name,
    members.map((member) => element("member", member)),
  );
}
