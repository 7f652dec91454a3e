// Copyright 2026 the ioq authors. MIT license.

import { type Ioq, op } from "@ioq/ioq";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { forEachBackend } from "../backends.ts";
import { newSeed, randomFrom, TempDir, within } from "../fixtures.ts";

/** The longest write that is done within the call. */
const LONGEST = 64 * 1024;

function total({ completed }: Ioq): number {
  return Object.values(completed).reduce((a, b) => a + b);
}

/** Bytes that no other call of this has. */
function bytesFrom(random: () => number, length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, () => Math.floor(random() * 256));
}

forEachBackend("short and long writes take place in the order of their calls", async (bench) => {
  using dir = new TempDir();
  await using ioq = await bench.open();
  const seed = newSeed();
  const random = randomFrom(seed);
  await using file = await ioq.openFile(dir.at("file"), { read: true, write: true, create: true });
  using oracle = Deno.openSync(dir.at("oracle"), { read: true, write: true, create: true });
  for (let round = 0; round < 30; round++) {
    const calls: Promise<unknown>[] = [];
    for (let i = Math.floor(random() * 6); i >= 0; i--) {
      const length = Math.floor(random() * [10, 5000, LONGEST + 3, 200_000][i % 4]!);
      const bytes = bytesFrom(random, length);
      const from = Math.floor(random() * 100_000);
      switch (Math.floor(random() * 5)) {
        case 0:
          calls.push(file.seek(from, Deno.SeekMode.Start));
          oracle.seekSync(from, Deno.SeekMode.Start);
          break;
        case 1:
          calls.push(file.truncate(from));
          oracle.truncateSync(from);
          break;
        case 2:
          calls.push(file.writeAll(bytes));
          for (let done = 0; done < length;) {
            done += oracle.writeSync(bytes.subarray(done));
          }
          break;
        default:
          calls.push(file.write(bytes));
          oracle.writeSync(bytes);
      }
      if (random() < 0.3) {
        await calls.at(-1);
      }
    }
    await Promise.all(calls);
    const here = await file.seek(0, Deno.SeekMode.Current);
    assertEquals(here, oracle.seekSync(0, Deno.SeekMode.Current), `seed ${seed}, round ${round}`);
  }
  const [written, expected] = ["file", "oracle"].map((name) => Deno.readFileSync(dir.at(name)));
  assertEquals(written!.length, expected!.length, `seed ${seed}`);
  assert(written!.every((byte, i) => byte === expected![i]), `seed ${seed}`);
});

forEachBackend("writes at offsets and appends are like anybody's", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  const part = (value: number, length: number) => new Uint8Array(length).fill(value);
  {
    await using file = await ioq.openFile(dir.file("at", "........"), { write: true });
    assertEquals(await file.writeAt(part(65, 2), 1), 2);
    assertEquals(await file.writeAt(part(66, 1), 7), 1);
    assertEquals(await file.writeAt(part(67, 1), 9), 1);
    assertEquals(await file.writeAt(part(68, 4097), 2 ** 32 - 1), 4097);
    assertEquals(await file.write(part(69, 1)), 1, "the position has not moved");
    assertEquals(await file.write(new Uint8Array()), 0);
    const all = new Uint8Array(64);
    using read = Deno.openSync(dir.at("at"));
    assertEquals(read.readSync(all), 64);
    assertEquals(new TextDecoder().decode(all.subarray(0, 10)), "EAA....B\0C");
    assertEquals(read.seekSync(2 ** 32 - 2, Deno.SeekMode.Start), 2 ** 32 - 2);
    read.readSync(all);
    assertEquals([...all.subarray(0, 3)], [0, 68, 68]);
    assertEquals(read.statSync().size, 2 ** 32 - 1 + 4097);
  }
  await using file = await ioq.openFile(dir.file("log", "12"), { append: true, read: true });
  for (let i = 0; i < 5; i++) {
    assertEquals(await file.write(part(97 + i, 3)), 3);
    // Somebody else does so as well
    Deno.writeTextFileSync(dir.at("log"), String(i), { append: true });
  }
  assertEquals(Deno.readTextFileSync(dir.at("log")), "12aaa0bbb1ccc2ddd3eee4");
  assertEquals(await file.seek(0, Deno.SeekMode.Current), 21);
});

forEachBackend("a short write overtakes nothing that is in flight on its file", async (bench) => {
  using dir = new TempDir();
  await using ioq = await bench.open();
  await using file = await ioq.openFile(dir.file("file", "....."), { read: true, write: true });
  const { signal } = new AbortController();
  const buffer = new Uint8Array(5);
  // With a signal it takes its turn
  const first = file.write(new Uint8Array(5).fill(65), { signal });
  const before = total(ioq);
  const others = [file.writeAt(new Uint8Array(1).fill(66), 1), file.write(new Uint8Array(1))];
  assertEquals(total(ioq), before, "nothing was done by now");
  assertEquals([await first, ...await Promise.all(others)], [5, 1, 1]);
  assertEquals(await file.readAt(buffer, 0), 5);
  assertEquals(Deno.statSync(dir.at("file")).size, 6);
});

forEachBackend("any bytes are written as they are at the call", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  await using file = await ioq.openFile(dir.at("file"), { write: true, create: true });
  const shared = new Uint8Array(new SharedArrayBuffer(8), 2, 3).fill(65);
  assertEquals(await file.write(shared), 3);
  const growing = new Uint8Array(new ArrayBuffer(4, { maxByteLength: 100 }));
  growing.fill(66);
  (growing.buffer as ArrayBuffer).resize(3);
  assertEquals(await file.write(growing), 3);
  class Liar extends Uint8Array {
    override get byteLength(): number {
      return 1_000_000;
    }
  }
  assertEquals(await file.write(new Liar([67, 67])), 2);
  const detached = new Uint8Array(3);
  structuredClone(detached, { transfer: [detached.buffer] });
  assertEquals(await file.write(detached), 0);
  // What comes after the call comes too late
  const changing = new Uint8Array(2).fill(68);
  const writing = file.write(changing);
  changing.fill(69);
  assertEquals(await writing, 2);
  assertEquals(Deno.readTextFileSync(dir.at("file")), "AAABBBCCDD");
});

forEachBackend("short writes leave the event loop its turn", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  await using file = await ioq.openFile(dir.at("file"), { write: true, create: true });
  let over = false;
  setTimeout(() => over = true);
  const bytes = new Uint8Array(4096);
  // Without end, were it not for the timer
  const writing = (async () => {
    while (!over) {
      await file.writeAt(bytes, 0);
    }
  })();
  await within(20_000, writing, "the timer");
});

forEachBackend("a queue that takes nothing writes nothing", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open({ depth: 2 });
  const file = await ioq.openFile(dir.at("file"), { write: true, create: true });
  const bytes = new Uint8Array(4);
  assertEquals(await file.write(bytes), 4);

  // Full: waits its turn
  ioq.submit(op.nop());
  ioq.submit(op.nop());
  const before = total(ioq);
  const waiting = file.write(bytes);
  assertEquals(total(ioq), before);
  for await (const completion of ioq) {
    assert(completion.ok);
  }
  assertEquals(await waiting, 4);

  const signal = AbortSignal.abort(new Error("mine"));
  await assertRejects(() => file.write(bytes, { signal }), Error, "mine");
  ioq.cancelAll();
  await assertRejects(() => file.write(bytes), Deno.errors.Interrupted);
  await file.close();
  await assertRejects(() => file.write(bytes), Deno.errors.BadResource);
  assertEquals(Deno.statSync(dir.at("file")).size, 8);
});

forEachBackend("a write that fails tells why, and moves nothing", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  await using read = await ioq.openFile(dir.file("file", "12"));
  await assertRejects(() => read.write(new Uint8Array(1)), Error, "os error 9");
  await assertRejects(() => read.writeAt(new Uint8Array(1), 0), Error, "os error 9");
  await using file = await ioq.openFile(dir.at("file"), { write: true });
  await assertRejects(() => file.writeAt(new Uint8Array(1), Number.MAX_SAFE_INTEGER));
  assertEquals(await file.seek(0, Deno.SeekMode.Current), 0);
  assertEquals(Deno.readTextFileSync(dir.at("file")), "12");
});
