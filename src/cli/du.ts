// Copyright 2026 the ioq authors. MIT license.

/**
 * `ioq du`: how much room directories take.
 *
 * Entries come in order, a directory before what is in it: a stack of those that
 * are open is all it takes, and the inodes that may be met again, each of which
 * counts once, where it is met first. Names come as directories have them, since
 * that is the order in which du(1) meets them.
 *
 * @module
 */

import * as layout from "../../ffi/layout.ts";
import { decodeBigIntFileInfo, decodeFileInfo, type FileInfo } from "../linux/stat.ts";
import { walkForCommand } from "../trees/walk.ts";
import type { WalkEntry, WalkOptions } from "../trees/walk/walk_types.ts";
import {
  type Command,
  EXIT_FAILURE,
  EXIT_OK,
  parseCommandLine,
  parseCount,
  UsageError,
} from "./command.ts";
import { defaultQueue } from "../default_queue.ts";
import { DU_OPTIONS, formatSize, withOneSlash } from "./du_options.ts";
import { complain, concat, Progress, write } from "./output.ts";
import { quote } from "./quoting.ts";

const USAGE = `Usage: ioq du [OPTION…] [PATH…]

Print how much room each PATH (default: .) takes, and each directory below it, in
units of 1024 bytes. A file with several names counts once.

Options:
  -s, --summarize   only a line for each PATH
  -h                in bytes, K, M, G and so on, for human readers
  -d, --max-depth N
                    no lines for directories more than N levels below a PATH
  --apparent-size   the sizes of the files, not the room that is reserved for them
  --help            show this

Exit code: 0, 1 if something could not be read, 2 for a wrong call.`;

/** A directory that is being added up. */
interface OpenDirectory {
  readonly entry: WalkEntry;
  /** What the paths of its entries begin with. */
  readonly prefix: string;
  bytes: number;
}

/** Attributes with an inode number that is exact, whatever it is. */
interface CountedInfo extends FileInfo {
  inode: number | bigint;
}

/** Read a stat record. */
function decodeCounted(words: Int32Array, at: number): CountedInfo {
  const info = decodeFileInfo(words, at);
  const inode = words[at + layout.STAT_INO_LOW + 1]! >>> 21 === 0
    ? info.ino!
    : decodeBigIntFileInfo(words, at).ino;
  return { ...info, inode };
}

/** The attributes of an entry. */
function infoOf(entry: WalkEntry): CountedInfo {
  return entry.info as CountedInfo;
}

/** What tells something from all else. */
function inodeOf(info: FileInfo): number | bigint {
  return (info as Partial<CountedInfo>).inode ?? info.ino!;
}

/** What has been counted. */
class Seen {
  /** Inodes that may be met again, by device. */
  readonly #inodes = new Map<number, Set<number | bigint>>();
  /** Whether anything may be: with several paths, one may be below another. */
  readonly #all: boolean;

  constructor(all: boolean) {
    this.#all = all;
  }

  /** Count something; whether that is for the first time. */
  add(info: FileInfo): boolean {
    const { dev, nlink, isDirectory } = info;
    if (!this.#all && (isDirectory || nlink === 1)) {
      return true;
    }
    let inodes = this.#inodes.get(dev);
    if (inodes === undefined) {
      this.#inodes.set(dev, inodes = new Set());
    }
    const before = inodes.size;
    return inodes.add(inodeOf(info)).size > before;
  }
}

/** What the paths of a directory's entries begin with. */
function prefixBelow(path: string): string {
  return path.endsWith("/") ? path : `${path}/`;
}

async function run(args: string[]): Promise<number> {
  const { values, positionals } = parseCommandLine(args, DU_OPTIONS);
  const given = values["max-depth"];
  if (values.summarize && given !== undefined && given !== "0") {
    throw new UsageError("Cannot both summarize and go down to a depth");
  }
  const depthMax = values.summarize
    ? 0
    : given === undefined
    ? Infinity
    : parseCount(given, "--max-depth");
  const readers = Deno.stdout.isTerminal();
  const bytesOf = (info: FileInfo) => values["apparent-size"] ? info.size : info.blocks! * 512;
  const seen = new Seen(positionals.length > 1);
  const ioq = await defaultQueue();
  const progress = new Progress();
  let errors = 0;
  let count = 0;
  const onError = (error: unknown) => {
    errors++;
    progress.clear();
    complain("du", error);
  };

  let lines: (string | Uint8Array)[] = [];
  const print = (bytes: number, path: string | Uint8Array) => {
    lines.push(`${formatSize(bytes, values.human)}\t`, readers ? quote(path) : path, "\n");
  };
  const flush = async () => {
    if (lines.length > 0) {
      await write(concat(lines));
      lines = [];
    }
  };

  for (const given of positionals.length === 0 ? ["."] : positionals) {
    const path = withOneSlash(given);
    // A link itself, unless a slash follows it
    let info;
    try {
      info = await ioq.lstat(path);
    } catch (error) {
      onError(error);
      continue;
    }
    if (!info.isDirectory) {
      if (seen.add(info)) {
        print(bytesOf(info), path);
      }
      await flush();
      continue;
    }

    const open: OpenDirectory[] = [];
    /** What the paths below a directory begin with that was counted before. */
    let counted: string | undefined;
    const close = () => {
      const directory = open.pop()!;
      const above = open.at(-1);
      if (above !== undefined) {
        above.bytes += directory.bytes;
      }
      if (open.length <= depthMax) {
        print(directory.bytes, directory.entry.rawPath ?? directory.entry.path);
      }
    };
    const options: WalkOptions = { stat: true, sort: "directory", onError };
    walking:
    for await (const entries of walkForCommand(path, options, decodeCounted)) {
      for (const entry of entries) {
        while (open.length > 1 && !entry.path.startsWith(open.at(-1)!.prefix)) {
          close();
        }
        if (counted !== undefined && entry.path.startsWith(counted)) {
          continue;
        }
        counted = undefined;
        const info = infoOf(entry);
        const isMountedInItself = entry.isDirectory &&
          open.some(({ entry: above }) =>
            infoOf(above).dev === info.dev && inodeOf(infoOf(above)) === inodeOf(info)
          );
        if (isMountedInItself || !seen.add(info)) {
          if (open.length === 0) {
            break walking;
          }
          counted = entry.isDirectory ? prefixBelow(entry.path) : undefined;
        } else if (entry.isDirectory) {
          open.push({ entry, prefix: prefixBelow(entry.path), bytes: bytesOf(info) });
        } else {
          open.at(-1)!.bytes += bytesOf(info);
        }
      }
      count += entries.length;
      progress.show(() => `${count} entries`);
      await flush();
    }
    while (open.length > 0) {
      close();
    }
    await flush();
  }
  progress.clear();
  return errors > 0 ? EXIT_FAILURE : EXIT_OK;
}

/** The command `ioq du`. */
export const du: Command = {
  usage: USAGE,
  run,
};
