// Parses the command line of a script: prints the usage for --help, and what is wrong instead of a stack.
import { parseArgs, type ParseArgsConfig } from "node:util";

type Options = NonNullable<ParseArgsConfig["options"]>;

/** The options of this process. Prints the usage and exits, with 0 on --help and with 2 on invalid arguments. */
export function readCommandLine<const Declared extends Options>(
  usage: string,
  options: Declared,
): ReturnType<typeof parseArgs<{ options: Declared; allowNegative: true }>>["values"] {
  const args = process.argv.slice(2);
  if (args.some((word) => word === "--help" || word === "-h")) {
    console.log(usage);
    process.exit(0);
  }
  try {
    return parseArgs({ args, options, allowNegative: true }).values;
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
    process.exit(2);
  }
}
