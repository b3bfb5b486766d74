// Conditional puts that wait for their turn at a key. When an earlier write of the key has moved its head, all that waited
// before that write was sent, and whose conditions fail on the new head, are refused at once: between their arrival and
// now, the key had this head. So of many contenders one commits, and the others need no round trip of their own.
import { refuseWrite, type WriteRefusal } from "../../protocol/objects/conditions.ts";
import type { KeyHead } from "../commit/heads.ts";
import type { PutChange } from "./changes.ts";

/** A put that waits. */
class Contender {
  readonly #change: PutChange;
  readonly #refusal = Promise.withResolvers<WriteRefusal>();
  #isRefused = false;

  constructor(change: PutChange) {
    this.#change = change;
  }

  get isRefused(): boolean {
    return this.#isRefused;
  }

  /** Resolves if it is refused before its turn. */
  get refusal(): Promise<WriteRefusal> {
    return this.#refusal.promise;
  }

  /** Refuses it if its conditions fail on a head that the key had while it waited. */
  evaluate(head: KeyHead): void {
    const { conditions, key, observedHead } = this.#change;
    const refusal = refuseWrite(conditions, key, observedHead.current, head.current);
    if (refusal === undefined) return;
    this.#isRefused = true;
    this.#refusal.resolve(refusal);
  }
}

/** The puts that wait, by key of the queue. */
export class Contenders {
  readonly #waiting = new Map<string, Set<Contender>>();

  /** Adds a put that begins to wait. */
  add(queueKey: string, change: PutChange): Contender {
    const contender = new Contender(change);
    const waiting = this.#waiting.get(queueKey) ?? new Set();
    this.#waiting.set(queueKey, waiting.add(contender));
    return contender;
  }

  /** Removes a put whose turn has come. */
  remove(queueKey: string, contender: Contender): void {
    const waiting = this.#waiting.get(queueKey);
    waiting?.delete(contender);
    if (waiting?.size === 0) this.#waiting.delete(queueKey);
  }

  /** The puts that wait for a key at this moment. */
  waitingFor(queueKey: string): readonly Contender[] {
    return Array.from(this.#waiting.get(queueKey) ?? []);
  }
}
