// Events through a queue of the runtime: a served Cairn sends them to a queue's binding, and another Worker consumes the
// queue. `npm run test:serve` runs it.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { Requests } from "../crash/requests.ts";
import { ACCESS_KEY_ID, makeCredentials, SECRET_ACCESS_KEY } from "../../scripts/project/credentials.ts";
import { serveCairn, type ServedCairn } from "../../scripts/serve/runtime.ts";

const CONSUMER = "consumer";
const ATTEMPTS = 1200;
const PAUSE_MS = 50;
const credentials = makeCredentials();
const state = mkdtempSync(join(tmpdir(), "cairn-queue-"));
let cairn: ServedCairn;
let requests: Requests;

/** Keeps what it accepts, and refuses the first delivery of each message whose text contains `refused`. */
const CONSUMER_SOURCE = `
  const accepted = [];
  const refused = new Set();
  export default {
    fetch: () => Response.json(accepted),
    queue({ messages }) {
      for (const message of messages) {
        const text = JSON.stringify(message.body);
        if (text.includes("refused") && !refused.has(message.id)) {
          refused.add(message.id);
          message.retry();
        } else accepted.push(message.body);
      }
    },
  };`;

interface Message {
  readonly Event?: string;
  readonly Bucket?: string;
  readonly Records?: readonly {
    readonly eventName: string;
    readonly s3: {
      readonly bucket: { readonly name: string };
      readonly object: { readonly key: string; readonly size?: number; readonly sequencer: string };
    };
  }[];
}

/** What the consumer has accepted, once it is as much as expected. */
async function accepted(isEnough: (messages: readonly Message[]) => boolean): Promise<readonly Message[]> {
  const url = await cairn.urlOf(CONSUMER);
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    // What the consumer answers.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const messages = (await (await fetch(url)).json()) as readonly Message[];
    if (isEnough(messages)) return messages;
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  throw new Error("the messages did not arrive");
}

const eventsIn = (messages: readonly Message[]): string[] =>
  messages.flatMap(({ Records = [] }) => Records.map(({ eventName, s3 }) => `${eventName} ${s3.object.key}`));

before(async () => {
  cairn = await serveCairn({
    state,
    host: "127.0.0.1",
    port: 0,
    bindings: {
      [ACCESS_KEY_ID]: credentials.accessKeyId,
      [SECRET_ACCESS_KEY]: credentials.secretAccessKey,
      EVENT_QUEUES: "IMAGES",
      LOG_REQUESTS: "false",
    },
    queues: ["IMAGES"],
    beside: [
      {
        name: CONSUMER,
        modules: [{ type: "ESModule", path: "consumer.js", contents: CONSUMER_SOURCE }],
        modulesRoot: "/",
        compatibilityDate: "2026-01-01",
        queueConsumers: { IMAGES: { maxBatchSize: 5, maxBatchTimeout: 0, maxRetries: 3 } },
        unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
      },
    ],
  });
  requests = new Requests(cairn.url, credentials);
  assert.equal((await requests.send("PUT", "/photos")).status, 200);
});

after(async () => {
  await cairn.stop();
  rmSync(state, { recursive: true, force: true, maxRetries: 5 });
});

void describe("a queue of the runtime", () => {
  void it("gets the test event, and each event of the bucket that its rule matches", async () => {
    const document = `<NotificationConfiguration><QueueConfiguration><Queue>arn:cairn:queue:::IMAGES</Queue>
      <Event>s3:ObjectCreated:*</Event><Event>s3:ObjectRemoved:*</Event>
      <Filter><S3Key><FilterRule><Name>suffix</Name><Value>.png</Value></FilterRule></S3Key></Filter>
      </QueueConfiguration></NotificationConfiguration>`;
    const set = await requests.send("PUT", "/photos?notification", {}, document);
    assert.equal(set.status, 200, set.body.toString());
    await accepted((messages) => messages.some(({ Event, Bucket }) => Event === "s3:TestEvent" && Bucket === "photos"));
    for (const key of ["a%20b.png", "other.txt", "refused.png"]) {
      assert.equal((await requests.send("PUT", `/photos/${key}`, {}, "12345")).status, 200);
    }
    assert.equal((await requests.send("DELETE", "/photos/a%20b.png")).status, 204);
    const messages = await accepted((found) => eventsIn(found).length >= 3);
    assert.deepEqual(eventsIn(messages).sort(), [
      "ObjectCreated:Put a+b.png",
      "ObjectCreated:Put refused.png",
      "ObjectRemoved:Delete a+b.png",
    ]);
    const records = messages.flatMap(({ Records = [] }) => Records);
    const ofKey = records.filter(({ s3 }) => s3.object.key === "a+b.png");
    const [created, removed] = [...ofKey].sort((a, b) => (a.s3.object.sequencer < b.s3.object.sequencer ? -1 : 1));
    assert.deepEqual([created?.eventName, removed?.eventName], ["ObjectCreated:Put", "ObjectRemoved:Delete"]);
    assert.equal(created?.s3.object.size, 5);
  });
});
