// Copyright 2026 the ioq authors. MIT license.

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { type Completion, op } from "../../mod.ts";
import { forEachBackend } from "../backends.ts";
import {
  bytes,
  descriptorsUnder,
  errorOf,
  laneThreads,
  looksOf,
  sleep,
  TempDir,
  text,
  until,
  within,
} from "../fixtures.ts";

function assertTimedOut(completion: Completion | undefined): void {
  assertEquals(completion?.ok, false);
  const { error } = completion as { error: Error & { code?: string } };
  assert(error instanceof Deno.errors.TimedOut, `${error}`);
  assertEquals(error.code, "ETIMEDOUT");
}

forEachBackend(
  "an operation that takes longer than timeoutMs is cancelled",
  async ({ open }) => {
    using dir = new TempDir();
    const path = dir.fifo("fifo");
    await using ioq = await open();
    const fd = await ioq.run(op.open(path, { read: true, write: true }));
    for (const timeoutMs of [0, 0.5, 10]) {
      const start = performance.now();
      const looks = await looksOf(() =>
        within(5000, ioq.run(op.read(fd, 4), { timeoutMs }), "the read")
      );
      assert(performance.now() - start >= timeoutMs);
      assertEquals(looks, {
        class: "TimedOut",
        name: "TimedOut",
        message: `Timed out after ${timeoutMs} ms: read file descriptor ${fd}`,
        code: "ETIMEDOUT",
      });
    }
    await until(() => ioq.size === 0, "slots");
    // It took nothing along
    await ioq.run(op.write(fd, bytes("data")));
    assertEquals(text(await ioq.run(op.read(fd, 4), { timeoutMs: 10_000 })), "data");
    await ioq.run(op.close(fd), { timeoutMs: 10_000 });
    assertEquals((await ioq.stat("/", { timeoutMs: Infinity })).isDirectory, true);
    await assertRejects(() => ioq.sleep(1e6, { timeoutMs: 3 }), Deno.errors.TimedOut);
    await assertRejects(() => ioq.receive({ timeoutMs: 3 }), Deno.errors.TimedOut);
  },
  ({ interruptible }) => interruptible,
);

forEachBackend("what timed out leaves no descriptor behind", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  const path = dir.fifo("lonely");
  // With O_CREAT, a ring does not try it without waiting first
  const options = { write: true, create: true, timeoutMs: 5 };
  for (let i = 0; i < 10; i++) {
    const opening = i % 2 ? ioq.openFile(path, options) : ioq.run(op.open(path, options), options);
    await assertRejects(() => within(5000, opening as Promise<unknown>, "open"));
  }
  await until(() => ioq.size === 0, "slots");
  assertEquals(descriptorsUnder(dir.path), 0);
}, ({ interruptible }) => interruptible);

forEachBackend("what waits in line times out, too", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open({ depth: 1 });
  const fd = await ioq.run(op.open(dir.fifo("fifo"), { read: true, write: true }));
  const reading = errorOf(() => ioq.run(op.read(fd, 1), { timeoutMs: 1000 }));
  const waiting = errorOf(() => ioq.stat("/", { timeoutMs: 5 }));
  const later = ioq.stat("/", { timeoutMs: 60_000 });
  const first = await Promise.race([reading, waiting]);
  assertEquals(first.message, "Timed out after 5 ms: stat '/'");
  assert(await reading instanceof Deno.errors.TimedOut);
  assert((await later).isDirectory);
  await ioq.run(op.close(fd));
}, ({ interruptible }) => interruptible);

forEachBackend("timeouts in the stream: one completion each", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open<number>({ depth: 40 });
  const fd = await ioq.run(op.open(dir.fifo("fifo"), { read: true, write: true }));
  const ids = new Set<number>();
  for (let i = 0; i < 40; i++) {
    ids.add(ioq.submit(i % 2 ? op.read(fd, 1) : op.stat("/"), i, { timeoutMs: i % 2 ? i : 1e9 }));
  }
  for await (const completion of ioq) {
    assert(ids.delete(completion.id));
    assertEquals(ioq.cancel(completion.id), false);
    if (completion.data % 2) {
      assertTimedOut(completion);
    } else {
      assert(completion.ok);
    }
  }
  assertEquals(ids.size, 0);
  await until(() => ioq.size === 0, "slots");
  assertEquals(ioq.capacity, 40);
  await ioq.run(op.close(fd));
}, ({ interruptible }) => interruptible);

forEachBackend("timeouts that are none are refused", async ({ open }) => {
  await using ioq = await open();
  for (const timeoutMs of [-1, NaN, -Infinity, 2 ** 53]) {
    await assertRejects(() => ioq.stat("/", { timeoutMs }), RangeError);
    assertThrows(() => ioq.submit(op.nop(), undefined, { timeoutMs }), RangeError);
    assertThrows(() => ioq.close({ timeoutMs }), RangeError);
  }
  const timeoutMs = "1" as unknown as number;
  await assertRejects(() => ioq.nop({ timeoutMs }), TypeError);
  assertThrows(() => ioq.close({ timeoutMs }), TypeError);
  assertEquals(ioq.size, 0);
  await ioq.nop({ timeoutMs: 2 ** 53 - 1 });
});

forEachBackend("a blocked operation can be cancelled on every lane", async ({ open }) => {
  using dir = new TempDir();
  const path = dir.file("locked");
  using denos = Deno.openSync(path, { write: true });
  denos.lockSync(true);
  await using ioq = await open({ threads: 2 });
  const fd = await ioq.run(op.open(path));
  for (const wait of [0, 1, 20]) {
    const controller = new AbortController();
    const { signal } = controller;
    const lock = errorOf(() => ioq.run(op.lock(fd, "exclusive", { wait: true }), { signal }));
    const fifo = dir.fifo(`fifo ${wait}`);
    const opening = errorOf(() => ioq.readFile(fifo, { signal }));
    await sleep(wait);
    controller.abort();
    assertEquals((await lock).name, "AbortError");
    assertEquals((await opening).name, "AbortError");
    await until(() => ioq.size === 0, "lanes");
  }
  denos.unlockSync();
  await ioq.run(op.lock(fd, "exclusive", { wait: true }), { timeoutMs: 5000 });
  await ioq.run(op.close(fd));
}, ({ interruptible }) => interruptible);

forEachBackend("close() reports what does not end, and releases it later", async ({ open }) => {
  using dir = new TempDir();
  const path = dir.file("sparse");
  // What the kernel is at, it does not leave for less than a deadly signal
  Deno.truncateSync(path, 2 ** 28);
  const threads = laneThreads();
  let fd = -1;
  const closeWhileReading = async () => {
    const ioq = await open();
    fd = await ioq.run(op.open(path));
    // A file that is read as a whole is read in pieces, this is one
    const reading = ioq.run(op.read(fd, 2 ** 28, 0)).catch((error) => error);
    await ioq.sleep(2);
    const closing = ioq.close({ timeoutMs: 1 });
    assertEquals(ioq.close(), closing);
    const error = await closing.then(() => undefined, (error: Error) => error);
    assertThrows(() => ioq.submit(op.nop()), Deno.errors.BadResource);
    await reading; // cancelled, or complete all the same
    await until(() => laneThreads() === threads, "threads");
    await using other = await open();
    await other.run(op.close(fd));
    return error;
  };
  // On a busy machine a lane may not have begun by then, so that the read is cancelled,
  // or this thread may not have come back before the end
  let error: Error | undefined;
  for (let tries = 0; error === undefined && tries < 50; tries++) {
    error = await closeWhileReading();
  }
  assert(error instanceof Deno.errors.TimedOut, `${error}`);
  assertEquals(
    error?.message,
    `Cannot close the queue within 1 ms, 1 operation does not end: read file descriptor ${fd}`,
  );
  // Without the library a descriptor is of use to one Worker alone
}, ({ library, concurrent }) => library && concurrent);

forEachBackend(
  "what takes several operations has timeoutMs for each of them",
  async ({ open }) => {
    using dir = new TempDir();
    await using ioq = await open();
    // Nobody reads, so opening it to write waits
    const fifo = dir.fifo("fifo");
    const writes: [string, Uint8Array | ReadableStream<Uint8Array>][] = [
      ["a stream", ReadableStream.from([bytes("text")])],
      ["long bytes", new Uint8Array(5 * 1024 * 1024)],
    ];
    for (const [what, data] of writes) {
      const error = await errorOf(() =>
        within(5000, ioq.writeFile(fifo, data, { timeoutMs: 10 }), what)
      );
      assert(error instanceof Deno.errors.TimedOut, `${what}: ${error}`);
    }
    // What was cancelled holds on to the FIFO until the cancellation is told
    await until(() => descriptorsUnder(dir.path) === 0, "descriptors to be closed");
  },
  ({ interruptible }) => interruptible,
);

forEachBackend("directories that are made together have one time limit", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  // Thousands of requests, each of which is over in time
  const deep = dir.at("a/".repeat(1_500));
  await assertRejects(
    () => ioq.mkdir(deep, { recursive: true, timeoutMs: 5 }),
    Deno.errors.TimedOut,
    `mkdir '${deep}'`,
  );
  await ioq.mkdir(dir.at("b/b/b"), { recursive: true, timeoutMs: 60_000 });
  assert(Deno.statSync(dir.at("b/b/b")).isDirectory);
});
