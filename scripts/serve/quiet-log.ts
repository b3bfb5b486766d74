// Limits Miniflare's log to warnings and errors, and silences it while the server stops, when the runtime's end is
// expected.
import { Log, LogLevel } from "miniflare";

export class QuietLog extends Log {
  #silent = false;

  constructor() {
    super(LogLevel.WARN);
  }

  /** Logs nothing from now on. */
  silence(): void {
    this.#silent = true;
  }

  override log(message: string): void {
    if (!this.#silent) super.log(message);
  }
}
