// Copyright 2026 the ioq authors. MIT license.

/**
 * The `ioq` command.
 *
 *     ioq find [ROOT…]     what is below directories
 *     ioq du [PATH…]       how much room it takes
 *     ioq info [--json]    which backend this machine gets, and why
 *     ioq completions …    what a shell needs to complete all that
 *
 * Each command is a file in `src/cli/`.
 *
 * @module
 */

import {
  type Command,
  EXIT_FAILURE,
  EXIT_OK,
  EXIT_PIPE,
  EXIT_USAGE,
  UsageError,
} from "./src/cli/command.ts";
import { complain, ReaderGone, writeText } from "./src/cli/output.ts";

/** What there is of a command before it is run. */
interface Entry {
  readonly name: string;
  /** What it does, in a line. */
  readonly summary: string;
  /** Runs it if it is soon done, without what the whole takes; else nothing happens. */
  readonly runSoon?: (args: readonly string[]) => Promise<number | undefined>;
  /** Loads it: one run has use for one. */
  readonly load: () => Promise<Command>;
}

const COMMANDS: readonly Entry[] = [
  {
    name: "find",
    summary: "print what is below directories",
    runSoon: async (args) => await (await import("./src/cli/find_lines.ts")).findLines(args),
    load: async () => (await import("./src/cli/find.ts")).find,
  },
  {
    name: "du",
    summary: "tell how much room directories take",
    runSoon: async (args) => await (await import("./src/cli/du_total.ts")).duTotal(args),
    load: async () => (await import("./src/cli/du.ts")).du,
  },
  {
    name: "info",
    summary: "tell which backend this machine gets, and why",
    load: async () => (await import("./src/cli/info.ts")).info,
  },
  {
    name: "completions",
    summary: "print what a shell needs to complete arguments",
    load: async () => (await import("./src/cli/completions.ts")).completions,
  },
];

function usage(): string {
  const commands = COMMANDS.map(({ name, summary }) => `  ${name.padEnd(13)}${summary}`);
  return `Usage: ioq COMMAND [ARGUMENT…]

Commands:
${commands.join("\n")}

'ioq COMMAND --help' tells more, 'ioq --version' which version this is.`;
}

/** Whether help is asked for, before an argument that is no option any more. */
function wantsHelp(name: string, args: readonly string[]): boolean {
  const end = args.indexOf("--");
  const options = end < 0 ? args : args.slice(0, end);
  // -h of du is for human readers
  return options.includes("--help") || (name !== "du" && options.includes("-h"));
}

/**
 * Run the command.
 *
 * @param args What follows `ioq` on the command line.
 * @returns The exit code: 0, 1 if something failed, 2 for a wrong call, 141 if the
 *          reader of the output has gone.
 */
export async function main(args: string[]): Promise<number> {
  // Help may be asked for before the command as well
  const isHelp = args[0] === "--help" || args[0] === "-h" || args[0] === "help";
  const [name, ...rest] = isHelp ? args.slice(1) : args;
  let command: Command | undefined;
  try {
    if (args[0] === "--version" || args[0] === "-V") {
      const { default: config } = await import("./deno.json", { with: { type: "json" } });
      await writeText(`ioq ${config.version}\n`);
      return EXIT_OK;
    }
    if (isHelp && name === undefined) {
      await writeText(`${usage()}\n`);
      return EXIT_OK;
    }
    const entry = COMMANDS.find((it) => it.name === name);
    const code = isHelp ? undefined : await entry?.runSoon?.(rest);
    if (code !== undefined) {
      return code;
    }
    command = await entry?.load();
    if (command === undefined) {
      throw new UsageError(name === undefined ? "Missing command" : `Unknown command '${name}'`);
    }
    if (isHelp || wantsHelp(name!, rest)) {
      await writeText(`${command.usage}\n`);
      return EXIT_OK;
    }
    return await command.run(rest);
  } catch (error) {
    if (error instanceof ReaderGone) {
      return EXIT_PIPE;
    }
    if (error instanceof UsageError) {
      const help = command === undefined ? "ioq --help" : `ioq ${name} --help`;
      console.error(`ioq: ${error.message}; '${help}' tells how it is called`);
      return EXIT_USAGE;
    }
    complain(name ?? "", error);
    return EXIT_FAILURE;
  }
}

if (import.meta.main) {
  Deno.exitCode = await main(Deno.args);
}
