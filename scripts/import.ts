// `npm run import`: copies a bucket between S3 stores, or compares two. docs/migration.md shows its use.
import { type ImportOptions, readOptions, USAGE } from "./import/options.ts";
import { type ImportReport, newReport, runImport } from "./import/run.ts";

const PROGRESS_MS = 5000;

async function main(): Promise<number> {
  let options: ImportOptions | undefined;
  try {
    options = readOptions(process.argv.slice(2));
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    return 2;
  }
  if (options === undefined) {
    console.log(USAGE);
    return 0;
  }
  const began = Date.now();
  const report = newReport();
  const sumUp = (): string => sumOf(report, options.verify, Date.now() - began);
  const timer = setInterval(() => console.error(sumUp()), PROGRESS_MS);
  try {
    await runImport(options, report, (line) => console.error(line));
  } finally {
    clearInterval(timer);
    console.log(sumUp());
  }
  return report.failed > 0 || report.different > 0 ? 1 : 0;
}

function sumOf({ copied, skipped, different, failed, bytes }: ImportReport, verify: boolean, ms: number): string {
  const seconds = Math.max(1, Math.round(ms / 1000));
  const megabytes = (bytes / 1e6).toFixed(1);
  const same = verify ? "equal" : "skipped";
  return `${copied} copied (${megabytes} MB in ${seconds} s), ${skipped} ${same}, ${different} different, ${failed} failed`;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
}
