// The response documents of IAM and STS.
import { element, type XmlElement } from "../../bytes/xml.ts";
import type { QueryApiError } from "./query-api-error.ts";

/** The query API services, with their API version and XML namespace. */
export const QUERY_SERVICES = {
  iam: { version: "2010-05-08", namespace: "https://iam.amazonaws.com/doc/2010-05-08/" },
  sts: { version: "2011-06-15", namespace: "https://sts.amazonaws.com/doc/2011-06-15/" },
} as const;

export type QueryService = keyof typeof QUERY_SERVICES;

/** The content of an action's response; undefined for an empty response. */
export type QueryResult = readonly (XmlElement | undefined)[] | undefined;

/** The response document of an action. */
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

/** The response document of an error. */
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

/** A list of elements named `member`. */
export function memberList(
  name: string,
  members: readonly (readonly (XmlElement | undefined)[] | string)[],
): XmlElement {
  return element(
    name,
    members.map((member) => element("member", member)),
  );
}
