// Rules of the IAM and STS APIs that apply to every action.
import { AwsClient } from "aws4fetch";
import { describe, expect, it } from "vitest";

import { QUERY_SERVICES } from "../../src/protocol/iam/query-api-xml.ts";
import { anonymous, deliver, ENDPOINT, ROOT, send, streamOf, type RequestScope } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { expectAnswerHeaders, expectS3Error } from "../support/expect-s3-error.ts";
import { connectionLost, d1With } from "../support/faults.ts";
import {
  call,
  expectApiError,
  freshUserName,
  refuse,
  signedCall,
  succeed,
  type CallOptions,
  type Service,
} from "../support/query-api.ts";

const SERVICES: readonly Service[] = ["iam", "sts"];

async function refusedBody(
  service: Service,
  body: string,
  refusal: readonly [status: number, code: string, message?: string | RegExp],
  options: CallOptions = {},
): Promise<string> {
  return expectApiError(await deliver(await signedCall(service, body, options)), service, ...refusal);
}

/** The same request with other headers and its original signature. */
function changed(request: Request, headers: Readonly<Record<string, string>>, body?: string): Request {
  const all = new Headers(request.headers);
  for (const [name, value] of Object.entries(headers)) all.set(name, value);
  return new Request(request.url, { method: request.method, headers: all, body: body ?? null });
}

describe("a call", () => {
  it("returns S3's headers and the same request id everywhere", async () => {
    const response = await call("sts", "GetCallerIdentity");
    const { requestId } = expectAnswerHeaders(response);
    expect(response.headers.get("x-amzn-requestid")).toBe(requestId);
    expect(costOf(response)).toMatchObject({ roundTrips: 0, blobCalls: 0 });
    expect(await response.text()).toContain(`<RequestId>${requestId}</RequestId>`);
  });

  it("can be a form or a query, in any region's scope", async () => {
    for (const region of ["us-east-1", "aws-global", "eu-central-1", ""]) {
      for (const method of ["GET", "POST"] as const) {
        await succeed("sts", "GetCallerIdentity", {}, { method, region });
        await succeed("iam", "ListUsers", { MaxItems: "1" }, { method, region });
      }
    }
  });

  it("requires an action and its version", async () => {
    for (const service of SERVICES) {
      const { version } = QUERY_SERVICES[service];
      await refusedBody(service, "", [400, "MissingAction"]);
      await refusedBody(service, `Version=${version}`, [400, "MissingAction"]);
      await refusedBody(service, `Action=&Version=${version}`, [400, "MissingAction"]);
      for (const action of ["CreateRole", "getuser", "__proto__", "constructor", "toString"]) {
        const said = `Could not find operation ${action} for version ${version}`;
        await refusedBody(service, `Action=${action}&Version=${version}`, [400, "InvalidAction", said]);
      }
    }
    await refusedBody("iam", "Action=GetUser", [400, "InvalidAction", "for version NO_VERSION_SPECIFIED"]);
    await refusedBody("iam", "Action=GetUser&Version=2011-06-15", [400, "InvalidAction"]);
    await refusedBody("iam", "Action=GetCallerIdentity&Version=2010-05-08", [400, "InvalidAction"]);
    await refusedBody("sts", "Action=GetUser&Version=2011-06-15", [400, "InvalidAction"]);
  });

  it("requires well-formed parameters without duplicates", async () => {
    const start = "Action=GetUser&Version=2010-05-08";
    for (const body of [`${start}&UserName=%`, `${start}&UserName=%ff`, `${start}&UserName=a&UserName=b`]) {
      await refusedBody("iam", body, [404, "MalformedQueryString"]);
    }
    await refusedBody("iam", `${start}&UserName=${freshUserName()}`, [404, "NoSuchEntity"]);
    await refusedBody("iam", `${start}&UserName=%3Cb%3E%26`, [400, "ValidationError"]);
  });

  it("has a bounded body size", async () => {
    const body = `Action=GetUser&Version=2010-05-08&UserName=${"x".repeat(600_000)}`;
    await refusedBody("iam", body, [413, "RequestEntityTooLarge"]);
  });

  it("that breaks off is rejected without an internal error", async () => {
    const request = await signedCall("iam", "Action=ListUsers&Version=2010-05-08");
    const body = streamOf([new TextEncoder().encode("Action=")], new Error("client went away"));
    const broken = new Request(request.url, { method: "POST", headers: request.headers, body });
    await expectApiError(await deliver(broken), "iam", 400, "ValidationError");
  });

  it("uses GET or POST on the endpoint's root path", async () => {
    const client = new AwsClient({ ...ROOT, service: "iam", region: "us-east-1" });
    for (const [method, path] of [
      ["PUT", "/"],
      ["DELETE", "/"],
      ["GET", "/bucket"],
      ["POST", "/bucket/key"],
    ] as const) {
      const request = await client.sign(`${ENDPOINT}${path}?Action=ListUsers&Version=2010-05-08`, { method });
      await expectApiError(await deliver(request), "iam", 400, "InvalidAction");
    }
  });
});

describe("a call's signature", () => {
  const form = "Action=GetCallerIdentity&Version=2011-06-15";

  it("covers the body", async () => {
    const request = await signedCall("sts", form);
    const other = "Action=GetSessionToken&Version=2011-06-15";
    const swapped = changed(request, { "content-length": String(other.length) }, other);
    await expectApiError(await deliver(swapped), "sts", 403, "SignatureDoesNotMatch");
    const unsigned = new AwsClient({ ...ROOT, service: "sts", region: "us-east-1" });
    const headers = { "x-amz-content-sha256": "UNSIGNED-PAYLOAD", "content-length": String(form.length) };
    const open = await unsigned.sign(`${ENDPOINT}/`, { method: "POST", headers, body: form });
    await expectApiError(await deliver(open), "sts", 403, "SignatureDoesNotMatch");
  });

  it("is rejected with a wrong secret or an unknown key, without disclosing the secret", async () => {
    for (const service of SERVICES) {
      const action = service === "iam" ? "ListUsers" : "GetCallerIdentity";
      const wrong = { ...ROOT, secretAccessKey: "guessed" };
      const said = await refuse(service, action, {}, [403, "SignatureDoesNotMatch"], { credentials: wrong });
      expect(said).not.toContain(ROOT.secretAccessKey);
      for (const accessKeyId of ["AKIA0000000000000000", "__proto__", "ASIA0000000000000000"]) {
        const unknown = { accessKeyId, secretAccessKey: "x" };
        const options = { credentials: unknown };
        await refuse(service, action, {}, [403, "InvalidClientTokenId", "The security token included"], options);
      }
    }
  });

  it("is valid for one service only", async () => {
    const request = await signedCall("sts", form);
    const authorization = request.headers.get("authorization") ?? "";
    for (const [from, to, service] of [
      ["/sts/", "/iam/", "iam"],
      ["/iam/", "/sts/", "sts"],
    ] as const) {
      const signed = service === "sts" ? await signedCall("iam", form) : request;
      const moved = (signed === request ? authorization : (signed.headers.get("authorization") ?? "")).replace(
        from,
        to,
      );
      const response = await deliver(changed(signed, { authorization: moved }, form));
      await expectApiError(response, service, 403, "SignatureDoesNotMatch");
    }
    const asS3 = changed(request, { authorization: authorization.replace("/sts/", "/s3/") }, form);
    await deliver(asS3).then((response) => expect(response.status).toBeGreaterThanOrEqual(400));
    const asOther = changed(request, { authorization: authorization.replace("/sts/", "/sqs/") }, form);
    await expectS3Error(await deliver(asOther), { status: 400, code: "AuthorizationHeaderMalformed" });
  });

  it("must be recent and complete", async () => {
    const request = await signedCall("iam", form);
    const date = changed(request, { "x-amz-date": "20200101T000000Z" }, form);
    await expectApiError(await deliver(date), "iam", 400, "IncompleteSignature");
    const authorization = (request.headers.get("authorization") ?? "").replace(/\/\d{8}\//, "/20200101/");
    const old = changed(request, { "x-amz-date": "20200101T000000Z", authorization }, form);
    await expectApiError(await deliver(old), "iam", 403, "SignatureDoesNotMatch", "Signature expired");
    const cut = changed(request, { authorization: authorization.replace(/, Signature=.*/, "") }, form);
    await expectApiError(await deliver(cut), "iam", 400, "IncompleteSignature");
    const added = changed(request, { "x-amz-security-token": "x" }, form);
    await expectApiError(await deliver(added), "iam", 403, "AccessDenied", "not signed");
  });

  it("is required: a form without one is an S3 request", async () => {
    const response = await deliver(
      anonymous("POST", "/", { body: form, headers: { "content-type": "application/x-www-form-urlencoded" } }),
    );
    expect(response.status).toBeGreaterThanOrEqual(400);
    expect(response.status).toBeLessThan(500);
    expect(await response.text()).not.toContain("GetCallerIdentityResult");
  });
});

describe("an internal error", () => {
  it("is returned in the API's format and without details", async () => {
    const leak = new Error("D1_ERROR: SELECT * FROM access_keys: internal/?token=opaque");
    const failing: RequestScope = { DB: d1With(() => Promise.reject(leak)) };
    const said = await call("iam", "ListUsers", {}, { scope: failing });
    expect(said.status).toBe(500);
    const text = await said.text();
    expect(text).toContain("<Type>Receiver</Type>");
    for (const part of ["SELECT", "D1_ERROR", "access_keys", "opaque"]) expect(text).not.toContain(part);
  });
});

describe("a transient error of the database", () => {
  it("is returned as retryable", async () => {
    const scope = { DB: d1With(() => Promise.reject(connectionLost())) };
    await refuse("iam", "ListUsers", {}, [503, "ServiceUnavailable", "try again"], { scope });
  });
});

describe("S3", () => {
  it("receives its requests with any bucket and key", async () => {
    const response = await send("GET", "/?Action=ListUsers&Version=2010-05-08");
    expect(response.status).toBe(200);
    expect(await response.text()).toContain("<ListAllMyBucketsResult");
  });
});
