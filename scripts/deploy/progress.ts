// What a deployment says while it runs: a line for each stage, and nothing of what the tools below it print.

/** Writes one line. */
export function say(line: string): void {
  console.log(line);
}

/** Runs a stage and says how long it took. */
export async function stage<Result>(title: string, run: () => Promise<Result>): Promise<Result> {
  const began = performance.now();
  try {
    const result = await run();
    say(`  done    ${title} (${seconds(began)} s)`);
    return result;
  } catch (error) {
    say(`  failed  ${title} (${seconds(began)} s)`);
    throw error;
  }
}

function seconds(began: number): string {
  return ((performance.now() - began) / 1000).toFixed(1);
}
