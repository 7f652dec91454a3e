// Copyright 2026 the ioq authors. MIT license.

/**
 * What a command of `ioq` is.
 *
 * @module
 */

import { parseArgs, type ParseArgsConfig } from "node:util";

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
  /** What the command line calls it. */
  readonly name: string;
  /** What it does, in a line. */
  readonly summary: string;
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

/**
 * What a command line says.
 *
 * @param args What follows the command's name.
 * @param options The options that there are, as for `parseArgs()` of `node:util`.
 * @throws {UsageError} What that says of a mistake, without its advice.
 */
export function parseCommandLine<const O extends NonNullable<ParseArgsConfig["options"]>>(
  args: string[],
  options: O,
) {
  try {
    return parseArgs({ args, allowPositionals: true, options });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new UsageError(message.split(/\n|\. /)[0]);
  }
}

/** A whole number on the command line. */
export function parseCount(text: string, option: string): number {
  if (!/^\d{1,9}$/.test(text)) {
    throw new UsageError(`Invalid number '${text}' for ${option}`);
  }
  return Number(text);
}
