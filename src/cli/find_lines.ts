// Copyright 2026 the ioq authors. MIT license.

/**
 * `ioq find` without anything to choose: the lines are made by lanes, and written as they come.
 *
 * @module
 */

import * as layout from "../../ffi/layout.ts";
import { EXIT_FAILURE, EXIT_OK } from "./command.ts";
import { complain, concat, Progress, tellOthers, write } from "./output.ts";
import { explain, pathOf, type Report, Reporter } from "./reports.ts";

/** What a command line says, if it asks for lines of everything below directories. */
interface Lines {
  readonly end: string;
  /** Whether each error is told of. */
  readonly tellsAll: boolean;
  readonly roots: readonly string[];
}

/** Read a command line; `undefined` if it says anything else. */
function parse(args: readonly string[]): Lines | undefined {
  const roots: string[] = [];
  let end = "\n";
  let tellsAll = false;
  let isOver = false;
  for (const arg of args) {
    if (isOver || arg.length < 2 || !arg.startsWith("-")) {
      roots.push(arg);
    } else if (arg === "--") {
      isOver = true;
    } else if (arg === "--print0") {
      end = "\0";
    } else if (arg === "--errors") {
      tellsAll = true;
    } else {
      return undefined;
    }
  }
  if (end === "\n" && Deno.stdout.isTerminal()) {
    // Names are quoted there
    return undefined;
  }
  return { end, tellsAll, roots: roots.length === 0 ? ["."] : roots };
}

/** Whether something is a directory, or leads to one. */
function isDirectory(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}

/** Of some directories those that are in none of the others. */
function outermost(paths: readonly string[]): string[] {
  const outer: string[] = [];
  for (const path of [...new Set(paths)].sort((a, b) => a.length - b.length)) {
    if (!outer.some((it) => path.startsWith(`${it}/`))) {
      outer.push(path);
    }
  }
  return outer;
}

/** Bytes as characters, of which each is one byte: keys and prefixes of paths. */
function toKey(path: Uint8Array): string {
  return Array.from(path, (byte) => String.fromCharCode(byte)).join("");
}

/** The bytes of a key. */
function fromKey(key: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(key, (character) => character.charCodeAt(0));
}

/** Write what is below directories whose paths are too long to name them. */
async function writeTooLong(
  parents: readonly string[],
  end: string,
  onError: (error: Error, path: string) => void,
): Promise<void> {
  if (parents.length === 0) {
    return;
  }
  const { walkForCommand } = await import("../trees/walk.ts");
  const encoder = new TextEncoder();
  for (const parent of outermost(parents)) {
    const entries = walkForCommand(fromKey(parent), {
      onError: (error, { path }) => onError(error, path),
    });
    for await (const batch of entries) {
      const paths = batch.map((entry) => entry.rawPath ?? encoder.encode(entry.path));
      // The others were found where they are named
      const long = paths.filter((path) => path.lastIndexOf(0x2f) > layout.PATH_MAX);
      await write(concat(long.flatMap((path) => [path, end])));
    }
  }
}

/**
 * Run `ioq find`, if lines of everything are all that it is to print.
 *
 * @returns The exit code; `undefined` if nothing was done, since it takes another way.
 */
export async function findLines(args: readonly string[]): Promise<number | undefined> {
  const lines = parse(args);
  if (lines === undefined || !lines.roots.every(isDirectory)) {
    return undefined;
  }
  const reporter = await Reporter.open();
  if (reporter === undefined) {
    return undefined;
  }
  const { end, tellsAll, roots } = lines;
  const encoder = new TextEncoder();
  const progress = new Progress();
  let count = 0;
  let errors = 0;
  let told = 0;
  const tell = (error: Error, path: string, root: string) => {
    errors++;
    if (tellsAll || path === root) {
      told++;
      progress.clear();
      complain("find", error);
    }
  };
  try {
    for (const root of roots) {
      const tooLong: string[] = [];
      const take = async (report: Report) => {
        await write(report.lines);
        for (const error of report.errors) {
          if (error.what === layout.REPORT_TOO_LONG) {
            tooLong.push(toKey(error.path.subarray(0, error.path.lastIndexOf(0x2f))));
          } else {
            tell(await explain(error), pathOf(error.path), root);
          }
        }
        count += report.count;
        progress.show(() => `${count} found`);
      };
      await write(encoder.encode(root + end));
      const options = { mode: layout.TREE_LINES, detail: end.charCodeAt(0) };
      await reporter.run(root, options, take);
      await writeTooLong(tooLong, end, (error, path) => tell(error, path, root));
    }
  } finally {
    reporter.close();
  }
  progress.clear();
  tellOthers(errors - told);
  return errors > 0 ? EXIT_FAILURE : EXIT_OK;
}
