// Copyright 2026 the ioq authors. MIT license.

/**
 * Directories by the runtime's calls, in the blocks that `native/ioq.h` describes.
 *
 * @module
 */

import * as layout from "../../../ffi/layout.ts";
import { ERRNO, UNSUPPORTED } from "../../linux/errors.ts";
import { O_NOFOLLOW } from "../../linux/fcntl.ts";
import { DT_DIR, DT_LNK, DT_REG } from "../../linux/directory.ts";
import { errnoOf, Failure } from "./failure.ts";
import { pathAt } from "./proc_path.ts";
import { splitInto, StatRecord } from "./stat_record.ts";

/** Words of a directory's record. */
const TREE_RECORD_WORDS = layout.TREE_DIRECTORY_SIZE / 4;
/** From `<dirent.h>`. */
const DT_UNKNOWN = 0;

const encoder = new TextEncoder();

/** What a request for trees says. */
export interface TreeCall {
  /** What the paths are relative to. */
  readonly fd: number;
  /** The paths, apart by NULs. */
  readonly path: string;
  /** For opening those that are named. */
  readonly flags: number;
  /** What to tell. */
  readonly mode: number;
  /** The only device to read from, if that matters. */
  readonly offset: number;
}

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

/** The names and the types of a directory's entries. */
function readEntries(path: string): { names: string[]; types: number[] } {
  const names: string[] = [];
  const types: number[] = [];
  for (const entry of Deno.readDirSync(path)) {
    if (entry.name.includes("\ufffd") && !exists(`${path}/${entry.name}`)) {
      // Deno tells no more than that there is something that is not UTF-8
      throw new Failure(UNSUPPORTED.rawName);
    }
    names.push(entry.name);
    types.push(
      entry.isFile ? DT_REG : entry.isDirectory ? DT_DIR : entry.isSymlink ? DT_LNK : DT_UNKNOWN,
    );
  }
  return { names, types };
}

/** The block of a directory. */
export function readDirectory(path: string): Uint8Array {
  const { names, types } = readEntries(path);
  const text = encoder.encode(names.join("\0"));
  const block = new Uint8Array(layout.DIRECTORY_SIZE + text.length + types.length);
  const head = new Int32Array(block.buffer, 0, layout.DIRECTORY_SIZE / 4);
  head[layout.DIRECTORY_COUNT] = names.length;
  head[layout.DIRECTORY_NAMES_LENGTH] = text.length;
  head[layout.DIRECTORY_FLAGS] = layout.DIRECTORY_END;
  block.set(text, layout.DIRECTORY_SIZE);
  block.set(types, layout.DIRECTORY_SIZE + text.length);
  return block;
}

/**
 * Read the directories that a request names, and no level below: whoever asked
 * asks for those when it sees that they are not there. See `native/calls/tree.c`.
 */
export function readTrees(call: TreeCall): Uint8Array {
  const names: string[] = [];
  const types: number[] = [];
  const stats: number[] = [];
  const record = new StatRecord();
  const paths = call.path.split("\0");
  const records = new Int32Array(paths.length * TREE_RECORD_WORDS);
  for (const [i, name] of paths.entries()) {
    const at = i * TREE_RECORD_WORDS;
    records[at + layout.TREE_DIRECTORY_PARENT] = -1 - i;
    try {
      const path = pathAt(call.fd, name);
      const info = Deno.lstatSync(path);
      if (info.isSymlink && call.flags & O_NOFOLLOW) {
        throw new Failure(ERRNO.ELOOP!);
      }
      if (call.mode & (layout.TREE_IDENTIFY | layout.TREE_ONE_DEVICE)) {
        const { dev, ino } = info.isSymlink ? Deno.statSync(path) : info;
        splitInto(records, at + layout.TREE_DIRECTORY_DEV_LOW, dev);
        splitInto(records, at + layout.TREE_DIRECTORY_INO_LOW, ino ?? 0);
        if (call.mode & layout.TREE_ONE_DEVICE && dev !== call.offset) {
          records[at + layout.TREE_DIRECTORY_FLAGS] = layout.TREE_FOREIGN;
          continue;
        }
      }
      const entries = readEntries(path);
      for (const [j, entry] of entries.names.entries()) {
        if (call.mode & layout.TREE_STAT) {
          statEntry(`${path}/${entry}`, record, stats);
        }
        names.push(entry);
        types.push(entries.types[j]!);
      }
      records[at + layout.TREE_DIRECTORY_ENTRIES] = entries.names.length;
    } catch (error) {
      records[at + layout.TREE_DIRECTORY_ERROR] = errnoOf(error);
    }
  }

  const text = encoder.encode(names.join("\0"));
  const statsAt = layout.TREE_HEAD_SIZE + records.byteLength;
  const typesAt = statsAt + stats.length * 4;
  const block = new Uint8Array(typesAt + types.length + text.length);
  const head = new Int32Array(block.buffer, 0, layout.TREE_HEAD_SIZE / 4);
  head[layout.TREE_DIRECTORY_COUNT] = paths.length;
  head[layout.TREE_ENTRY_COUNT] = names.length;
  head[layout.TREE_NAMES_LENGTH] = text.length;
  new Int32Array(block.buffer, layout.TREE_HEAD_SIZE, records.length).set(records);
  new Int32Array(block.buffer, statsAt, stats.length).set(stats);
  block.set(types, typesAt);
  block.set(text, typesAt + types.length);
  return block;
}

/** Add the stat of an entry; of one that has gone, nothing but zeros. */
function statEntry(path: string, record: StatRecord, stats: number[]): void {
  try {
    record.pack(Deno.lstatSync(path));
    stats.push(...record.words);
  } catch {
    stats.push(...new Array<number>(layout.STAT_SIZE / 4).fill(0));
  }
}
