// Copyright 2026 the ioq authors. MIT license.

/** Files and the queue that they belong to: who closes what, and when. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { type IoqFile, op } from "../../mod.ts";
import { forEachBackend } from "../backends.ts";
import {
  bytes,
  descriptorsUnder,
  errorOf,
  laneThreads,
  newSeed,
  randomFrom,
  sleep,
  TempDir,
  text,
  until,
  within,
} from "../fixtures.ts";

const BOTH = { read: true, write: true };

forEachBackend("closing a queue closes its files", async ({ open }) => {
  using dir = new TempDir();
  const path = dir.file("file", "text");
  const ioq = await open({ depth: 4 });
  const files: IoqFile[] = [];
  for (let i = 0; i < 20; i++) {
    files.push(await ioq.openFile(path, BOTH));
  }
  // Some with work in flight, and one that is still being opened
  const reads = files.map((file) => file.readAt(new Uint8Array(4), 0).catch((error) => error));
  const opening = ioq.openFile(path).catch((error) => error);
  await within(5000, ioq.close(), "close()");
  assertEquals(descriptorsUnder(dir.path), 0);
  for (const result of await Promise.all(reads)) {
    assert(result === 4 || result instanceof Deno.errors.Interrupted, String(result));
  }
  const opened = await opening;
  assert(opened instanceof Deno.errors.Interrupted, String(opened));

  for (const file of files) {
    const error = await errorOf(() => file.readAt(new Uint8Array(1), 0));
    assertEquals(error.message, "Cannot use a queue that was closed");
    // They outlived their queue: closing them once is no mistake
    await file.close();
    assertThrows(() => file.close(), Deno.errors.BadResource);
    await file[Symbol.asyncDispose]();
  }
});

forEachBackend("a file that was opened as its queue closes is closed, too", async ({ open }) => {
  using dir = new TempDir();
  const path = dir.file("file", "text");
  for (let round = 0; round < 20; round++) {
    const ioq = await open();
    const opening = Array.from({ length: round }, () => ioq.openFile(path).catch(() => undefined));
    if (round % 2) {
      await opening[0];
    }
    await ioq.close();
    for (const file of await Promise.all(opening)) {
      await file?.close();
    }
    assertEquals(descriptorsUnder(dir.path), 0);
  }
});

forEachBackend("using closes a file before its queue is closed", async ({ open }) => {
  using dir = new TempDir();
  const path = dir.file("file", "text");
  const ioq = await open();
  let kept;
  let read;
  {
    using file = await ioq.openFile(path);
    const buffer = new Uint8Array(4);
    read = file.read(buffer).then(() => text(buffer));
    kept = file;
  }
  assertThrows(() => kept.fd, Deno.errors.BadResource);
  assertEquals(await read, "text");
  kept[Symbol.dispose]();
  await ioq.close();
  assertEquals(descriptorsUnder(dir.path), 0);
});

forEachBackend("a file of another queue is refused", async ({ open }) => {
  using dir = new TempDir();
  const path = dir.file("file", "text");
  await using mine = await open();
  await using other = await open();
  const file = await mine.openFile(path, BOTH);
  const requests = [
    op.read(file.fd, 1),
    op.write(file.fd, bytes("x")),
    op.fstat(file.fd),
    op.close(file.fd),
    op.copyRange(0, file.fd, 1),
    op.open("file", { at: file.fd }),
  ];
  for (const request of requests) {
    assertThrows(() => other.submit(request), TypeError, "another queue");
    await assertRejects(() => other.run<never>(request as never), TypeError, "another queue");
  }
  assertEquals((await mine.run(op.fstat(file.fd))).size, 4);
  assertEquals(other.size, 0);
  const { fd } = file;
  await file.close();
  // The number is anybody's again, and a Worker that starts may have taken it
  const refusal = await other.run(op.fstat(fd)).then(() => "", (error: Error) => error.message);
  assertEquals(refusal.includes("queue"), false);
  assertEquals(Deno.readTextFileSync(path), "text");
});

forEachBackend("a stream of a file is read ahead in order", async ({ open, t }) => {
  using dir = new TempDir();
  await using ioq = await open();
  const data = Uint8Array.from({ length: 2_000_003 }, (_, i) => i * 31 + (i >> 8));
  const path = dir.at("file");
  Deno.writeFileSync(path, data);
  const collect = async (stream: ReadableStream<Uint8Array>) => {
    const parts: Uint8Array[] = [];
    for await (const part of stream) {
      parts.push(part);
    }
    return parts;
  };

  await t.step("from the file's position", async () => {
    const file = await ioq.openFile(path);
    await file.seek(1_000_000, Deno.SeekMode.Start);
    let at = 1_000_000;
    for (const part of await collect(file.readable)) {
      assert(part.every((byte, i) => byte === data[at + i]));
      at += part.length;
    }
    assertEquals(at, data.length);
  });

  await t.step("into the reader's own buffers", async () => {
    const file = await ioq.openFile(path);
    const reader = file.readable.getReader({ mode: "byob" });
    let at = 0;
    for (;;) {
      const { done, value } = await reader.read(new Uint8Array(10_000));
      if (done) {
        break;
      }
      assert(value.every((byte, i) => byte === data[at + i]));
      at += value.length;
    }
    assertEquals(at, data.length);
  });

  await t.step("nothing is read that nobody wants", async () => {
    const file = await ioq.openFile(path);
    const before = ioq.completed;
    const reader = file.readable.getReader();
    await reader.read();
    await file.stat();
    const total = (counts: typeof before) => Object.values(counts).reduce((a, b) => a + b);
    // 2 MB are 31 reads
    assert(total(ioq.completed) - total(before) < 15);
    await reader.cancel();
  });

  await t.step("a file that grows and one that shrinks", async () => {
    const growing = dir.file("growing", "a".repeat(70_000));
    const file = await ioq.openFile(growing);
    let length = 0;
    for await (const part of file.readable) {
      length += part.length;
      if (length === 70_000) {
        Deno.writeTextFileSync(growing, "b".repeat(200_000), { append: true });
      }
    }
    assertEquals(length, 270_000);

    const shrinking = await ioq.openFile(growing);
    length = 0;
    for await (const part of shrinking.readable) {
      length += part.length;
      Deno.truncateSync(growing, 1000);
    }
    assert(length >= 65_536 && length <= 270_000, String(length));
  });

  await t.step("what is no regular file, or seems empty", async () => {
    const maps = await ioq.openFile("/proc/self/status");
    const status = (await collect(maps.readable)).map(text).join("");
    assert(status.startsWith("Name:"));

    const fifo = dir.fifo("fifo");
    const [source, target] = await Promise.all([ioq.openFile(fifo, BOTH), Deno.open(fifo, BOTH)]);
    const reader = source.readable.getReader();
    for (const word of ["one", "two"]) {
      await target.write(bytes(word));
      assertEquals(text((await reader.read()).value!), word);
    }
    target.close();
    await reader.cancel();
  });
  assertEquals(descriptorsUnder(dir.path), 0);
}, ({ library }) => library);

forEachBackend("cancelled transfers leave no descriptor and no thread behind", async ({ open }) => {
  using dir = new TempDir();
  const data = new Uint8Array(3_000_000).fill(7);
  const paths = Array.from({ length: 20 }, (_, i) => dir.file(`small${i}`, "text".repeat(i)));
  const large = dir.at("large");
  Deno.writeFileSync(large, data);
  const seed = newSeed();
  const random = randomFrom(seed);
  const before = descriptorsUnder("/");
  const threads = laneThreads();
  for (let round = 0; round < 8; round++) {
    const ioq = await open({ depth: 16 });
    const file = await ioq.openFile(large, BOTH);
    const controllers: AbortController[] = [];
    const signal = () => {
      const controller = new AbortController();
      controllers.push(controller);
      return controller.signal;
    };
    const all: Promise<unknown>[] = [];
    for (let i = 0; i < 40; i++) {
      const offset = Math.floor(random() * 2_000_000);
      const length = random() < 0.3 ? 1_000_000 : 4096;
      const target = new Uint8Array(length);
      all.push(
        file.readAt(target, offset, { signal: signal() }).then((count) => {
          assert(target.subarray(0, count!).every((byte) => byte === 7), `IOQ_SEED=${seed}`);
        }),
        file.writeAt(data.subarray(0, length), offset, { signal: signal() }),
        ioq.readFile(paths[i % 20]!, { signal: signal() }),
        ioq.openFile(paths[i % 20]!, { signal: signal() }),
      );
    }
    const reading = (async () => {
      for await (const _ of ioq.readFiles(paths, { signal: signal() })) {
        await sleep(0);
      }
    })();
    const results = Promise.allSettled([...all, reading]);
    for (const controller of controllers) {
      if (random() < 0.7) {
        controller.abort(new Error("mine"));
      }
      if (random() < 0.1) {
        await sleep(0);
      }
    }
    if (round % 2) {
      await results;
    }
    await within(10_000, ioq.close(), `IOQ_SEED=${seed}: close()`);
    for (const result of await results) {
      if (result.status === "rejected") {
        const { message } = result.reason;
        const isCancelled = result.reason instanceof Deno.errors.Interrupted ||
          result.reason instanceof Deno.errors.BadResource;
        assert(message === "mine" || isCancelled, `IOQ_SEED=${seed}: ${message}`);
      }
    }
    assertEquals(descriptorsUnder("/"), before, `IOQ_SEED=${seed}`);
    await until(() => laneThreads() <= threads, "threads that were joined to be gone");
  }
});
