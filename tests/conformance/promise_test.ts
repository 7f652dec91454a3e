// Copyright 2026 the ioq authors. MIT license.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { type FileInfo, op } from "../../mod.ts";
import { forEachBackend } from "../backends.ts";
import { CountingController } from "../lifecycle/counting_controller.ts";
import { bytes, descriptorsUnder, errorOf, sleep, TempDir, text, within } from "../fixtures.ts";

forEachBackend("the promise forms resolve to what Deno gives", async ({ open }) => {
  using dir = new TempDir();
  const path = dir.file("file", "text");
  Deno.symlinkSync(path, dir.at("link"));
  await using ioq = await open();
  assertEquals(await ioq.nop(), undefined);
  assertEquals(await ioq.run(op.nop()), undefined);
  assertEquals(await ioq.run(op.kernelNop()), undefined);
  assertEquals((await ioq.stat(dir.at("link"))).isFile, true);
  assertEquals((await ioq.lstat(dir.at("link"))).isSymlink, true);
  assertEquals((await ioq.stat(path, { bigint: true })).size, 4n);
  assertEquals((await ioq.lstat(path, { bigint: true })).size, 4n);
  assertEquals((await ioq.readDir(dir.path)).map(({ name }) => name).sort(), ["file", "link"]);
  assertEquals(ioq.size, 0);
}, ({ library }) => library);

forEachBackend("a request may be used any number of times", async ({ open }) => {
  await using ioq = await open();
  const request = op.stat("/");
  const [one, two] = await Promise.all([ioq.run(request), ioq.run(request)]);
  assertEquals(one, two);
  ioq.submit(request);
  ioq.submit(request);
  let count = 0;
  for await (const { ok } of ioq) {
    assert(ok);
    count++;
  }
  assertEquals(count, 2);
});

forEachBackend("promises never appear in the stream", async ({ open }) => {
  await using ioq = await open<string>();
  ioq.submit(op.stat("/"), "submitted");
  const promises = [ioq.nop(), ioq.stat("/"), ioq.stat("/missing").catch(() => {})];
  const seen: string[] = [];
  for await (const { data } of ioq) {
    seen.push(data);
  }
  assertEquals(seen, ["submitted"]);
  await Promise.all(promises);
  assertEquals(ioq.poll(), undefined);
});

forEachBackend("more promises than the depth wait their turn, in order", async ({ open }) => {
  for (const depth of [1, 3]) {
    await using ioq = await open({ depth });
    const order: number[] = [];
    const all = Array.from({ length: 50 }, (_, i) => ioq.nop().then(() => order.push(i)));
    assertEquals(ioq.size, depth);
    await Promise.all(all);
    assertEquals(order, Array.from({ length: 50 }, (_, i) => i));
    const stats: FileInfo[] = await Promise.all(Array.from({ length: 50 }, () => ioq.stat("/")));
    assert(stats.every(({ isDirectory }) => isDirectory));
    assertEquals(ioq.size, 0);
  }
});

forEachBackend("a promise waits while the stream is not consumed", async ({ open }) => {
  await using ioq = await open({ depth: 2 });
  ioq.submit(op.nop());
  ioq.submit(op.nop());
  let resolved = 0;
  const waiting = [ioq.stat("/").then(() => resolved++), ioq.nop().then(() => resolved++)];
  await sleep(10);
  assertEquals(resolved, 0);
  assertEquals(ioq.poll()?.ok, true);
  await Promise.all(waiting);
  assertEquals(resolved, 2);
  assertEquals(ioq.size, 1);
});

forEachBackend(
  "all who wait for slots are served in the order in which they came",
  async ({ open }) => {
    await using ioq = await open({ depth: 1 });
    const order: string[] = [];
    ioq.submit(op.nop());
    const all = [
      ioq.ready().then(() => order.push("ready")),
      ioq.nop().then(() => order.push("nop")),
    ];
    await sleep(5);
    assertEquals(ioq.poll()?.ok, true);
    await Promise.all(all);
    assertEquals(order, ["ready", "nop"]);
  },
);

forEachBackend("a signal that is aborted already rejects with its reason", async ({ open }) => {
  await using ioq = await open();
  for (const reason of [new Error("mine"), "a string", undefined]) {
    const signal = AbortSignal.abort(reason);
    for (
      const run of [
        () => ioq.nop({ signal }),
        () => ioq.run(op.nop(), { signal }),
        () => ioq.stat("/", { signal }),
        () => ioq.stat("/", { signal, bigint: true }),
        () => ioq.lstat("/", { signal }),
        () => ioq.readDir("/", { signal }),
      ]
    ) {
      const promise: Promise<unknown> = run();
      assertEquals(ioq.size, 0);
      const rejection = await promise.then(() => "resolved", (error) => error);
      assert(rejection === signal.reason);
    }
  }
  assertEquals(AbortSignal.abort().reason.name, "AbortError");
});

forEachBackend("an abort rejects what is in flight with the reason", async ({ open }) => {
  await using ioq = await open();
  const waits = [
    () => undefined,
    () => Promise.resolve(),
    () => new Promise((resolve) => setImmediate(resolve)),
  ];
  for (const [at, wait] of waits.entries()) {
    for (let round = 0; round < 10; round++) {
      const controller = new CountingController();
      const { signal } = controller;
      const reason = new Error("enough");
      const outcomes: unknown[] = [];
      const promises = Array.from(
        { length: 20 },
        (_, i) =>
          (i % 2 ? ioq.stat("/", { signal }) : ioq.readDir("/etc", { signal })).then(
            () => outcomes.push("resolved"),
            (error: unknown) => outcomes.push(error),
          ),
      );
      // One for all that share the signal
      assertEquals(controller.listeners, 1);
      if (at > 0) {
        await wait();
      }
      controller.abort(reason);
      assertEquals(controller.listeners, 0);
      await Promise.all(promises);
      assertEquals(outcomes.length, 20);
      // Those that had settled before stay what they were
      const rejections = outcomes.filter((outcome) => outcome !== "resolved");
      assert(rejections.every((outcome) => outcome === reason));
      assert(at > 0 || rejections.length === 20, `${rejections.length} rejected`);
      await ioq.ready(ioq.depth);
    }
  }
});

forEachBackend(
  "an abort rejects a read that waits for its data",
  async ({ open }) => {
    using dir = new TempDir();
    const path = dir.fifo("fifo");
    using fifo = Deno.openSync(path, { read: true, write: true });
    await using ioq = await open({ depth: 2 });
    const fd = await ioq.run(op.open(path, { read: true, write: true }));
    const controller = new CountingController();
    const reason = new Error("enough");
    const read = errorOf(() => ioq.run(op.read(fd, 10), { signal: controller.signal }));
    await sleep(20);
    controller.abort(reason);
    assert(await within(5000, read, "the read") === reason);
    assertEquals(controller.listeners, 0);
    // The slot is free again when the kernel let go
    await within(5000, ioq.ready(2), "ready(2)");
    fifo.writeSync(bytes("data"));
    assertEquals(text(await ioq.run(op.read(fd, 10))), "data");
    await ioq.run(op.close(fd));
  },
  ({ interruptible }) => interruptible,
);

forEachBackend("an abort while waiting in line leaves the line", async ({ open }) => {
  await using ioq = await open({ depth: 1 });
  ioq.submit(op.nop());
  const controller = new CountingController();
  const reason = new Error("enough");
  const before = ioq.stat("/");
  const waiting = errorOf(() => ioq.stat("/", { signal: controller.signal }));
  const after = ioq.nop();
  controller.abort(reason);
  assert(await waiting === reason);
  assertEquals(controller.listeners, 0);
  assertEquals(ioq.size, 1);
  while (ioq.poll() === undefined) {
    await sleep(1);
  }
  assertEquals((await before).isDirectory, true);
  assertEquals(await after, undefined);
  assertEquals(ioq.size, 0);
});

forEachBackend("an abort after it settled does nothing, and no listener is left", async (bench) => {
  await using ioq = await bench.open({ depth: 2 });
  const controller = new CountingController();
  const { signal } = controller;
  const promises = [
    ioq.stat("/", { signal }),
    ioq.nop({ signal }),
    ioq.readDir("/", { signal }),
    ioq.stat("/missing", { signal }),
    ioq.run(op.kernelNop(), { signal }),
  ];
  assertEquals(controller.listeners, 1);
  const outcomes = await Promise.allSettled<unknown>(promises);
  assertEquals(outcomes.map(({ status }) => status), [
    "fulfilled",
    "fulfilled",
    "fulfilled",
    "rejected",
    "fulfilled",
  ]);
  assertEquals(controller.listeners, 0);
  controller.abort();
  assertEquals((await promises[0] as FileInfo).isDirectory, true);
  assertEquals(ioq.size, 0);
  // Nor is one left by what could not even begin
  const other = new CountingController();
  await assertRejects(() => ioq.stat("a\0b", { signal: other.signal }), TypeError);
  await assertRejects(() => ioq.run({} as never, { signal: other.signal }), TypeError);
  ioq.cancelAll();
  await assertRejects(() => ioq.nop({ signal: other.signal }), Deno.errors.Interrupted);
  assertEquals(other.listeners, 0);
});

forEachBackend("cancel() and close() leave no listener", async ({ open }) => {
  const ioq = await open({ depth: 2 });
  const controller = new CountingController();
  const { signal } = controller;
  const promises = Array.from({ length: 10 }, () => errorOf(() => ioq.stat("/", { signal })));
  ioq.cancelAll();
  for (const error of await Promise.all(promises)) {
    assert(error instanceof Deno.errors.Interrupted);
  }
  await ioq.close();
  assertEquals(controller.listeners, 0);
});

forEachBackend("an aborted close runs all the same", async ({ open }) => {
  using dir = new TempDir();
  const path = dir.file("file");
  await using ioq = await open();
  const fd = await ioq.run(op.open(path));
  const controller = new AbortController();
  const close = errorOf(() => ioq.run(op.close(fd), { signal: controller.signal }));
  controller.abort();
  assert(await close === controller.signal.reason);
  await ioq.ready(ioq.depth);
  assertEquals(descriptorsUnder(dir.path), 0);
});
