// Copyright 2026 the ioq authors. MIT license.

/**
 * Deno's file functions by a queue, for programs that were not written for it. Importing
 * this module replaces them:
 *
 * ```sh
 * deno run --allow-read --allow-ffi --preload jsr:@ioq/ioq/accelerate main.ts
 * ```
 *
 * or, as the first import of a program,
 *
 * ```ts
 * import "@ioq/ioq/accelerate";
 * ```
 *
 * Replaced are `stat`, `lstat`, `readDir`, `readFile`, `readTextFile`, `writeFile`,
 * `writeTextFile`, `open`, `create`, `mkdir`, `remove`, `rename`, `copyFile`, `link`,
 * `symlink`, `readLink`, `realPath`, `chmod`, `chown`, `utime` and `truncate` of `Deno`, and
 * `Deno.FsFile` for `instanceof`. Most of `node:fs` calls these and follows. If the program
 * may use Node's modules, `readFile`, `readdir` and `writeFile` of `node:fs` are replaced as
 * well, for whoever imports them later. Results, errors and permissions are those of
 * Deno's and Node's own functions.
 *
 * Nothing is opened or loaded before some thousand directories have been read, or twelve times as
 * many other calls made while others were in flight: what makes fewer goes on as it did. What
 * loads the queue then has to be allowed to read the modules of this package, which
 * `deno cache jsr:@ioq/ioq` fetches beforehand. Without the permission `--allow-ffi`, without the native library, or where neither a
 * ring nor threads can be had, all calls go where they went before. No process is kept alive.
 * In `deno test` the queue is opened at once, so that no test is blamed for it.
 *
 * `IOQ_ACCELERATE` in the environment changes that, if it may be read: words with commas
 * between them. `verbose` says what was replaced and which way calls go; `off` replaces
 * nothing; `-open` leaves out a function by its name; `-node` leaves Node's modules alone, and
 * `node` replaces their functions whatever the program looks like.
 *
 * It holds for the thread that imports it: `--preload` does not reach Workers, whose module can
 * import this one.
 *
 * @example
 * ```ts
 * import "@ioq/ioq/accelerate";
 *
 * const names = [...Deno.readDirSync("/etc")].map((entry) => entry.name);
 * const infos = await Promise.all(names.map((name) => Deno.lstat(`/etc/${name}`)));
 * console.log(infos.length === names.length); // true
 * ```
 *
 * @module
 */

import { type DenoCalls, isQueueFile, makeDenoCalls } from "./deno_calls.ts";
import { makeFsFile } from "./fs_file.ts";
import { Gate } from "./gate.ts";
import { importsThis, mayUseNode } from "./node_use.ts";
import { readOptions, readVariable } from "./options.ts";

const options = readOptions();

/** Say something, if that is wanted. */
function tell(message: string): void {
  if (options.verbose) {
    console.error(`ioq: ${message}`);
  }
}

/** Whether the library may be loaded without asking. */
function mayLoad(): boolean {
  const path = readVariable("IOQ_LIBRARY");
  const { state } = Deno.permissions.querySync({
    name: "ffi",
    ...(path === undefined ? {} : { path }),
  });
  return state === "granted";
}

/** Why nothing is replaced, if so. */
function whyNot(): string | undefined {
  return options.off
    ? "IOQ_ACCELERATE says off"
    : Deno.build.os !== "linux"
    ? "this is not Linux"
    : mayLoad()
    ? undefined
    : "the native library needs --allow-ffi";
}

/** Whether this is `deno test`, where what a test opens it has to close. */
function isTesting(): boolean {
  return Deno.test.name === "test";
}

const gate = new Gate(tell);
const names: string[] = [];
const undo: (() => void)[] = [];

/** Replace a property of `Deno`. */
function replace<K extends keyof typeof Deno>(name: K, value: typeof Deno[K]): void {
  const own = Object.getOwnPropertyDescriptor(Deno, name);
  if (own === undefined || !own.configurable || options.left.has(name)) {
    return;
  }
  Object.defineProperty(Deno, name, { ...own, value });
  names.push(`Deno.${name}`);
  undo.push(() => Object.defineProperty(Deno, name, own));
}

/** Replace Deno's functions. */
function replaceDenoCalls(): void {
  // As they are now: whoever replaced some of them before goes on being called
  const { chmod, chown, copyFile, create, link, lstat, mkdir, open, readDir, readFile } = Deno;
  const { readLink, readTextFile, realPath, remove, rename, stat, symlink, truncate } = Deno;
  const { utime, writeFile, writeTextFile } = Deno;
  const own: DenoCalls = {
    ...{ chmod, chown, copyFile, create, link, lstat, mkdir, open, readDir, readFile },
    ...{ readLink, readTextFile, realPath, remove, rename, stat, symlink, truncate },
    ...{ utime, writeFile, writeTextFile },
  };
  const calls = makeDenoCalls(own, gate);
  for (const name of Object.keys(calls) as (keyof DenoCalls)[]) {
    replace(name, calls[name]);
  }
  if (names.includes("Deno.open") || names.includes("Deno.create")) {
    replace("FsFile", makeFsFile(Deno.FsFile, isQueueFile));
  }
}

const reason = whyNot();
if (reason === undefined) {
  replaceDenoCalls();
  if (options.node ?? mayUseNode()) {
    const { replaceNodeCalls } = await import("./node_calls.ts");
    const replaced = replaceNodeCalls(gate, options.left, importsThis());
    names.push(...replaced.names);
    undo.push(replaced.restore);
  }
  tell(`replaced ${names.join(", ")}`);
  if (isTesting()) {
    await gate.open();
  }
} else {
  tell(`nothing is replaced: ${reason}`);
}

/** The names of the functions that were replaced, such as `Deno.stat`. */
export const replaced: readonly string[] = Object.freeze([...names]);

/**
 * Puts the functions back that were replaced, and closes the queue. Files that it opened are
 * closed with it.
 *
 * @returns When the queue is closed.
 */
export async function restore(): Promise<void> {
  undo.splice(0).forEach((step) => step());
  await gate.shut();
}
