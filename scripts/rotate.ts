// `npm run rotate`: replaces root's credentials or the master key of a local or a deployed Cairn without downtime.
import { DeployFailure } from "./deploy/failure.ts";
import { rotateDeployed } from "./rotate/deployed.ts";
import { rotateLocally } from "./rotate/local.ts";
import { type RotateOptions, USAGE, readOptions } from "./rotate/options.ts";

let options: RotateOptions | undefined;
try {
  options = readOptions(process.argv.slice(2));
} catch (error) {
  console.error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
  process.exit(2);
}
if (options === undefined) {
  console.log(USAGE);
  process.exit(0);
}
try {
  const now = Date.now();
  console.log(await (options.isDeployed ? rotateDeployed(options, now) : rotateLocally(options, now)));
} catch (error) {
  if (error instanceof DeployFailure && error.output !== undefined) console.error(error.output.trim());
  console.error(`rotate: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
}
