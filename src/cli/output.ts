// Copyright 2026 the ioq authors. MIT license.

/**
 * What commands write: bytes to files and pipes, harmless text to terminals.
 *
 * @module
 */

import { harmless } from "./quoting.ts";

const encoder = new TextEncoder();

/** The reader of our output has gone: there is nobody to work for any more. */
export class ReaderGone extends Error {}

/** How long to wait before another attempt to write where nobody has read yet. */
const RETRY_MS = 2;

/**
 * Write some of it to standard output: at once, since a thread that waits for it
 * costs more than the writing. If that does not block, as somebody else may have
 * asked of the pipe, it is tried again until there is room.
 *
 * @returns How many bytes.
 */
function writeSome(bytes: Uint8Array): number | Promise<number> {
  try {
    return Deno.stdout.writeSync(bytes);
  } catch (error) {
    if (error instanceof Deno.errors.WouldBlock) {
      return new Promise((resolve) => setTimeout(() => resolve(0), RETRY_MS));
    }
    throw error;
  }
}

/** Write all of it to standard output. */
export async function write(bytes: Uint8Array): Promise<void> {
  try {
    while (bytes.length > 0) {
      bytes = bytes.subarray(await writeSome(bytes));
    }
  } catch (error) {
    throw error instanceof Deno.errors.BrokenPipe ? new ReaderGone() : error;
  }
}

/** Where text becomes bytes, again and again: fresh memory costs more than the work. */
const buffer = new Uint8Array(1 << 17);

/** Write lines to standard output; one call at a time. */
export async function writeText(text: string): Promise<void> {
  while (text !== "") {
    const { read, written } = encoder.encodeInto(text, buffer);
    await write(buffer.subarray(0, written));
    text = text.slice(read);
  }
}

/** Bytes of pieces, one after the other. */
export function concat(pieces: readonly (string | Uint8Array)[]): Uint8Array {
  const parts = pieces.map((piece) => typeof piece === "string" ? encoder.encode(piece) : piece);
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Tell of an error on standard error. */
export function complain(command: string, error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  console.error(`ioq ${command}: ${harmless(message)}`);
}

/** Tell that things could not be read that nothing was told of. */
export function tellOthers(count: number): void {
  if (count > 0) {
    const things = count === 1 ? "1 thing" : `${count} things`;
    console.error(`ioq find: ${things} could not be read, --errors tells which`);
  }
}

/** Whether standard output shows colours. */
export function hasColors(): boolean {
  return Deno.stdout.isTerminal() && !Deno.noColor;
}

/** A line that is redrawn on a terminal now and then; nothing elsewhere. */
export class Progress {
  // With the results on the same terminal it would be in their way
  readonly #shown = Deno.stderr.isTerminal() && !Deno.stdout.isTerminal();
  #last = 0;

  /** Show a line, if the last one is old enough. */
  show(line: () => string): void {
    if (this.#shown && performance.now() - this.#last > 100) {
      this.#last = performance.now();
      Deno.stderr.writeSync(encoder.encode(`\r\u001b[K${line()}`));
    }
  }

  /** Take it away. */
  clear(): void {
    if (this.#last > 0) {
      Deno.stderr.writeSync(encoder.encode("\r\u001b[K"));
      this.#last = 0;
    }
  }
}
