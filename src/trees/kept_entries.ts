// Copyright 2026 the ioq authors. MIT license.

/**
 * The entries of an array of files to be written, as they are at the call: those that are
 * begun later have their bytes kept, see `kept_bytes.ts`.
 *
 *     │ taken at the call │ kept │ kept │ …
 *                          keepRest()
 *
 * @module
 */

import { areGone, isBytes } from "../byte_length.ts";
import { KeptBytes } from "../kept_bytes.ts";
import { ownOption } from "../own_option.ts";
import type { FileToWrite } from "./write_files.ts";

/** A file to be written, whose bytes may be kept. */
export interface KeptFile extends Omit<FileToWrite, "data"> {
  /** What is to be in it. */
  readonly data: FileToWrite["data"] | KeptBytes;
}

/** The entries of an array. Dispose of it when all are written. */
export class KeptEntries implements Iterable<KeptFile>, Disposable {
  readonly #entries: readonly FileToWrite[];
  readonly #length: number;
  /** How many were taken. */
  #next = 0;
  /** The others, from so many on. */
  #kept: KeptFile[] | undefined;
  #from = 0;

  constructor(entries: readonly FileToWrite[]) {
    this.#entries = entries;
    this.#length = entries.length;
  }

  /** From now on the array and its bytes may change. */
  keepRest(): void {
    if (this.#kept === undefined) {
      this.#from = this.#next;
      this.#kept = this.#entries.slice(this.#next, this.#length).map(keep);
    }
  }

  *[Symbol.iterator](): Generator<KeptFile, void> {
    while (this.#next < this.#length) {
      const at = this.#next++;
      yield this.#kept?.[at - this.#from] ?? this.#entries[at]!;
    }
  }

  [Symbol.dispose](): void {
    for (const entry of this.#kept ?? []) {
      if (entry?.data instanceof KeptBytes) {
        entry.data[Symbol.dispose]();
      }
    }
  }
}

/** Keep what an entry has; what is wrong with it is told when its turn comes. */
function keep(entry: FileToWrite): KeptFile {
  try {
    const path = ownOption(entry, "path")!;
    const data = ownOption(entry, "data")!;
    const mode = ownOption(entry, "mode");
    return { path, data: isBytes(data) && !areGone(data) ? new KeptBytes(data) : data, mode };
  } catch {
    return entry;
  }
}
