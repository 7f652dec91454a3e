// Copyright 2026 the ioq authors. MIT license.

import { assert, assertEquals } from "@std/assert";
import { type IoqRequest, op } from "../../mod.ts";
import { forEachBackend } from "../backends.ts";
import {
  descriptors,
  laneThreads,
  newSeed,
  randomFrom,
  sleep,
  TempDir,
  until,
  within,
} from "../fixtures.ts";

/** What a cancelled operation may end with. */
const ENDS = ["AbortError", "TimedOut", "Interrupted"];

/** Bytes of memory that the process has, so far as they are its own. */
function residentBytes(): number {
  const [, resident] = Deno.readTextFileSync("/proc/self/statm").split(" ");
  return Number(resident) * 4096;
}

forEachBackend("cancelling at any moment leaves nothing behind", async ({ open, row, t }) => {
  const seed = newSeed();
  await t.step(`seed ${seed}`, async () => {
    using dir = new TempDir();
    const random = randomFrom(seed);
    const file = dir.file("file", "x".repeat(10_000));
    const fifo = dir.fifo("fifo");
    const lonely = dir.fifo("lonely");
    using both = Deno.openSync(fifo, { read: true, write: true });
    // The runtime keeps what it opens for its first Worker
    const first = await open();
    await first.stat("/");
    await first.close();
    const before = descriptors();
    const threads = laneThreads();
    for (let round = 0; round < 6; round++) {
      const ioq = await open<number>({ depth: 64, threads: 4 });
      const fd = await ioq.run(op.open(fifo, { read: true, write: true }));
      const own = await ioq.run(op.open(file));
      const makes: (() => IoqRequest)[] = [
        () => op.read(fd, 8192),
        () => op.read(own, 8192, Math.floor(random() * 20_000)),
        () => op.readv(own, [new Uint8Array(100), new Uint8Array(9000)], 0),
        () => op.sleep(random() * 20),
        () => op.stat(file),
        () => op.readFile(lonely),
        () => op.readFile(file),
        () => op.readDir(dir.path),
        () => op.lock(own, random() < 0.5 ? "shared" : "unlock", { wait: true }),
        () => op.poll(fd),
        () => op.receive(),
      ];
      const errors: Promise<(Error & { code?: string }) | undefined>[] = [];
      const controllers: AbortController[] = [];
      for (let i = 0; i < 150; i++) {
        const request = makes[Math.floor(random() * makes.length)]!();
        const choice = random();
        if (choice < 0.3 && ioq.capacity > 0) {
          const id = ioq.submit(request, i, random() < 0.3 ? { timeoutMs: random() * 10 } : {});
          if (random() < 0.5) {
            setTimeout(() => ioq.cancel(id), random() * 10);
          }
        } else {
          const controller = new AbortController();
          controllers.push(controller);
          const options = {
            signal: controller.signal,
            ...(choice < 0.6 ? { timeoutMs: random() * 10 } : {}),
          };
          errors.push(ioq.run(request, options).then(() => undefined, (error) => error));
        }
        if (random() < 0.1) {
          await sleep(random() * 3);
          both.writeSync(new Uint8Array(3));
          for (const controller of controllers.splice(0, Math.floor(random() * 20))) {
            controller.abort();
          }
        }
        while (random() < 0.3 && ioq.poll() !== undefined) {
          // Some are consumed meanwhile
        }
      }
      // In line behind what is in flight for good, and run by close() at the latest
      const closes = [own, fd].map((fd) => ioq.run(op.close(fd)));
      if (random() < 0.5) {
        controllers.forEach((controller) => controller.abort());
      }
      await within(10_000, ioq.close(), "close()");
      await Promise.all(closes);
      for (const error of await Promise.all(errors)) {
        // Some find their descriptor closed when their turn comes
        assert(
          error === undefined || ENDS.includes(error.name) || error.code === "EBADF",
          `${error}`,
        );
      }
      for await (const { ok, error } of ioq as AsyncIterable<{ ok: boolean; error?: Error }>) {
        assert(ok || error instanceof Error);
      }
      assertEquals(ioq.size, 0, "every slot is free again");
    }
    // Those that cancel what is gone
    await sleep(12);
    await until(() => laneThreads() === threads, "threads");
    // A Worker that has ended may take a moment to give back what was the runtime's
    await until(() => descriptors().size <= before.size, "descriptors");
    if (row.nativeThreads) {
      // Those of the runtime's for its Workers have another number each time
      assertEquals([...descriptors().keys()].sort(), [...before.keys()].sort());
    }
  });
}, (row) => row.interruptible);

forEachBackend("cancelled transfers give their memory back", async ({ open }) => {
  using dir = new TempDir();
  const fifo = dir.fifo("fifo");
  await using ioq = await open({ threads: 2 });
  const fd = await ioq.run(op.open(fifo, { read: true, write: true }));
  const length = 2 ** 24;
  // Were they kept, these would come to 3 GiB
  const before = residentBytes();
  for (let round = 0; round < 200; round++) {
    const controller = new AbortController();
    const { signal } = controller;
    const read = ioq.run(op.read(fd, length), { signal }).catch(() => {});
    if (round % 2) {
      await sleep(0);
    }
    controller.abort();
    await read;
  }
  await until(() => ioq.size === 0, "slots");
  assert(residentBytes() - before < 2 ** 30);
  await ioq.run(op.close(fd));
}, (row) => row.interruptible);
