// Copyright 2026 the ioq authors. MIT license.

/**
 * Random transfers of every form against a model in memory: at offsets, vectored,
 * at the end, at the position, synchronous; and holes, beyond 2^32 too.
 */

import { assert, assertEquals } from "@std/assert";
import { forEachBackend } from "../backends.ts";
import { newSeed, randomFrom, TempDir } from "../fixtures.ts";

const PAGE = 4096;

/** A file's content, of which only what was written takes memory. */
class Model {
  size = 0;
  readonly #pages = new Map<number, Uint8Array>();

  write(data: Uint8Array, offset: number): void {
    for (let i = 0; i < data.length;) {
      const at = offset + i;
      const number = Math.floor(at / PAGE);
      let page = this.#pages.get(number);
      if (page === undefined) {
        page = new Uint8Array(PAGE);
        this.#pages.set(number, page);
      }
      const part = data.subarray(i, i + PAGE - at % PAGE);
      page.set(part, at % PAGE);
      i += part.length;
    }
    this.size = data.length === 0 ? this.size : Math.max(this.size, offset + data.length);
  }

  read(length: number, offset: number): Uint8Array {
    const data = new Uint8Array(Math.max(0, Math.min(length, this.size - offset)));
    for (let i = 0; i < data.length;) {
      const at = offset + i;
      const rest = Math.min(PAGE - at % PAGE, data.length - i);
      const page = this.#pages.get(Math.floor(at / PAGE));
      if (page !== undefined) {
        data.set(page.subarray(at % PAGE, at % PAGE + rest), i);
      }
      i += rest;
    }
    return data;
  }

  truncate(length: number): void {
    for (const [number, page] of this.#pages) {
      if (number * PAGE >= length) {
        this.#pages.delete(number);
      } else if ((number + 1) * PAGE > length) {
        page.fill(0, length - number * PAGE);
      }
    }
    this.size = length;
  }
}

/** Bytes as several buffers, some of them empty. */
function split(data: Uint8Array<ArrayBuffer>, below: (limit: number) => number) {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for (let at = 0; at < data.length || parts.length === 0;) {
    const part = data.subarray(at, at + below(data.length - at + 1));
    parts.push(part);
    at += part.length;
    if (parts.length === 20) {
      parts.push(data.subarray(at));
      break;
    }
  }
  return parts;
}

forEachBackend("random transfers of all forms agree with a model", async ({ open, row }) => {
  using dir = new TempDir();
  const seed = newSeed();
  const random = randomFrom(seed);
  const below = (limit: number) => Math.floor(random() * limit);
  const path = dir.file("file");
  await using ioq = await open({ depth: 16 });
  await using file = await ioq.openFile(path, { read: true, write: true });
  await using end = await ioq.openFile(path, { append: true });
  const model = new Model();
  // Those of a Worker's files are for no other thread
  const synchronous = row.library || !row.concurrent;
  let position = 0;

  for (let step = 0; step < 250; step++) {
    const what = `IOQ_SEED=${seed}, step ${step}`;
    // Now and then beyond what 32 bits hold, signed and unsigned
    const base = [0, 0, 0, 2 ** 31 - 50, 2 ** 32 - 50, 2 ** 33 + 7][below(6)]!;
    const offset = base + below(20_000);
    const length = random() < 0.1 ? below(200_000) : below(300);
    const data = new Uint8Array(length).fill(below(255) + 1);
    const buffer = new Uint8Array(length);
    const check = (count: number | null, at: number) => {
      const expected = model.read(length, at);
      assertEquals(count, expected.length === 0 && length > 0 ? null : expected.length, what);
      assert(expected.every((byte, i) => byte === buffer[i]), what);
      assert(buffer.subarray(expected.length).every((byte) => byte === 0), what);
    };
    switch (below(11)) {
      case 0:
      case 1:
        assertEquals(await file.writeAt(data, offset), length, what);
        model.write(data, offset);
        break;
      case 2:
        assertEquals(await file.writevAt(split(data, below), offset), length, what);
        model.write(data, offset);
        break;
      case 3:
        check(await file.readAt(buffer, offset), offset);
        break;
      case 4:
        check(await file.readvAt(split(buffer, below), offset), offset);
        break;
      case 5:
        // Wherever it is told to write, it writes at the end
        assertEquals(
          random() < 0.5 ? await end.write(data) : await end.writev(split(data, below)),
          length,
          what,
        );
        model.write(data, model.size);
        break;
      case 6:
        await file.truncate(offset);
        model.truncate(offset);
        break;
      case 7: {
        const count = random() < 0.5
          ? await file.read(buffer)
          : await file.readv(split(buffer, below));
        check(count, position);
        position += count ?? 0;
        break;
      }
      case 8: {
        const count = synchronous ? file.writeSync(data) : await file.write(data);
        assertEquals(count, length, what);
        model.write(data, position);
        position += length;
        break;
      }
      case 9:
        if (row.library) {
          position = synchronous && random() < 0.5
            ? file.seekSync(offset, Deno.SeekMode.Start)
            : await file.seek(offset, Deno.SeekMode.Start);
          assertEquals(position, offset, what);
        }
        break;
      default: {
        const count = synchronous ? file.readSync(buffer) : await file.read(buffer);
        check(count, position);
        position += count ?? 0;
      }
    }
    const { size } = synchronous && step % 2 ? file.statSync() : await file.stat();
    assertEquals(size, model.size, what);
  }
});
