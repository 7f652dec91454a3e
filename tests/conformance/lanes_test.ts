// Copyright 2026 the ioq authors. MIT license.

import { assert, assertEquals } from "@std/assert";
import { type LaneCounts, op } from "../../mod.ts";
import { forEachBackend } from "../backends.ts";
import { laneThreads, TempDir, until } from "../fixtures.ts";

forEachBackend("backend tells what runs", async ({ open, row }) => {
  await using ioq = await open({ threads: 3 });
  const { kind, lanes, ring, reason, code, errno } = ioq.backend;
  assertEquals(kind, row.options.backend);
  assertEquals([code, errno], [undefined, undefined]);
  assertEquals(/native library/.test(reason ?? ""), !row.library, reason);
  assertEquals(/the queue's own thread/.test(reason ?? ""), !row.concurrent, reason);
  assertEquals(reason === undefined, row.library && row.concurrent);
  if (kind !== "uring") {
    assertEquals(lanes, row.concurrent ? 3 : 1);
    assertEquals(ring, undefined);
    return;
  }
  assertEquals(lanes, 4);
  assert(ring !== undefined);
  assert(ring!.entries >= 1 && ring!.completionEntries >= ring!.entries);
  assert(ring!.flags.length > 0);
  assert(ring!.flags.every((flag) => /^[A-Z_]+$/.test(flag)));
  for (const name of ["open", "close", "read", "write", "kernelNop"]) {
    assert(ring!.operations.includes(name), name);
  }
  for (const name of ["nop", "readDir", "readDirBlock"]) {
    assert(!ring!.operations.includes(name), name);
  }
  assertEquals(typeof ring!.restricted, "boolean");
});

forEachBackend("no more threads start than were asked for", async ({ open }) => {
  const before = laneThreads();
  for (const threads of [1, 2, 5]) {
    await using ioq = await open({ threads });
    for (let i = 0; i < 200; i++) {
      ioq.submit(op.readDir("/usr/bin"));
    }
    let most = 0;
    for await (const { ok } of ioq) {
      assert(ok);
      most = Math.max(most, laneThreads() - before);
    }
    assert(most >= 1 && most <= threads, `${most} of ${threads}`);
    await ioq.close();
    await until(() => laneThreads() === before, "threads gone");
  }
}, ({ nativeThreads }) => nativeThreads);

forEachBackend("completed tells which lanes ran", async ({ open, row }) => {
  using dir = new TempDir();
  const path = dir.file("file", "text");
  await using ioq = await open();
  assertEquals(ioq.completed, { core: 0, ring: 0, worker: 0 });
  /** What one operation after the other adds. */
  const added = async (times: number, run: () => Promise<unknown>): Promise<LaneCounts> => {
    const before = ioq.completed;
    for (let i = 0; i < times; i++) {
      await run();
    }
    const after = ioq.completed;
    const lanes = ["core", "ring", "worker"] as const;
    return Object.fromEntries(
      lanes.map((lane) => [lane, after[lane] - before[lane]]),
    ) as unknown as LaneCounts;
  };
  const none: LaneCounts = { core: 0, ring: 0, worker: 0 };
  const isRing = row.options.backend === "uring";

  assertEquals(await added(20, () => ioq.nop()), { ...none, core: 20 });
  const onLane = row.concurrent ? { ...none, worker: 20 } : { ...none, core: 20 };
  assertEquals(await added(20, () => ioq.readDir(dir.path)), onLane);

  const onRing = await added(20, async () => {
    const fd = await ioq.run(op.open(path));
    await ioq.run(op.read(fd, 4, 0));
    await ioq.run(op.kernelNop());
    await ioq.run(op.close(fd));
  });
  if (!row.concurrent) {
    assertEquals(onRing, { ...none, core: 80 });
    return;
  }
  const stats = await added(20, () => ioq.stat(path));
  assertEquals(onRing, isRing ? { ...none, ring: 80 } : { ...none, worker: 80 });
  assertEquals(stats, { ...none, worker: 20 });
});
