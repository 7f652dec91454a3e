// Copyright 2026 the ioq authors. MIT license.

/**
 * What a command of `ioq` is.
 *
 * @module
 */

/** Everything went well. */
export const EXIT_OK = 0;
/** Something could not be done, or not all of it. */
export const EXIT_FAILURE = 1;
/** The command was called wrongly. */
export const EXIT_USAGE = 2;
/** As a shell tells of a process that SIGPIPE has ended. */
export const EXIT_PIPE = 141;

/** A command. */
export interface Command {
  /** What `--help` prints. */
  readonly usage: string;
  /**
   * Run it.
   *
   * @param args What follows its name.
   * @returns The exit code.
   * @throws {UsageError} If it was called wrongly.
   */
  run(args: string[]): Promise<number>;
}

/** A mistake on the command line. */
export class UsageError extends Error {}

/** An option of a command: whether a value follows it. */
interface OptionForm {
  readonly type: "boolean" | "string";
  /** Its letter. */
  readonly short?: string;
  /** Whether it may be given several times, each with a value. */
  readonly multiple?: boolean;
}

/** What an option says: of one that was given more often than it may be, the last counts. */
type Said<F extends OptionForm> = F["type"] extends "boolean" ? boolean
  : F["multiple"] extends true ? string[] | undefined
  : string | undefined;

/** What a command line says. */
interface CommandLine<O extends Readonly<Record<string, OptionForm>>> {
  readonly values: { readonly [Name in keyof O]: Said<O[Name]> };
  readonly positionals: readonly string[];
}

/**
 * What a command line says, as `parseArgs()` of `node:util` has it, which takes 6 ms to load:
 * `--name value`, `--name=value`, `-n value`, `-nvalue`, letters in groups, `--` before what
 * is no option.
 *
 * @param args What follows the command's name.
 * @param options The options that there are.
 * @throws {UsageError} If it has another one, or one without the value that it needs.
 */
export function parseCommandLine<const O extends Readonly<Record<string, OptionForm>>>(
  args: readonly string[],
  options: O,
): CommandLine<O> {
  const values: Record<string, boolean | string | string[] | undefined> = {};
  for (const [name, { type }] of Object.entries(options)) {
    values[name] = type === "boolean" ? false : undefined;
  }
  const positionals: string[] = [];
  const waiting = [...args];

  const take = (name: string, shown: string, given: string | undefined) => {
    const { type, multiple, short } = options[name]!;
    const full = short === undefined ? `--${name}` : `-${short}, --${name}`;
    if (type === "boolean") {
      if (given !== undefined) {
        throw new UsageError(`Option '${full}' does not take an argument`);
      }
      values[name] = true;
      return;
    }
    let value = given;
    if (value === undefined) {
      value = waiting.shift();
      if (value === undefined) {
        throw new UsageError(`Option '${full} <value>' argument missing`);
      }
      if (value.length > 1 && value.startsWith("-")) {
        // Rather forgotten than meant; it can be said with "="
        throw new UsageError(`Option '${shown}' argument is ambiguous`);
      }
    }
    const before = values[name];
    values[name] = !multiple ? value : Array.isArray(before) ? [...before, value] : [value];
  };
  const takeLong = (arg: string) => {
    const equals = arg.indexOf("=");
    const name = arg.slice(2, equals < 0 ? undefined : equals);
    if (!Object.hasOwn(options, name)) {
      throw new UsageError(`Unknown option '--${name}'`);
    }
    take(name, `--${name}`, equals < 0 ? undefined : arg.slice(equals + 1));
  };
  const takeShort = (letters: string) => {
    for (let i = 0; i < letters.length; i++) {
      const letter = letters[i]!;
      const name = Object.keys(options).find((it) => options[it]!.short === letter);
      if (name === undefined) {
        throw new UsageError(`Unknown option '-${letter}'`);
      }
      const rest = letters.slice(i + 1);
      if (options[name]!.type === "string") {
        take(name, `-${letter}`, rest === "" ? undefined : rest);
        return;
      }
      take(name, `-${letter}`, undefined);
    }
  };

  for (let arg = waiting.shift(); arg !== undefined; arg = waiting.shift()) {
    if (arg === "--") {
      positionals.push(...waiting.splice(0));
    } else if (arg.startsWith("--")) {
      takeLong(arg);
    } else if (arg.length > 1 && arg.startsWith("-")) {
      takeShort(arg.slice(1));
    } else {
      positionals.push(arg);
    }
  }
  return { values: values as CommandLine<O>["values"], positionals };
}

/** A whole number on the command line. */
export function parseCount(text: string, option: string): number {
  if (!/^\d{1,9}$/.test(text)) {
    throw new UsageError(`Invalid number '${text}' for ${option}`);
  }
  return Number(text);
}
