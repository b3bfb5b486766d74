// Sends requests to the Worker and to the model, and compares the responses.
import { expect } from "vitest";

import { send, type SendOptions } from "../support/client.ts";
import { readXml, textOf, type Element } from "../support/read-xml.ts";
import type { When } from "./commands.ts";
import { md5, type Answer, type Conditions } from "./model-state.ts";
import { bare, bytesOf } from "./request-encoding.ts";
import { ResourceNames, type ObjectName } from "./resource-names.ts";
import { S3Model } from "./s3-model.ts";

interface Sent {
  readonly answer: Answer;
  readonly body: Element | undefined;
}

export class Comparison {
  /** The requests so far with their responses, for a person to read. */
  readonly transcript: string[] = [];
  readonly model = new S3Model();
  readonly names = new ResourceNames();

  async send(method: string, target: string, options: SendOptions = {}): Promise<Sent> {
    const response = await send(method, target, options);
    const header = (name: string): string | undefined => response.headers.get(name) ?? undefined;
    const bytes = new Uint8Array(await response.arrayBuffer());
    const isXml = bytes.length > 0 && header("content-type") === "application/xml";
    const body = isXml ? readXml(new TextDecoder().decode(bytes)) : undefined;
    const code = body?.name === "Error" ? textOf(body, "Code") : undefined;
    const isObject = method === "GET" && !isXml && response.status < 300;
    const answer: Answer = {
      status: response.status,
      code,
      versionId: header("x-amz-version-id"),
      isDeleteMarker: header("x-amz-delete-marker") === "true" ? true : undefined,
      sourceVersionId: header("x-amz-copy-source-version-id"),
      etag: bare(header("etag") ?? (body === undefined || code !== undefined ? undefined : textOf(body, "ETag"))),
      tagCount: header("x-amz-tagging-count"),
      bytes: isObject ? bytes : undefined,
    };
    this.transcript.push(
      `${method} ${this.names.readable(target)} ${this.names.readable(JSON.stringify(options))} -> ${response.status} ${code ?? ""} ${this.names.readable(answer.versionId ?? "")}`,
    );
    return { answer, body };
  }

  /** Runs the same request on the model, and learns the id of its version. */
  agree(at: ObjectName | undefined, answer: Answer, request: (model: S3Model) => Answer): void {
    const expected = this.model.respond(request);
    const versionId = this.names.learn(answer.versionId, expected.versionId, at);
    this.compare({ ...answer, versionId, sourceVersionId: this.names.known(answer.sourceVersionId) }, expected);
  }

  compare(actual: Answer, expected: Answer): void {
    const [given, due] = [shown(actual), shown(expected)];
    expect(given, `answered: ${JSON.stringify(given)}\nexpected: ${JSON.stringify(due)}\n`).toEqual(due);
  }

  conditions({ bucket, key }: ObjectName, when: When): Conditions {
    const other = md5(bytesOf("other"));
    if (when === "absent") return { ifNoneMatch: true };
    return {
      ifMatch:
        when === "always" ? undefined : when === "other" ? other : (this.model.currentEtag(bucket, key) ?? other),
    };
  }
}

/** Bytes are compared by length and digest: printing megabytes helps no reader. */
function shown({ bytes, ...answer }: Answer): unknown {
  return { ...answer, bytes: bytes === undefined ? undefined : `${bytes.length} bytes ${md5(bytes)}` };
}
