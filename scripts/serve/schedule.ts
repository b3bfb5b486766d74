// Fires the Worker's cron schedule locally, as Cloudflare does for the deployed Worker.
import { Cron } from "croner";

/**
 * The patterns of a local server. Each minute costs nothing here, so events whose receiver failed are repeated soon. Only
 * jobs without a period run then.
 */
export function localCrons(deployed: readonly string[]): readonly string[] {
  return [...deployed, "* * * * *"];
}

/** Calls `run` at each time of the cron patterns, one call at a time. Returns a function that stops the schedule. */
export function startSchedule(patterns: readonly string[], run: (pattern: string) => Promise<void>): () => void {
  let isRunning = false;
  const missed = new Set<string>();
  let isStopped = false;
  const tick = async (pattern: string): Promise<void> => {
    // Jobs resume where they stopped, so a tick that overlaps another one runs after it.
    if (isRunning) {
      missed.add(pattern);
      return;
    }
    isRunning = true;
    try {
      await run(pattern);
    } catch (error) {
      if (isStopped) return;
      const reason = error instanceof Error ? error.message : String(error);
      console.error(`scheduled (${pattern}): ${reason.replaceAll(/\s*\n\s*/g, " ")}`);
    } finally {
      isRunning = false;
      const [next] = missed;
      if (next !== undefined && !isStopped) {
        missed.delete(next);
        void tick(next);
      }
    }
  };
  // Cloudflare interprets the patterns in UTC and counts weekdays from 1 for Sunday.
  const crons = patterns.map(
    (pattern) => new Cron(pattern, { timezone: "UTC", alternativeWeekdays: true }, () => tick(pattern)),
  );
  return () => {
    isStopped = true;
    for (const cron of crons) cron.stop();
  };
}
