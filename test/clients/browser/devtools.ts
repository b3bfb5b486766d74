// Chromium driven by the DevTools protocol: what a person does with a page over time, such as choosing files and reloading.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { at } from "../at.ts";
import { endGroup, words } from "../run-command.ts";
import { clientEnvironment, newFolder, type Site } from "../site.ts";
import { CHROMIUM } from "./chromium.ts";

const START_TIMEOUT_MS = 60_000;
const POLL_MS = 50;

/** One page of a browser of its own. */
export interface DrivenPage {
  /** Opens a URL and waits until the page is loaded. */
  open(url: string): Promise<void>;
  /** Evaluates an expression, awaits its promise, and answers its JSON value. */
  evaluate(expression: string): Promise<unknown>;
  /** Chooses a file in an input. */
  choose(selector: string, file: string): Promise<void>;
  /** Waits until an expression is true. */
  until(expression: string, timeoutMs?: number): Promise<void>;
  close(): void;
}

/** Starts a browser with an empty profile. */
export async function drivePage(site: Site): Promise<DrivenPage> {
  const folder = newFolder(site, "driven");
  const child = spawn(
    CHROMIUM,
    [
      ...words("--headless --no-sandbox --disable-gpu --disable-dev-shm-usage --disable-extensions --no-first-run"),
      ...words(
        "--disable-background-networking --disable-component-update --no-proxy-server --remote-debugging-port=0",
      ),
      `--user-data-dir=${folder}`,
      "about:blank",
    ],
    { env: clientEnvironment(site, folder), stdio: "ignore", detached: true },
  );
  const close = (): void => {
    endGroup(child);
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    const calls = new Calls(await connect(child, folder));
    return pageOf(calls, close);
  } catch (error) {
    close();
    throw error;
  }
}

function pageOf(calls: Calls, close: () => void): DrivenPage {
  const evaluate = async (expression: string): Promise<unknown> => {
    const answer = await calls.send("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true });
    const thrown = at(answer, "exceptionDetails", "exception", "description");
    assert.equal(thrown, undefined, String(thrown));
    return at(answer, "result", "value");
  };
  const until = async (expression: string, timeoutMs = 60_000): Promise<void> => {
    for (const end = Date.now() + timeoutMs; ;) {
      if ((await evaluate(expression)) === true) return;
      if (Date.now() > end)
        throw new Error(`never true: ${expression}\n${String(await evaluate("document.body.innerText"))}`);
      await sleep(POLL_MS);
    }
  };
  return {
    async open(url) {
      await calls.send("Page.navigate", { url });
      await until(`location.href === ${JSON.stringify(url)} && document.readyState === "complete"`);
    },
    evaluate,
    async choose(selector, file) {
      const root = await calls.send("DOM.getDocument", {});
      const node = await calls.send("DOM.querySelector", { nodeId: at(root, "root", "nodeId"), selector });
      await calls.send("DOM.setFileInputFiles", { nodeId: at(node, "nodeId"), files: [file] });
    },
    until,
    close,
  };
}

/** The socket of the browser's only page. */
async function connect(child: ChildProcess, folder: string): Promise<WebSocket> {
  const file = join(folder, "DevToolsActivePort");
  for (const end = Date.now() + START_TIMEOUT_MS; ;) {
    if (child.exitCode !== null || Date.now() > end) throw new Error("Chromium did not start");
    const [port = ""] = existsSync(file) ? readFileSync(file, "utf8").split("\n") : [];
    const targets: unknown = port === "" ? [] : await fetch(`http://127.0.0.1:${port}/json`).then((it) => it.json());
    const page = Array.isArray(targets) ? targets.find((target) => at(target, "type") === "page") : undefined;
    const url = at(page, "webSocketDebuggerUrl");
    if (typeof url === "string") return new WebSocket(url);
    await sleep(POLL_MS);
  }
}

/** Calls of the protocol, which are answered by their numbers. */
class Calls {
  readonly #socket: WebSocket;
  readonly #opened: Promise<void>;
  readonly #waiting = new Map<number, (answer: unknown) => void>();
  #last = 0;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    this.#opened = new Promise((resolve, reject) => {
      socket.addEventListener("open", () => resolve());
      socket.addEventListener("error", () => reject(new Error("the browser closed its socket")));
    });
    socket.addEventListener("message", ({ data }) => {
      const answer: unknown = JSON.parse(String(data));
      this.#waiting.get(Number(at(answer, "id")))?.(answer);
    });
  }

  async send(method: string, params: object): Promise<unknown> {
    await this.#opened;
    this.#last += 1;
    const id = this.#last;
    const answered = new Promise<unknown>((resolve) => {
      this.#waiting.set(id, resolve);
    });
    this.#socket.send(JSON.stringify({ id, method, params }));
    const answer = await answered;
    this.#waiting.delete(id);
    assert.equal(at(answer, "error"), undefined, `${method}: ${JSON.stringify(at(answer, "error"))}`);
    return at(answer, "result");
  }
}
