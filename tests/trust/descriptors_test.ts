// Copyright 2026 the ioq authors. MIT license.

/** What a program that this process starts would inherit: nothing of ours. */

import { assert, assertEquals } from "@std/assert";
import { op } from "../../mod.ts";
import { forEachBackend } from "../backends.ts";
import { descriptors, TempDir, until } from "../fixtures.ts";

const O_CLOEXEC = 0o2000000;

/** Whether a descriptor is closed by `execve()`, if it is open at all. */
function isCloexec(fd: number): boolean | undefined {
  try {
    const info = Deno.readTextFileSync(`/proc/self/fdinfo/${fd}`);
    return (parseInt(/^flags:\s*(\d+)$/m.exec(info)![1]!, 8) & O_CLOEXEC) !== 0;
  } catch (error) {
    // Deno's own come and go
    if (error instanceof Deno.errors.NotFound) {
      return undefined;
    }
    throw error;
  }
}

forEachBackend("every descriptor is closed when another program is run", async ({ open, row }) => {
  using dir = new TempDir();
  const fifo = dir.fifo("fifo");
  const file = dir.file("file", "text");
  const before = descriptors();
  await using ioq = await open({ depth: 64 });
  const controller = new AbortController();
  const waiting: Promise<unknown>[] = [];
  const wait = (promise: Promise<unknown>) => waiting.push(promise.catch(() => {}));

  const fds = [
    await ioq.run(op.open(file)),
    await ioq.run(op.open(dir.at("new"), { write: true, create: true })),
    await ioq.run(op.open(fifo, { read: true, write: true })),
  ];
  const fifoFd = fds[2]!;
  const directory = row.library ? await ioq.run(op.openDir(dir.path)) : undefined;
  await ioq.writeTextFile(dir.at("written"), "text");
  await using opened = await ioq.openFile(file);
  if (row.nativeThreads) {
    // One that is at its file for as long as we want, and a copy for each wait
    const { signal } = controller;
    wait(ioq.readFile(fifo, { signal }));
    wait(ioq.run(op.poll(fifoFd), { signal }));
    wait(ioq.run(op.timeout(60_000, { clock: "realtime" }), { signal }));
    wait(ioq.run(op.receive(), { signal }));
    await until(
      () => [...descriptors().values()].filter((target) => target === fifo).length >= 2,
      "the read of the pipe",
    );
  }
  const mine = [...descriptors()].filter(([fd, target]) => before.get(fd) !== target);
  const inherited = mine.filter(([fd]) => isCloexec(fd) === false);
  assertEquals(inherited, []);
  for (const fd of fds) {
    assertEquals(isCloexec(fd), true);
  }
  if (row.options.backend === "uring") {
    assert(mine.some(([, target]) => target.includes("io_uring")), `no ring among ${mine}`);
  }

  controller.abort();
  for (const fd of fds) {
    await ioq.run(op.close(fd));
  }
  if (directory !== undefined) {
    await ioq.run(op.closeDir(directory));
  }
  await Promise.all(waiting);
  assert(opened.fd > 2);
});
