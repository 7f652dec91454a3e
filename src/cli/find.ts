// Copyright 2026 the ioq authors. MIT license.

/**
 * `ioq find`: what is below directories, one path a line.
 *
 * @module
 */

import { basename } from "../posix_path.ts";
import { defaultQueue } from "../default_queue.ts";
import { walkForCommand } from "../trees/walk.ts";
import { planWalk } from "../trees/walk/walk_options.ts";
import type { WalkEntry, WalkOptions } from "../trees/walk/walk_types.ts";
import {
  type Command,
  EXIT_FAILURE,
  EXIT_OK,
  parseCommandLine,
  parseCount,
  UsageError,
} from "./command.ts";
import { globsBelow } from "../trees/glob_walk.ts";
import {
  ageTest,
  decodeTimed,
  type InfoTest,
  newerTest,
  sizeTest,
  type TimedInfo,
} from "./find_tests.ts";
import { globToPathExpression } from "./glob.ts";
import { complain, concat, hasColors, Progress, tellOthers, write, writeText } from "./output.ts";
import { quote, safeJson } from "./quoting.ts";

const USAGE = `Usage: ioq find [OPTION…] [ROOT…]

Print what is below each ROOT (default: .), and the ROOT itself, in no particular
order. A ROOT that is a symbolic link counts as what it leads to.

Options:
  --type TYPES      only entries of these types: f (regular file), d (directory),
                    l (symbolic link), b, c (devices), p (named pipe), s (socket)
  --name GLOB       only entries whose name matches; may be given several times
  -g, --glob GLOB   only entries whose path below ROOT matches, such as 'src/**/*.{ts,js}';
                    may be given several times, and with a ! before it for what not to
                    print. What cannot match is not read
  --ext EXT         only names with this ending; may be given several times
  --size [+-]N[ckMGT]
                    only sizes of N, more (+N) or less (--size=-N), in bytes or units of 1024,
                    and so on, rounded up
  --newer FILE      only what was written to after FILE
  --mtime [+-]N     only what was written to N days ago, before (+N) or since (--mtime=-N)
  --max-depth N     at most N levels below each ROOT
  --skip GLOB       neither print what matches nor go into it; by its name, or by
                    its path if GLOB has a slash; may be given several times
  -I, --gitignore   pass over what git ignores, and what is below .git
  --print0          end each path with a NUL instead of a newline
  --json            print a JSON object a line: path, name, type (file, directory,
                    symlink or other), and rawPath, the bytes in base64, for a path
                    that is not UTF-8; what a terminal would not just show is escaped
  --errors          tell of each thing that cannot be read, not only of their number
  -h, --help        show this

Exit code: 0, 1 if something could not be read, 2 for a wrong call.`;

const TYPES: Readonly<Record<string, (entry: WalkEntry) => boolean>> = {
  f: (it) => it.isFile,
  d: (it) => it.isDirectory,
  l: (it) => it.isSymlink,
  b: (it) => it.info?.isBlockDevice === true,
  c: (it) => it.info?.isCharDevice === true,
  p: (it) => it.info?.isFifo === true,
  s: (it) => it.info?.isSocket === true,
};

function parseTypes(texts: readonly string[]): string[] {
  const types = texts.flatMap((text) => text.split(",").flatMap((it) => [...it]));
  for (const type of types) {
    if (!Object.hasOwn(TYPES, type)) {
      throw new UsageError(`Unknown type '${type}'`);
    }
  }
  return types;
}

function parseGlob(glob: string): RegExp {
  try {
    return globToPathExpression(glob);
  } catch {
    throw new UsageError(`Invalid pattern '${glob}'`);
  }
}

function parse(args: string[]) {
  return parseCommandLine(args, {
    type: { type: "string", multiple: true },
    name: { type: "string", multiple: true },
    glob: { type: "string", multiple: true, short: "g" },
    ext: { type: "string", multiple: true },
    size: { type: "string", multiple: true },
    newer: { type: "string", multiple: true },
    mtime: { type: "string", multiple: true },
    gitignore: { type: "boolean", short: "I" },
    skip: { type: "string", multiple: true },
    "max-depth": { type: "string" },
    print0: { type: "boolean" },
    json: { type: "boolean" },
    errors: { type: "boolean" },
  });
}

/** What is asked of attributes. */
async function parseInfoTests(values: ReturnType<typeof parse>["values"]): Promise<InfoTest[]> {
  const { size, newer, mtime } = values;
  const nowNs = BigInt(Date.now()) * 1_000_000n;
  const tests = [
    ...(size ?? []).map(sizeTest),
    ...(mtime ?? []).map((it) => ageTest(it, nowNs)),
  ];
  for (const path of newer ?? []) {
    const ioq = await defaultQueue();
    const { mtimeNs } = await ioq.stat(path, { bigint: true });
    tests.push(newerTest(mtimeNs));
  }
  return tests;
}

/** Brings a batch of entries into the form that is printed. */
type Printer = (entries: readonly WalkEntry[]) => Uint8Array;

const encoder = new TextEncoder();

/** Paths, each with an end. */
function printPaths(end: string): Printer {
  return (entries) => {
    if (entries.some((it) => it.rawPath !== undefined)) {
      return concat(entries.flatMap((it) => [it.rawPath ?? it.path, end]));
    }
    // Nearly always; one text and one encoding for all of them
    let text = "";
    for (const entry of entries) {
      text += entry.path + end;
    }
    return encoder.encode(text);
  };
}

function typeOf(entry: WalkEntry): string {
  return entry.isFile
    ? "file"
    : entry.isDirectory
    ? "directory"
    : entry.isSymlink
    ? "symlink"
    : "other";
}

const printJson: Printer = (entries) => {
  const lines = entries.map((entry) => {
    const { path, name } = entry;
    return safeJson({ path, name, type: typeOf(entry), rawPath: entry.rawPath?.toBase64() });
  });
  return encoder.encode(lines.map((line) => `${line}\n`).join(""));
};

/** For terminals. */
const printForReaders: Printer = (entries) => {
  const colors = hasColors();
  const lines = entries.map((entry) => {
    const text = quote(entry.rawPath ?? entry.path);
    const color = entry.isDirectory ? "1;34" : entry.isSymlink ? "1;36" : undefined;
    return colors && color !== undefined ? `\u001b[${color}m${text}\u001b[0m` : text;
  });
  return encoder.encode(lines.map((line) => `${line}\n`).join(""));
};

/**
 * What was given, with its exact attributes: if that is no directory, a walk of it would be an
 * error. A link is what it leads to, as for a walk, or itself if that is nothing.
 */
async function findRoot(given: string): Promise<WalkEntry | undefined> {
  const ioq = await defaultQueue();
  let info: TimedInfo;
  try {
    const exact = await ioq.stat(given, { bigint: true })
      .catch(() => ioq.lstat(given, { bigint: true }));
    const plain = await ioq.stat(given).catch(() => ioq.lstat(given));
    info = { ...plain, mtimeNs: exact.mtimeNs };
  } catch {
    // The walk tells of it
    return undefined;
  }
  const { isFile, isDirectory, isSymlink } = info;
  return { path: given, name: basename(given), isFile, isDirectory, isSymlink, info };
}

async function run(args: string[]): Promise<number> {
  const { values, positionals } = parse(args);
  const types = values.type === undefined ? undefined : parseTypes(values.type);
  const infoTests = await parseInfoTests(values);
  const isOfType = types?.map((type) => TYPES[type]!);
  const matches = isOfType === undefined && infoTests.length === 0
    ? undefined
    : (entry: WalkEntry) =>
      (isOfType === undefined || isOfType.some((is) => is(entry))) &&
      infoTests.every((is) => is(entry.info as TimedInfo));
  const options: WalkOptions = {
    // Directory blocks tell files, directories and links apart, and nothing else
    stat: infoTests.length > 0 || (types?.some((type) => "bcps".includes(type)) ?? false),
    gitignore: values.gitignore,
  };
  const { glob } = values;
  if (glob !== undefined) {
    try {
      globsBelow(".", glob);
    } catch (error) {
      throw new UsageError((error as Error).message);
    }
  }
  if (values["max-depth"] !== undefined) {
    options.maxDepth = parseCount(values["max-depth"], "--max-depth");
  }
  if (values.name !== undefined) {
    options.match = values.name.map(parseGlob);
  }
  if (values.ext !== undefined) {
    options.exts = values.ext;
  }
  if (values.skip !== undefined) {
    options.skip = values.skip.map(parseGlob);
  }

  const end = values.print0 ? "\0" : "\n";
  const forReaders = !values.print0 && Deno.stdout.isTerminal();
  const print = values.json ? printJson : forReaders ? printForReaders : printPaths(end);
  // Which types they have is known of entries only
  const asLines = print !== printJson && print !== printForReaders && matches === undefined;

  const progress = new Progress();
  let errors = 0;
  let told = 0;
  let count = 0;
  for (const given of positionals.length === 0 ? ["."] : positionals) {
    const root = await findRoot(given);
    if (root !== undefined && !root.isDirectory) {
      const finds = planWalk(options).finds ?? (() => true);
      // Of what is no directory nothing is below it
      if (glob === undefined && finds(given) && (matches === undefined || matches(root))) {
        await write(print([root]));
        count++;
      }
      continue;
    }
    options.onError = (error, entry) => {
      errors++;
      // What was named on the command line is worth a line in any case
      if (values.errors || entry.path === given) {
        told++;
        progress.clear();
        complain("find", error);
      }
    };
    const decode = infoTests.length === 0 ? undefined : decodeTimed;
    const batches = walkForCommand(given, options, decode, asLines ? { end } : undefined, glob);
    for await (let batch of batches) {
      if (Array.isArray(batch)) {
        if (matches !== undefined) {
          batch = batch.filter((entry) =>
            matches(
              entry.path === given && root !== undefined ? { ...entry, info: root.info! } : entry,
            )
          );
        }
        await write(print(batch));
      } else {
        await writeText(batch.text);
      }
      count += batch.length;
      progress.show(() => `${count} found`);
    }
  }
  progress.clear();
  tellOthers(errors - told);
  return errors > 0 ? EXIT_FAILURE : EXIT_OK;
}

/** The command `ioq find`. */
export const find: Command = {
  usage: USAGE,
  run,
};
