// The format of every error, for all operations.
import { expect } from "vitest";

import { namesOf, readXml } from "./read-xml.ts";

/** An error to expect. `fields` are the elements beside Code, Message, Resource, RequestId and HostId: all of them. */
export interface ExpectedError {
  readonly status: number;
  readonly code: string;
  readonly fields?: Readonly<Record<string, unknown>>;
  /** The expected message; it is never empty. */
  readonly message?: string | RegExp;
}

/** Asserts that a response is an S3 error with a body, and returns its message. */
export async function expectS3Error(response: Response, expected: ExpectedError): Promise<string> {
  const text = await response.text();
  expect(text, `status ${response.status}`).toContain(`<Code>${expected.code}</Code>`);
  expect(response.status).toBe(expected.status);
  expect(response.headers.get("content-type")).toBe("application/xml");
  const { requestId, hostId } = expectAnswerHeaders(response);

  const error = readXml(text);
  expect({ name: error.name, attributes: error.attributes, text: error.text }).toEqual({
    name: "Error",
    attributes: {},
    text: "",
  });
  const names = namesOf(error);
  expect(names.slice(0, 2)).toEqual(["Code", "Message"]);
  expect(names.slice(-3)).toEqual(["Resource", "RequestId", "HostId"]);
  expect(new Set(names).size).toBe(names.length);
  const fields = Object.fromEntries(error.children.map(({ name, text }) => [name, text]));
  const { Code, Message = "", Resource: _, RequestId, HostId, ...others } = fields;
  expect({ Code, RequestId, HostId }).toEqual({ Code: expected.code, RequestId: requestId, HostId: hostId });
  expect(Message).not.toBe("");
  if (expected.message !== undefined) expect(Message).toEqual(stringMatching(expected.message));
  expect(others).toEqual(expected.fields ?? {});
  return Message;
}

/** Asserts that a response is the failure of a HEAD: a status, the ids, and no body. */
export async function expectHeadError(response: Response, status: number): Promise<void> {
  expect(response.status).toBe(status);
  expect(response.body).toBeNull();
  expect(await response.text()).toBe("");
  expect(response.headers.get("content-type")).toBeNull();
  expectAnswerHeaders(response);
}

/** Asserts the headers of every response, and returns its ids. */
export function expectAnswerHeaders(response: Response): { readonly requestId: string; readonly hostId: string } {
  const requestId = response.headers.get("x-amz-request-id") ?? "";
  const hostId = response.headers.get("x-amz-id-2") ?? "";
  expect(requestId).toMatch(/^[0-9A-V]{16}$/);
  expect(hostId).toMatch(/^[0-9a-v]{64}$/);
  expect(response.headers.get("server")).toBe("Cairn");
  expect(response.headers.get("content-security-policy")).toBe("sandbox");
  expect(response.headers.get("x-content-type-options")).toBe("nosniff");
  expect(Math.abs(Date.parse(response.headers.get("date") ?? "") - Date.now())).toBeLessThan(60_000);
  return { requestId, hostId };
}

function stringMatching(pattern: string | RegExp): unknown {
  return typeof pattern === "string" ? pattern : expect.stringMatching(pattern);
}
