// What Miniflare may say on the terminal: warnings and errors, and nothing once the server is being stopped, when the
// runtime's end is expected.
import { Log, LogLevel } from "miniflare";

export class QuietLog extends Log {
  #silent = false;

  constructor() {
    super(LogLevel.WARN);
  }

  /** Says nothing from here on. */
  silence(): void {
    this.#silent = true;
  }

  override log(message: string): void {
    if (!this.#silent) super.log(message);
  }
}
