// Copyright 2026 the ioq authors. MIT license.

/**
 * Files and directories with names that nobody else has.
 *
 * A name is made of 64 random bits, and what it names is created only if there is nothing of
 * that name, so whoever guesses names gains nothing.
 *
 * @module
 */

import { hasCode, inContext } from "../linux/errors.ts";
import { op } from "../operations/op.ts";
import type { IoqRequest } from "../operations/request.ts";
import { ownOptions } from "../own_option.ts";
import { joinPath, pathText, toPath } from "../path.ts";
import { checkAccess, mayAccess, WRITE } from "../permissions.ts";
import { limitsOf, type OperationOptions, type Runner, runOn } from "../queue/runner.ts";

/**
 * Options of {@linkcode makeTempFile} and {@linkcode makeTempDir}: those of
 * `Deno.makeTempFile`.
 *
 * @category Files
 */
export interface MakeTempOptions extends OperationOptions {
  /**
   * The directory to make it in.
   *
   * @default The value of `TMPDIR`, if that may be read, or `/tmp`
   */
  dir?: string | URL | undefined;
  /**
   * What the name begins with.
   *
   * @default {""}
   */
  prefix?: string | undefined;
  /**
   * What the name ends with.
   *
   * @default {""}
   */
  suffix?: string | undefined;
}

/** Names to try: that one exists is next to impossible. */
const TRIES_MAX = 16;
const MODE_FILE = 0o600;
const MODE_DIRECTORY = 0o700;

/** Where temporary files are. */
function temporaryDirectory(): string {
  const { state } = Deno.permissions.querySync({ name: "env", variable: "TMPDIR" });
  return state === "granted" ? Deno.env.get("TMPDIR") || "/tmp" : "/tmp";
}

/**
 * Check a part of a name.
 *
 * @throws {Error} If it has a character that Deno refuses.
 */
function checkPart(part: unknown): string {
  if (part === undefined || part === null) {
    return "";
  }
  const text = String(part);
  const control = /\p{Cc}/u.exec(text)?.[0];
  if (control !== undefined) {
    throw new Error(`Invalid control character in prefix or suffix: ${quoted(control)}`);
  }
  const invalid = /[<>:"/\\|?*]/.exec(text)?.[0];
  if (invalid !== undefined) {
    throw new Error(`Invalid character in prefix or suffix: ${JSON.stringify(invalid)}`);
  }
  return text;
}

/** A control character as Deno's messages have it. */
function quoted(character: string): string {
  const short: Readonly<Record<string, string>> = {
    "\0": "\\0",
    "\t": "\\t",
    "\n": "\\n",
    "\r": "\\r",
  };
  return `"${short[character] ?? `\\u{${character.charCodeAt(0).toString(16)}}`}"`;
}

/** Make something of a name that nobody has. */
async function makeTemporary(
  ioq: Runner,
  given: MakeTempOptions | undefined,
  context: string,
  make: (path: string) => IoqRequest,
): Promise<string> {
  const options = ownOptions(given);
  const prefix = checkPart(options.prefix);
  const suffix = checkPart(options.suffix);
  // Deno takes null for none
  const dir = options.dir ?? undefined;
  const directory = pathText(dir === undefined ? temporaryDirectory() : toPath(dir, context));
  if (dir === undefined && !mayAccess(directory, WRITE)) {
    throw new Deno.errors.NotCapable(
      "Requires write access to <TMP>, run again with the --allow-write flag",
    );
  } else if (directory !== "") {
    checkAccess(directory, WRITE);
  }
  for (let tries = 1;; tries++) {
    const random = crypto.getRandomValues(new BigUint64Array(1))[0]!.toString(16);
    const name = `${prefix}${random}${suffix}`;
    const path = directory === "" ? name : joinPath(directory, name) as string;
    try {
      await runOn(ioq, make(path), limitsOf(options));
      return path;
    } catch (error) {
      if (!hasCode(error, "EEXIST") || tries === TRIES_MAX) {
        throw inContext(error, context, options.signal);
      }
    }
  }
}

/** See {@linkcode PromiseForms.makeTempFile}. */
export function makeTempFile(ioq: Runner, options: MakeTempOptions | undefined): Promise<string> {
  const how = { createNew: true, mode: MODE_FILE };
  return makeTemporary(
    ioq,
    options,
    "tmpfile",
    (path) => op.writeFile(path, new Uint8Array(), how),
  );
}

/** See {@linkcode PromiseForms.makeTempDir}. */
export function makeTempDir(ioq: Runner, options: MakeTempOptions | undefined): Promise<string> {
  return makeTemporary(ioq, options, "tmpdir", (path) => op.mkdir(path, { mode: MODE_DIRECTORY }));
}
