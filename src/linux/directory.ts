// Copyright 2026 the ioq authors. MIT license.

/**
 * Directory blocks as the native core packs them.
 *
 * @module
 */

import * as layout from "../../ffi/layout.ts";
import { pathText } from "../path.ts";

/**
 * An entry of a directory: `Deno.DirEntry`, and the exact bytes of odd names.
 *
 * @category Files
 */
export interface DirEntry extends Deno.DirEntry {
  /**
   * The name's bytes, only if they are not UTF-8; `name` then has U+FFFD in place
   * of what is not. Paths are accepted as bytes too.
   */
  rawName?: Uint8Array;
}

/** A directory, as `<dirent.h>` numbers types. */
export const DT_DIR = 4;
/** A regular file. */
export const DT_REG = 8;
/** A symbolic link. */
export const DT_LNK = 10;

function makeEntry(name: string, type: number): DirEntry {
  return {
    name,
    isFile: type === DT_REG,
    isDirectory: type === DT_DIR,
    isSymlink: type === DT_LNK,
  };
}

/**
 * Read a directory block.
 *
 * @param bytes Its bytes, at a multiple of 4 in their buffer.
 */
export function decodeDirectory(bytes: Uint8Array): DirEntry[] {
  const head = new Int32Array(bytes.buffer, bytes.byteOffset, layout.DIRECTORY_SIZE / 4);
  const count = head[layout.DIRECTORY_COUNT]!;
  if (count === 0) {
    return [];
  }
  const namesAt = layout.DIRECTORY_SIZE;
  const typesAt = namesAt + head[layout.DIRECTORY_NAMES_LENGTH]!;
  const names = bytes.subarray(namesAt, typesAt);

  // One call for all names is several times cheaper than one each
  const entries = new Array<DirEntry>(count);
  const texts = pathText(names).split("\0");
  for (let i = 0; i < count; i++) {
    entries[i] = makeEntry(texts[i]!, bytes[typesAt + i]!);
  }
  if (head[layout.DIRECTORY_FLAGS]! & layout.DIRECTORY_RAW) {
    for (const [i, name] of findRawNames(names, texts)) {
      entries[i]!.rawName = name;
    }
  }
  return entries;
}

/**
 * The names that are not UTF-8, by entry.
 *
 * @param names The bytes of all names, apart by NULs.
 * @param texts The names as text.
 */
export function findRawNames(
  names: Uint8Array,
  texts: readonly string[],
): Map<number, Uint8Array> {
  const found = new Map<number, Uint8Array>();
  let start = 0;
  texts.forEach((text, entry) => {
    const nul = names.indexOf(0, start);
    const end = nul < 0 ? names.length : nul;
    // U+FFFD may also be in the name itself
    if (text.includes("\ufffd")) {
      const name = names.slice(start, end);
      if (!isUtf8(name)) {
        found.set(entry, name);
      }
    }
    start = end + 1;
  });
  return found;
}

const fatalDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Whether bytes are UTF-8. */
export function isUtf8(bytes: Uint8Array): boolean {
  try {
    fatalDecoder.decode(bytes);
    return true;
  } catch {
    return false;
  }
}
