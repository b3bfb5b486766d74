// Fires the Worker's cron schedule on time: the deployed Worker has Cloudflare for that, and locally nothing else does it.
import { Cron } from "croner";

/** Calls `run` at each time of the cron patterns, never two at once, until the returned function is called. */
export function startSchedule(patterns: readonly string[], run: (pattern: string) => Promise<void>): () => void {
  let isRunning = false;
  const missed = new Set<string>();
  let isStopped = false;
  const tick = async (pattern: string): Promise<void> => {
    // The jobs are resumable and take what is due, so a tick that comes during another is made up for after it.
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
  // Cloudflare reads the patterns in UTC and counts weekdays from 1 for Sunday.
  const crons = patterns.map(
    (pattern) => new Cron(pattern, { timezone: "UTC", alternativeWeekdays: true }, () => tick(pattern)),
  );
  return () => {
    isStopped = true;
    for (const cron of crons) cron.stop();
  };
}
