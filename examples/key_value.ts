// Copyright 2026 the ioq authors. MIT license.

/**
 * A tiny key-value store in one file:
 *
 *     deno run --allow-ffi --allow-read --allow-write examples/key_value.ts FILE COMMAND
 *
 * The file is written at its end only; an index in memory says where each key's
 * value is. So any number of `get()` can be under way at once, each a single
 * `readAt()`, while values are written with `writeAt()` at offsets that were given
 * out beforehand.
 *
 *     entry: CRC-32 of the rest │ key length │ value length │ key │ value
 *            4 bytes            │ 4 bytes    │ 4 bytes
 *
 * A value length of 0xffffffff means that the key was deleted. Opening reads the
 * file once and stops at the first entry that is not whole. `compact()` writes what
 * counts into a new file, and puts it in place of the old one with a rename: there
 * is a whole store at any time.
 *
 * @module
 */

import { crc32 } from "node:zlib";
import { Ioq, type IoqFile } from "@ioq/ioq";

const HEAD_BYTES = 12;
const DELETED = 0xffffffff;
/** The longest key, and the longest value. */
const LENGTH_MAX = 64 * 1024 * 1024;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Where a value is. */
interface Place {
  readonly offset: number;
  readonly length: number;
}

/** A store. One process at a time may have it open. */
export class KeyValueStore implements AsyncDisposable {
  readonly #ioq: Ioq;
  readonly #path: string;
  #file: IoqFile;
  #end = 0;
  #index = new Map<string, Place>();
  /** Writes that are under way. */
  readonly #writing = new Set<Promise<void>>();
  /** Where the last entry of a key begins, while it is being written. */
  readonly #pending = new Map<string, number>();
  /** A write that failed left a hole: what comes behind it would be lost. */
  #failure: { readonly reason: unknown } | undefined;

  private constructor(ioq: Ioq, path: string, file: IoqFile) {
    this.#ioq = ioq;
    this.#path = path;
    this.#file = file;
  }

  /**
   * Open a store, or begin one.
   *
   * @throws {Deno.errors.Busy} If another process has it open.
   */
  static async open(ioq: Ioq, path: string): Promise<KeyValueStore> {
    const file = await ioq.openFile(path, { read: true, write: true, create: true });
    try {
      if (!await file.tryLock(true)) {
        throw new Deno.errors.Busy(`Cannot open '${path}': another process has it open`);
      }
      const store = new KeyValueStore(ioq, path, file);
      await store.#load();
      return store;
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** How many keys there are. */
  get size(): number {
    return this.#index.size;
  }

  /** The keys. */
  keys(): MapIterator<string> {
    return this.#index.keys();
  }

  /** The value of a key, or `undefined`. */
  async get(key: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const place = this.#index.get(key);
    if (place === undefined) {
      return undefined;
    }
    const value = new Uint8Array(place.length);
    if (!await readAllAt(this.#file, value, place.offset)) {
      throw new Deno.errors.UnexpectedEof(`Cannot read '${key}': '${this.#path}' was truncated`);
    }
    return value;
  }

  /** Set a key's value. Resolves when it is written; {@linkcode sync} makes it safe. */
  set(key: string, value: Uint8Array): Promise<void> {
    return this.#append(key, value);
  }

  /** Delete a key; tells whether there was one. */
  async delete(key: string): Promise<boolean> {
    const found = this.#index.has(key) || this.#pending.has(key);
    if (found) {
      await this.#append(key, undefined);
    }
    return found;
  }

  /** Have everything that is written survive a power failure. */
  async sync(): Promise<void> {
    await Promise.all(this.#writing);
    await this.#file.syncData();
  }

  /** Write the store anew without what was overwritten or deleted. Nothing else may go on. */
  async compact(): Promise<void> {
    await Promise.all(this.#writing);
    const path = `${this.#path}.new`;
    const file = await this.#ioq.openFile(path, {
      read: true,
      write: true,
      create: true,
      truncate: true,
    });
    try {
      await file.tryLock(true);
      const index = new Map<string, Place>();
      let end = 0;
      for (const key of this.#index.keys()) {
        const value = (await this.get(key))!;
        const entry = pack(key, value);
        await writeAllAt(file, entry, end);
        end += entry.length;
        index.set(key, { offset: end - value.length, length: value.length });
      }
      await file.syncData();
      await this.#ioq.rename(path, this.#path);
      await this.#file.close();
      this.#file = file;
      this.#index = index;
      this.#end = end;
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** Wait for what is being written, and close the file. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.#writing);
    await this.#file.close();
  }

  /** Write an entry where the next one belongs. */
  #append(key: string, value: Uint8Array | undefined): Promise<void> {
    if (key.length > LENGTH_MAX || (value?.length ?? 0) > LENGTH_MAX) {
      return Promise.reject(new RangeError(`Cannot store more than ${LENGTH_MAX} bytes`));
    }
    if (this.#failure !== undefined) {
      return Promise.reject(this.#failure.reason);
    }
    const entry = pack(key, value);
    const start = this.#end;
    this.#end += entry.length;
    const length = value?.length ?? 0;
    const place = { offset: this.#end - length, length };
    this.#pending.set(key, start);
    const writing = writeAllAt(this.#file, entry, start).then(() => {
      // Writes may end in any order: the last that was begun counts
      if (this.#pending.get(key) === start) {
        this.#pending.delete(key);
        if (value === undefined) {
          this.#index.delete(key);
        } else {
          this.#index.set(key, place);
        }
      }
    }, (reason) => {
      this.#failure ??= { reason };
      throw reason;
    }).finally(() => this.#writing.delete(writing));
    this.#writing.add(writing);
    return writing;
  }

  /** Read the file once, to know where everything is. */
  async #load(): Promise<void> {
    const head = new Uint8Array(HEAD_BYTES);
    const view = new DataView(head.buffer);
    while (await readAllAt(this.#file, head, this.#end)) {
      const [keyLength, valueLength] = [view.getUint32(4, true), view.getUint32(8, true)];
      const length = valueLength === DELETED ? 0 : valueLength;
      if (keyLength > LENGTH_MAX || length > LENGTH_MAX) {
        break;
      }
      const entry = new Uint8Array(HEAD_BYTES + keyLength + length);
      if (
        !await readAllAt(this.#file, entry, this.#end) ||
        crc32(entry.subarray(4)) !== view.getUint32(0, true)
      ) {
        break;
      }
      const key = decoder.decode(entry.subarray(HEAD_BYTES, HEAD_BYTES + keyLength));
      this.#end += entry.length;
      if (valueLength === DELETED) {
        this.#index.delete(key);
      } else {
        this.#index.set(key, { offset: this.#end - length, length });
      }
    }
    // What is behind it was not written whole
    await this.#file.truncate(this.#end);
  }
}

/** An entry as it is in the file. */
function pack(key: string, value: Uint8Array | undefined): Uint8Array<ArrayBuffer> {
  const keyBytes = encoder.encode(key);
  const entry = new Uint8Array(HEAD_BYTES + keyBytes.length + (value?.length ?? 0));
  const view = new DataView(entry.buffer);
  view.setUint32(4, keyBytes.length, true);
  view.setUint32(8, value?.length ?? DELETED, true);
  entry.set(keyBytes, HEAD_BYTES);
  if (value !== undefined) {
    entry.set(value, HEAD_BYTES + keyBytes.length);
  }
  view.setUint32(0, crc32(entry.subarray(4)), true);
  return entry;
}

/** Fill a buffer; tells whether the file had so much. */
async function readAllAt(
  file: IoqFile,
  buffer: Uint8Array<ArrayBuffer>,
  offset: number,
): Promise<boolean> {
  for (let done = 0; done < buffer.length;) {
    const count = await file.readAt(buffer.subarray(done), offset + done);
    if (count === null) {
      return false;
    }
    done += count;
  }
  return true;
}

/** Write all of the bytes, however many times that takes. */
async function writeAllAt(file: IoqFile, bytes: Uint8Array, offset: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    done += await file.writeAt(bytes.subarray(done), offset + done);
  }
}

/** Run a command on a store; the exit code. */
async function main([path, command, key, value]: string[]): Promise<number> {
  if (path === undefined) {
    console.error(
      "Usage: key_value.ts FILE (get KEY | set KEY VALUE | delete KEY | list | compact)",
    );
    return 2;
  }
  await using ioq = await Ioq.open();
  await using store = await KeyValueStore.open(ioq, path);
  if (command === "get" && key !== undefined) {
    const found = await store.get(key);
    if (found === undefined) {
      return 1;
    }
    console.log(decoder.decode(found));
  } else if (command === "set" && key !== undefined && value !== undefined) {
    await store.set(key, encoder.encode(value));
    await store.sync();
  } else if (command === "delete" && key !== undefined) {
    const found = await store.delete(key);
    await store.sync();
    return found ? 0 : 1;
  } else if (command === "list") {
    for (const name of store.keys()) {
      console.log(name);
    }
  } else if (command === "compact") {
    await store.compact();
  } else {
    console.error(`key_value: there is no command '${[command, key].join(" ").trim()}'`);
    return 2;
  }
  return 0;
}

if (import.meta.main) {
  Deno.exitCode = await main(Deno.args);
}
