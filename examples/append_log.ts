// Copyright 2026 the ioq authors. MIT license.

/**
 * A log that is only appended to, and that tells when a record is safe:
 *
 *     deno run --allow-ffi --allow-read --allow-write examples/append_log.ts FILE [RECORDS]
 *
 * An fsync takes a device milliseconds, and covers all that was written before. So
 * records that come while one is under way wait for the next, together:
 *
 *     append(a) ─▶ write a, sync ───────────▶ a is safe
 *       append(b), append(c), append(d) ─────▶ write b c d, sync ─▶ b, c, d are safe
 *
 * One record after the other costs a sync each; a thousand at a time hardly more
 * than one. A record is its length and its CRC-32, 4 bytes each, little-endian, and
 * its bytes. What a crash left half-written at the end is cut off on opening.
 *
 * @module
 */

import { crc32 } from "node:zlib";
import { Ioq, type IoqFile } from "@ioq/ioq";

const HEAD_BYTES = 8;
/** The longest record. */
const RECORD_BYTES_MAX = 16 * 1024 * 1024;

/** Someone who waits for a record to be safe. */
interface Appender {
  readonly record: Uint8Array;
  readonly resolve: (offset: number) => void;
  readonly reject: (reason: unknown) => void;
}

/** A log. */
export class AppendLog implements AsyncDisposable {
  readonly #file: IoqFile;
  #end: number;
  #waiting: Appender[] = [];
  #running: Promise<void> | undefined;
  #failure: { readonly reason: unknown } | undefined;
  /** How many times the log was synced. */
  syncs = 0;

  private constructor(file: IoqFile, end: number) {
    this.#file = file;
    this.#end = end;
  }

  /** Open a log, or begin one. */
  static async open(ioq: Ioq, path: string): Promise<AppendLog> {
    const file = await ioq.openFile(path, { read: true, write: true, create: true });
    try {
      let end = 0;
      for await (const record of readRecords(file)) {
        end += HEAD_BYTES + record.length;
      }
      await file.truncate(end);
      return new AppendLog(file, end);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** Append a record. Resolves to its offset in bytes when it is safe on the device. */
  append(record: Uint8Array): Promise<number> {
    if (record.length > RECORD_BYTES_MAX) {
      return Promise.reject(new RangeError(`Cannot append ${record.length} bytes`));
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ record, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  /** The records, from the first. */
  records(): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    return readRecords(this.#file);
  }

  /** Write and sync, as long as somebody waits. */
  async #run(): Promise<void> {
    // Let all who append in this turn of the event loop come along
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0);
      try {
        if (this.#failure !== undefined) {
          throw this.#failure.reason;
        }
        const { bytes, offsets } = pack(batch.map(({ record }) => record), this.#end);
        await writeAllAt(this.#file, bytes, this.#end);
        await this.#file.syncData();
        this.syncs++;
        this.#end += bytes.length;
        batch.forEach(({ resolve }, i) => resolve(offsets[i]!));
      } catch (reason) {
        // After a failed sync nobody knows what is on the device: no more promises
        this.#failure ??= { reason };
        batch.forEach(({ reject }) => reject(reason));
      }
    }
    this.#running = undefined;
  }

  /** Wait for what was appended, and close the file. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running;
    await this.#file.close();
  }
}

/** Records as they are in the file, and where each of them begins. */
function pack(records: readonly Uint8Array[], start: number) {
  const length = records.reduce((sum, record) => sum + HEAD_BYTES + record.length, 0);
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  const offsets: number[] = [];
  let at = 0;
  for (const record of records) {
    offsets.push(start + at);
    view.setUint32(at, record.length, true);
    view.setUint32(at + 4, crc32(record), true);
    bytes.set(record, at + HEAD_BYTES);
    at += HEAD_BYTES + record.length;
  }
  return { bytes, offsets };
}

/** The whole records that a file begins with. */
async function* readRecords(file: IoqFile): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const head = new Uint8Array(HEAD_BYTES);
  const view = new DataView(head.buffer);
  for (let at = 0; await readAllAt(file, head, at);) {
    const length = view.getUint32(0, true);
    const record = new Uint8Array(length <= RECORD_BYTES_MAX ? length : 0);
    if (
      record.length !== length || !await readAllAt(file, record, at + HEAD_BYTES) ||
      crc32(record) !== view.getUint32(4, true)
    ) {
      return;
    }
    yield record;
    at += HEAD_BYTES + length;
  }
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

if (import.meta.main) {
  const [path, count = "1000"] = Deno.args;
  if (path === undefined || !/^\d+$/.test(count)) {
    console.error("Usage: append_log.ts FILE [RECORDS]");
    Deno.exit(2);
  }
  await using ioq = await Ioq.open();
  await using log = await AppendLog.open(ioq, path);
  const start = performance.now();
  const records = Array.from({ length: Number(count) }, (_, i) => `record ${i}`);
  await Promise.all(records.map((it) => log.append(new TextEncoder().encode(it))));
  const ms = performance.now() - start;
  let total = 0;
  for await (const _ of log.records()) {
    total++;
  }
  console.log(
    `${records.length} records safe after ${ms.toFixed(1)} ms and ${log.syncs} syncs; ` +
      `the log has ${total}`,
  );
}
