// Copyright 2026 the ioq authors. MIT license.

/**
 * What a walk finds as lines, for those who only want to print it: bytes go from
 * directory blocks into lines, and neither text nor entries are made of them.
 *
 * @module
 */

/** What lines are. */
export interface LineFormat {
  /** The byte that ends each. */
  readonly end: number;
  /** Whether entries of a type (from `<dirent.h>`) have one; all do if not given. */
  readonly types: ((type: number) => boolean) | undefined;
  /** What the lines of a directory's entries begin with, by the directory's path. */
  prefixOf(path: string): string;
}

/** Lines, each with its end. */
export interface Lines {
  readonly bytes: Uint8Array;
  /** How many. */
  readonly length: number;
}

/** Types of entries: the kernel has them in four bits. */
const TYPES = 16;

const encoder = new TextEncoder();

/** Makes lines. */
export class LineBuffer {
  readonly #format: LineFormat;
  readonly #end: number;
  /** By type, whether entries of it have lines. */
  readonly #wanted: Uint8Array;
  #prefix = new Uint8Array(1024);
  #prefixLength = 0;
  #bytes = new Uint8Array(1 << 17);
  #length = 0;
  #count = 0;

  constructor(format: LineFormat) {
    this.#format = format;
    this.#end = format.end;
    this.#wanted = Uint8Array.from(
      { length: TYPES },
      (_, type) => Number(format.types?.(type) ?? true),
    );
  }

  /** Add lines of what is in this directory from now on. */
  enter(path: string): void {
    const prefix = this.#format.prefixOf(path);
    if (prefix.length * 3 > this.#prefix.length) {
      this.#prefix = new Uint8Array(prefix.length * 6);
    }
    this.#prefixLength = encoder.encodeInto(prefix, this.#prefix).written;
  }

  /** Add a line, if the type has one: the name is the bytes from `start` to `end`. */
  add(type: number, names: Uint8Array, start: number, end: number): void {
    if (this.#wanted[type] === 0) {
      return;
    }
    const prefix = this.#prefix;
    const prefixLength = this.#prefixLength;
    const length = this.#length + prefixLength + end - start + 1;
    if (length > this.#bytes.length) {
      const bytes = new Uint8Array(length * 2);
      bytes.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = bytes;
    }
    const bytes = this.#bytes;
    let at = this.#length;
    // Both are short: loops beat calls
    for (let i = 0; i < prefixLength; i++) {
      bytes[at++] = prefix[i]!;
    }
    for (let i = start; i < end; i++) {
      bytes[at++] = names[i]!;
    }
    bytes[at] = this.#end;
    this.#length = length;
    this.#count++;
  }

  /** Take them out, if there are any. */
  take(): Lines | undefined {
    if (this.#count === 0) {
      return undefined;
    }
    const lines = { bytes: this.#bytes.slice(0, this.#length), length: this.#count };
    this.#length = 0;
    this.#count = 0;
    return lines;
  }
}
