// Copyright 2026 the ioq authors. MIT license.

/**
 * What a walk finds as lines, for those who only want to print it: no entries are
 * made, and what there is to do is done for a directory, not for each name.
 *
 * That matters to a command, which is over before the code that it runs has been
 * optimized: work for each name would take several times as long as it does in a
 * program that walks again and again.
 *
 * @module
 */

/** What lines are. */
export interface LineFormat {
  /** What ends each. */
  readonly end: string;
}

/** Lines, each with its end. */
export interface Lines {
  readonly text: string;
  /** How many. */
  readonly length: number;
}

/** Makes lines. */
export class LineBuffer {
  readonly #format: LineFormat;
  #text = "";
  #length = 0;

  constructor(format: LineFormat) {
    this.#format = format;
  }

  /** Add the lines of a directory's entries, whose paths begin with a prefix. */
  add(prefix: string, names: readonly string[]): void {
    if (names.length > 0) {
      const { end } = this.#format;
      this.#text += prefix + names.join(end + prefix) + end;
      this.#length += names.length;
    }
  }

  /** Take them out, if there are any and they have so many characters. */
  take(least: number): Lines | undefined {
    if (this.#length === 0 || this.#text.length < least) {
      return undefined;
    }
    const lines = { text: this.#text, length: this.#length };
    this.#text = "";
    this.#length = 0;
    return lines;
  }
}
