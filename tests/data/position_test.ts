// Copyright 2026 the ioq authors. MIT license.

/** A file's position: whatever is in flight, it moves by what calls were told, in their order. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { type IoqFile, type IoqRequest, op, type OpName } from "../../mod.ts";
import { forEachBackend } from "../backends.ts";
import { bytes, errorOf, newSeed, randomFrom, TempDir, text, within } from "../fixtures.ts";

const BOTH = { read: true, write: true, create: true };

/** Bytes that tell where they belong. */
function pattern(length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, i) => i * 31 + (i >> 8) * 7 + (i >> 16));
}

/** Whether two are the same; `assertEquals` takes seconds to say so of megabytes. */
function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

forEachBackend(
  "calls at the position that are not awaited follow one another",
  async ({ open }) => {
    using dir = new TempDir();
    const seed = newSeed();
    const random = randomFrom(seed);
    await using ioq = await open();
    for (let round = 0; round < 4; round++) {
      const what = `IOQ_SEED=${seed}, round ${round}`;
      const lengths = Array.from({ length: 10 }, () => 1 + Math.floor(random() ** 3 * 400_000));
      // One that takes several requests
      lengths[3] = round === 0 ? 2 ** 21 + 1 : lengths[3]!;
      const data = pattern(lengths.reduce((a, b) => a + b));
      await using file = await ioq.openFile(dir.at("file"), { ...BOTH, truncate: true });
      let at = 0;
      const writes = lengths.map((length, i) => {
        const part = data.subarray(at, at += length);
        return i % 4 === 2
          ? file.writev([part.subarray(0, 1), part.subarray(1)])
          : file.write(part);
      });
      assertEquals(await Promise.all(writes), lengths, what);
      assert(isSame(Deno.readFileSync(dir.at("file")), data), what);

      assertEquals(await file.seek(0, Deno.SeekMode.Start), 0);
      const parts = lengths.map((length) => new Uint8Array(length));
      const reads = parts.map((part, i) => i % 4 === 2 ? file.readv([part]) : file.read(part));
      const end = file.read(new Uint8Array(1));
      assertEquals(await Promise.all(reads), lengths, what);
      assertEquals(await end, null);
      at = 0;
      for (const part of parts) {
        assert(isSame(part, data.subarray(at, at += part.length)), what);
      }
      assertEquals(await file.seek(0, Deno.SeekMode.Current), data.length);
    }
  },
);

forEachBackend(
  "reads, writes and seeks that are not awaited do as if they were",
  async ({ open }) => {
    using dir = new TempDir();
    await using ioq = await open();
    const story = async (file: IoqFile | Deno.FsFile, isAwaited: boolean) => {
      const seen: unknown[] = [];
      const buffers: Uint8Array[] = [];
      const calls: (() => Promise<unknown>)[] = [];
      const read = (length: number) => {
        const buffer = new Uint8Array(length);
        buffers.push(buffer);
        return file.read(buffer);
      };
      for (let i = 0; i < 12; i++) {
        calls.push(
          () => file.write(bytes(`<${i}>`.repeat(i))),
          () => file.seek(-i, Deno.SeekMode.Current),
          () => read(5),
          () => file.seek(i * 3, Deno.SeekMode.Start),
          () => read(i),
          () => file.seek(-i - 1, Deno.SeekMode.End),
          () => read(1),
          () => file.seek(1_000, Deno.SeekMode.End),
          () => read(1),
          () => file.seek(-1, Deno.SeekMode.Start).catch((error) => error.message.split(":")[0]),
          () => file.seek(-2_000_000, Deno.SeekMode.Current).catch((error) => error.constructor),
          () => file.seek(2, Deno.SeekMode.Start),
        );
      }
      if (isAwaited) {
        for (const call of calls) {
          seen.push(await call());
        }
      } else {
        seen.push(...await Promise.all(calls.map((call) => call())));
      }
      return [seen, buffers.map(text)];
    };
    await using ours = await ioq.openFile(dir.file("ours", "0123456789"), BOTH);
    await using again = await ioq.openFile(dir.file("again", "0123456789"), BOTH);
    using denos = await Deno.open(dir.file("denos", "0123456789"), BOTH);
    const expected = await story(denos, true);
    assertEquals(await story(ours, false), expected);
    assertEquals(await story(again, true), expected);
    assertEquals(Deno.readTextFileSync(dir.at("ours")), Deno.readTextFileSync(dir.at("denos")));
    assertEquals(Deno.readTextFileSync(dir.at("again")), Deno.readTextFileSync(dir.at("denos")));
  },
);

forEachBackend(
  "a position beyond the end, and a file that is shortened, are as with Deno",
  async ({ open }) => {
    using dir = new TempDir();
    await using ioq = await open();
    const story = async (file: IoqFile | Deno.FsFile) => {
      const buffer = new Uint8Array(4);
      const seen: unknown[] = [await file.write(bytes("0123456789"))];
      await file.truncate(4);
      seen.push(await file.read(buffer), await file.seek(0, Deno.SeekMode.Current));
      seen.push(await file.write(bytes("ab")), await file.seek(0, Deno.SeekMode.Current));
      seen.push(await file.seek(100, Deno.SeekMode.Start), await file.read(buffer));
      await file.truncate(0);
      seen.push(await file.write(bytes("z")), (await file.stat()).size);
      return seen;
    };
    await using ours = await ioq.openFile(dir.at("ours"), BOTH);
    using denos = await Deno.open(dir.at("denos"), BOTH);
    assertEquals(await story(ours), await story(denos));
    assertEquals(Deno.readFileSync(dir.at("ours")), Deno.readFileSync(dir.at("denos")));
  },
);

forEachBackend("what is appended goes to the end, and the position there", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  const story = async (file: IoqFile | Deno.FsFile, isRead: boolean) => {
    const buffer = new Uint8Array(3);
    const tell = () => file.seek(0, Deno.SeekMode.Current);
    const seen: unknown[] = [await tell()];
    if (isRead) {
      seen.push(await file.read(buffer), text(buffer), await tell());
    }
    seen.push(await file.write(bytes("ab")), await file.write(bytes("cd")), await tell());
    seen.push(await file.seek(2, Deno.SeekMode.Start), await tell());
    if (isRead) {
      seen.push(await file.read(buffer), text(buffer), await tell());
    }
    seen.push(await file.write(bytes("ef")), await tell());
    seen.push(isRead && await file.read(buffer), await file.write(new Uint8Array()), await tell());
    return seen;
  };
  for (const read of [false, true]) {
    const how = { append: true, read };
    await using ours = await ioq.openFile(dir.file("ours", "0123456789"), how);
    using denos = await Deno.open(dir.file("denos", "0123456789"), how);
    assertEquals(await story(ours, read), await story(denos, read));
    assertEquals(Deno.readTextFileSync(dir.at("ours")), Deno.readTextFileSync(dir.at("denos")));
  }
  // Not awaited: in order, and of pieces
  const long = pattern(2 ** 21 + 5);
  await using log = await ioq.openFile(dir.file("log"), { append: true });
  await Promise.all([log.write(bytes("1")), log.write(long), log.writev([bytes("2"), bytes("3")])]);
  const logged = Deno.readFileSync(dir.at("log"));
  assertEquals(text(logged.subarray(0, 1)) + text(logged.subarray(-2)), "123");
  assert(isSame(logged.subarray(1, -2), long));
});

forEachBackend("a synchronous call comes after what is in progress", async ({ open, row }) => {
  using dir = new TempDir();
  await using ioq = await open();
  await using file = await ioq.openFile(dir.at("file"), BOTH);
  if (!row.nativeThreads) {
    // What kind of file it is takes requests: nobody can tell before
    await file.write(new Uint8Array());
  }
  const write = file.write(bytes("AB"));
  assertEquals(file.writeSync(bytes("CD")), 2);
  assertEquals(file.seekSync(0, Deno.SeekMode.Current), 4);
  assertEquals(await write, 2);
  assertEquals(await file.write(bytes("EF")), 2);
  assertEquals(Deno.readTextFileSync(dir.at("file")), "ABCDEF");

  file.seekSync(0, Deno.SeekMode.Start);
  const [first, second] = [new Uint8Array(2), new Uint8Array(2)];
  const read = file.read(first);
  assertEquals(file.readSync(second), 2);
  assertEquals(await read, 2);
  assertEquals(text(first) + text(second), "ABCD");
  // One that is cut short by the end of the file
  const rest = file.read(new Uint8Array(100), { signal: new AbortController().signal });
  assertEquals(file.seekSync(0, Deno.SeekMode.Current), 6);
  assertEquals(await rest, 2);
  assertEquals(file.seekSync(0, Deno.SeekMode.Current), 6);

  // After the one in progress, before the others
  const { signal } = new AbortController();
  const both = [file.write(bytes("G"), { signal }), file.write(bytes("H"), { signal })];
  assertEquals(file.writeSync(bytes("I")), 1);
  assertEquals(await Promise.all(both), [1, 1]);
  assertEquals(Deno.readTextFileSync(dir.at("file")), "ABCDEFGIH");
}, ({ name }) => name !== "worker without library");

forEachBackend("a call that waits for others can be aborted", async ({ open, row }) => {
  using dir = new TempDir();
  const path = dir.fifo("fifo");
  await using ioq = await open();
  const fifo = await ioq.openFile(path, { read: true, write: true });
  const pending = new AbortController();
  const buffer = new Uint8Array(4);
  const first = fifo.read(buffer, { signal: pending.signal });
  const controller = new AbortController();
  const second = fifo.read(new Uint8Array(4), { signal: controller.signal });
  const late = fifo.read(new Uint8Array(4), { timeoutMs: 1 });
  controller.abort(new Error("mine"));
  await assertRejects(() => second, Error, "mine");
  await assertRejects(() => late, Deno.errors.TimedOut);
  if (row.name === "uring") {
    // What writes does not wait for what reads
    assertEquals(await fifo.write(bytes("ping")), 4);
    assertEquals(await first, 4);
    assertEquals(text(buffer), "ping");
  } else {
    Deno.writeTextFileSync(path, "ping");
    assertEquals(await first, 4);
  }
  await fifo.close();
}, (row) => row.concurrent);

forEachBackend("a stream is read and written in the order of the calls", async ({ open }) => {
  using dir = new TempDir();
  const path = dir.fifo("fifo");
  await using ioq = await open();
  await using fifo = await ioq.openFile(path, { read: true, write: true });
  const parts = Array.from({ length: 10 }, (_, i) => bytes(`${i}`.repeat(5_000)));
  const writes = parts.map((part) => fifo.write(part));
  const targets = parts.map(() => new Uint8Array(2_500));
  const reads = targets.map((target) => fifo.read(target));
  await Promise.all([...writes, ...reads]);
  const joined = targets.map(text).join("");
  assertEquals(joined, parts.map(text).join("").slice(0, joined.length));
  await assertRejects(() => fifo.seek(0, Deno.SeekMode.Current), Error, "Illegal seek");
}, ({ interruptible }) => interruptible);

forEachBackend("after one chunk of a stream the position is behind it", async ({ open }) => {
  using dir = new TempDir();
  const data = pattern(1_000_000);
  Deno.writeFileSync(dir.at("file"), data);
  await using ioq = await open();
  const story = async (file: IoqFile | Deno.FsFile) => {
    const seen: unknown[] = [];
    const told: Uint8Array[] = [];
    const reader = file.readable.getReader();
    const next = async () => told.push((await reader.read()).value!);
    await file.seek(10, Deno.SeekMode.Start);
    await next();
    seen.push(await file.seek(0, Deno.SeekMode.Current));
    const buffer = new Uint8Array(1000);
    seen.push(await file.read(buffer), isSame(buffer, data.subarray(65_546, 66_546)));
    await next();
    await file.write(new Uint8Array(300_000));
    await next();
    seen.push(await file.seek(0, Deno.SeekMode.Current));
    seen.push(told.map((chunk) => [chunk.length, chunk[0]]));
    await file.seek(2_000_000, Deno.SeekMode.Start);
    seen.push((await reader.read()).done);
    return seen;
  };
  Deno.copyFileSync(dir.at("file"), dir.at("other"));
  await using ours = await ioq.openFile(dir.at("file"), BOTH);
  const denos = await Deno.open(dir.at("other"), BOTH);
  assertEquals(await story(ours), await story(denos));
});

forEachBackend("past the cache the position moves as well", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  const path = dir.file("file");
  const how = { ...BOTH, direct: true };
  const file = await ioq.openFile(path, how).catch((error) => error);
  if (!("fd" in file)) {
    return;
  }
  const block = (letter: string) => bytes(letter.repeat(4096));
  for (const letter of "abcd") {
    assertEquals(await file.write(block(letter)), 4096);
  }
  assertEquals(Deno.readTextFileSync(path), [..."abcd"].map((c) => c.repeat(4096)).join(""));
  await file.seek(0, Deno.SeekMode.Start);
  let seen = "";
  const buffer = new Uint8Array(4096);
  while (await file.read(buffer) !== null) {
    seen += text(buffer.subarray(0, 1));
  }
  await file.seek(0, Deno.SeekMode.Start);
  while (await file.readv([buffer]) !== null) {
    seen += text(buffer.subarray(0, 1));
  }
  assertEquals(seen, "abcdabcd");
  await file.close();
}, (row) => row.library);

forEachBackend(
  "requests without an offset go by the kernel's position, whole",
  async ({ open }) => {
    using dir = new TempDir();
    await using ioq = await open();
    const fd = await ioq.run(op.open(dir.at("raw"), BOTH));
    const lengths = [1, 100_000, 3, 200_000, 7, 65_536, 1];
    const counts = await Promise.all(
      lengths.map((length, i) => ioq.run(op.write(fd, new Uint8Array(length).fill(i + 1)))),
    );
    assertEquals(counts, lengths);
    const written = Deno.readFileSync(dir.at("raw"));
    assertEquals(written.length, lengths.reduce((a, b) => a + b));
    for (const [i, length] of lengths.entries()) {
      assertEquals(written.filter((byte) => byte === i + 1).length, length);
    }
    await ioq.run(op.close(fd));
  },
);

forEachBackend(
  "requests without an offset are refused for files that keep their own",
  async ({ open, row }) => {
    using dir = new TempDir();
    await using ioq = await open();
    await using file = await ioq.openFile(dir.file("file", "text"), BOTH);
    await file.read(new Uint8Array(1));
    await using other = await ioq.openFile(dir.file("other", "other"), BOTH);
    await using pipe = await ioq.openFile(dir.fifo("pipe"), { read: true, write: true });
    const requests: IoqRequest<OpName, Uint8Array<ArrayBuffer> | number>[] = [
      op.read(file.fd, 1),
      op.readInto(file.fd, new Uint8Array(1)),
      op.readv(file.fd, [new Uint8Array(1)]),
      op.write(file.fd, bytes("x")),
      op.writev(file.fd, [bytes("x")]),
      op.seek(file.fd, 0, Deno.SeekMode.Current),
      op.copyRange(file.fd, other.fd, 1),
      op.copyRange(other.fd, file.fd, 1),
      op.splice(file.fd, pipe.fd, 1),
      op.splice(pipe.fd, file.fd, 1, { from: 0 }),
      op.splice(file.fd, other.fd, 1, { to: 0 }),
    ];
    for (const request of requests) {
      const error = await errorOf(() => ioq.run(request));
      assert(error instanceof TypeError && error.message.includes("without an offset"), `${error}`);
      assertThrows(() => ioq.submit(request), TypeError, "without an offset");
    }
    assertEquals(await ioq.run(op.write(file.fd, bytes("T"), 0)), 1);
    assertEquals(Deno.readTextFileSync(dir.at("file")), "Text");
    if (row.library) {
      assertEquals(await ioq.run(op.splice(file.fd, pipe.fd, 2, { from: 1 })), 2);
      assertEquals(await ioq.run(op.splice(pipe.fd, other.fd, 2, { to: 1 })), 2);
      assertEquals(await ioq.run(op.copyRange(file.fd, other.fd, 1, { from: 0, to: 0 })), 1);
      assertEquals(Deno.readTextFileSync(dir.at("other")), "Texer");
    }
    // A stream has none
    await using fifo = await ioq.openFile(dir.fifo("fifo"), { read: true, write: true });
    assertEquals(await ioq.run(op.write(fifo.fd, bytes("x"))), 1);
    assertEquals(text(await ioq.run(op.read(fifo.fd, 9))), "x");
  },
);

forEachBackend("closing ends what waits for somebody else", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  const fifo = await ioq.openFile(dir.fifo("fifo"), { read: true, write: true });
  const reads = [1, 2, 3].map(() => fifo.read(new Uint8Array(1)));
  reads.forEach((read) => read.catch(() => {}));
  await new Promise((resolve) => setTimeout(resolve, 5));
  await within(5000, fifo.close(), "close()");
  for (const read of reads) {
    await assertRejects(() => read, Deno.errors.Interrupted);
  }
  using holder = Deno.openSync(dir.file("lock"), { read: true });
  holder.lockSync(true);
  const file = await ioq.openFile(dir.at("lock"));
  const locking = file.lock(true);
  locking.catch(() => {});
  await within(5000, file.close(), "close()");
  await assertRejects(() => locking, Deno.errors.Interrupted);
}, ({ interruptible, concurrent }) => interruptible && concurrent);

forEachBackend("close() is right where nobody awaits it", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  const file = await ioq.openFile(dir.file("file"), { read: true, write: true });
  await file.lock(true);
  const closing = file.close();
  // As the line after Deno's
  using other = Deno.openSync(dir.at("file"), { read: true });
  assertEquals(other.tryLockSync(true), true);
  try {
    file.close();
  } catch {
    // Nor is it told by an unhandled rejection
  }
  assertThrows(() => file.close(), Deno.errors.BadResource);
  await closing;
}, ({ library }) => library);

forEachBackend("a path of bytes is shown as text", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  await using file = await ioq.openFile(bytes(dir.file("file")));
  assert(Deno.inspect(file).includes(`"${dir.at("file")}"`));
});
