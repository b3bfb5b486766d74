// Named checks in suites, and a report that prints one line for each check and counts them. Independent of Cairn and of
// any client.

import { setTimeout as pause } from "node:timers/promises";

const SHOWN_REASON_CHARACTERS = 1500;
const DAY_MS = 86_400_000;
/** Longer than a check takes that expects today's date. */
const BEFORE_MIDNIGHT_MS = 30_000;

/** One behaviour, named by a sentence. A check fails by throwing. */
export interface Check {
  readonly name: string;
  readonly run: () => Promise<void>;
}

/** The checks of one client at one endpoint. */
export interface Suite {
  readonly client: string;
  run(report: Report): Promise<void>;
}

/** Receives the outcomes of checks. */
export interface Report {
  passed(client: string, name: string, seconds: number): void;
  failed(client: string, name: string, reason: string, seconds: number): void;
  skipped(client: string, reason: string): void;
}

/** A suite that runs its checks in their order; a check that fails does not stop the next. */
export function suiteOf(client: string, checks: readonly Check[]): Suite {
  return {
    client,
    async run(report) {
      for (const { name, run } of checks) {
        const left = DAY_MS - (Date.now() % DAY_MS);
        if (left <= BEFORE_MIDNIGHT_MS) await pause(left);
        const start = performance.now();
        try {
          await run();
          report.passed(client, name, secondsSince(start));
        } catch (error) {
          report.failed(client, name, reasonOf(error), secondsSince(start));
        }
      }
    },
  };
}

/** Prints each outcome as it comes and counts them. */
export class PrintedReport implements Report {
  #passed = 0;
  #skipped = 0;
  readonly #failures: string[] = [];

  passed(client: string, name: string, seconds: number): void {
    this.#passed += 1;
    console.log(`ok    ${client}: ${name} (${seconds.toFixed(1)} s)`);
  }

  failed(client: string, name: string, reason: string, seconds: number): void {
    const shown = reason.trim().slice(0, SHOWN_REASON_CHARACTERS).replaceAll("\n", "\n      ");
    this.#failures.push(`FAIL  ${client}: ${name}`);
    console.log(`FAIL  ${client}: ${name} (${seconds.toFixed(1)} s)\n      ${shown}`);
  }

  skipped(client: string, reason: string): void {
    this.#skipped += 1;
    console.log(`skip  ${client}: ${reason}`);
  }

  get hasFailures(): boolean {
    return this.#failures.length > 0;
  }

  /** Prints the failures again, then the counts in the last line. */
  printSummary(): void {
    if (this.hasFailures) console.log(`\n${this.#failures.join("\n")}`);
    console.log(`\nclients: ${this.#passed} passed, ${this.#failures.length} failed, ${this.#skipped} skipped`);
  }
}

/** Runs suites, several at a time where the machine has several cores: most of their time is the start of processes. */
export async function runSuites(suites: readonly Suite[], report: Report, lanes: number): Promise<void> {
  const waiting = [...suites];
  const lane = async (): Promise<void> => {
    for (let suite = waiting.shift(); suite !== undefined; suite = waiting.shift()) {
      const { client } = suite;
      const start = performance.now();
      await suite.run(report).catch((error: unknown) => {
        report.failed(client, "the checks run to their end", reasonOf(error), secondsSince(start));
      });
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

/** The message of a thrown value. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.name === "AssertionError" || error.message.includes(error.name)
    ? error.message
    : `${error.name}: ${error.message}`;
}

function secondsSince(start: number): number {
  return (performance.now() - start) / 1000;
}
