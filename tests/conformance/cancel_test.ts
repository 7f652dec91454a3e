// Copyright 2026 the ioq authors. MIT license.

import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { type Completion, op } from "../../mod.ts";
import { forEachBackend } from "../backends.ts";
import { CountingController } from "../lifecycle/counting_controller.ts";
import {
  bytes,
  descriptorsUnder,
  errorOf,
  sleep,
  TempDir,
  text,
  until,
  valueOf,
  within,
} from "../fixtures.ts";

function assertInterrupted(completion: Completion | undefined): void {
  assertEquals(completion?.ok, false);
  const { error } = completion as { error: Error & { code?: string } };
  assert(error instanceof Deno.errors.Interrupted, `${error}`);
  assertEquals(error.code, "EINTR");
}

forEachBackend("cancel() interrupts what is queued, but runs closes", async ({ open }) => {
  using dir = new TempDir();
  const path = dir.file("file");
  const before = descriptorsUnder("/");
  {
    await using ioq = await open<string>();
    const fds = await Promise.all(
      Array.from({ length: 10 }, (_, i) => ioq.run(i % 2 ? op.open(path) : op.openDir(dir.path))),
    );
    assertEquals(descriptorsUnder(dir.path), 10);
    for (let i = 0; i < 50; i++) {
      ioq.submit([op.stat(path), op.nop(), op.open(path), op.readDir(dir.path)][i % 4]!, "other");
      if (i % 5 === 0) {
        const fd = fds.pop()!;
        ioq.submit(fds.length % 2 ? op.close(fd) : op.closeDir(fd), "close");
      }
    }
    assertEquals(ioq.cancelAll(), true);
    let count = 0;
    for await (const completion of ioq) {
      count++;
      if (completion.data === "close") {
        assertEquals(completion.ok, true);
      } else {
        assertInterrupted(completion);
      }
    }
    assertEquals(count, 60);
    assertEquals(descriptorsUnder(dir.path), 0);
    assertEquals(ioq.cancelAll(), false);
  }
  assertEquals(descriptorsUnder("/"), before);
});

forEachBackend("after cancel() of everything only closes are accepted", async ({ open }) => {
  using dir = new TempDir();
  const path = dir.file("file");
  await using ioq = await open();
  const fd = await ioq.run(op.open(path));
  const dirFd = await ioq.run(op.openDir(dir.path));
  assertEquals(ioq.cancelAll(), false);

  for (const request of [op.nop(), op.stat(path), op.read(fd, 1), op.readDirBlock(dirFd)]) {
    const error = assertThrows(() => ioq.submit(request), Deno.errors.Interrupted);
    assertEquals((error as { code?: string }).code, "EINTR");
    await assertRejects(() => ioq.run(request as never), Deno.errors.Interrupted);
  }
  assertEquals(ioq.size, 0);
  ioq.submit(op.close(fd));
  await ioq.run(op.closeDir(dirFd));
  for await (const { ok } of ioq) {
    assert(ok);
  }
  assertEquals(descriptorsUnder(dir.path), 0);
});

forEachBackend(
  "cancel() interrupts promises in flight and in line, but closes run",
  async (bench) => {
    using dir = new TempDir();
    const path = dir.file("file");
    await using ioq = await bench.open({ depth: 2 });
    const fds = [await ioq.run(op.open(path)), await ioq.run(op.open(path))];
    const stats = Array.from({ length: 5 }, () => ioq.stat(path));
    const closes = fds.map((fd) => ioq.run(op.close(fd)));
    const later = ioq.stat(path);
    assertEquals(ioq.cancelAll(), true);
    const errors = [...stats, later].map((promise) => errorOf(() => promise));
    for (const error of await Promise.all(errors)) {
      assert(error instanceof Deno.errors.Interrupted, `${error}`);
      assertEquals(error.message, `Interrupted system call (os error 4): stat '${path}'`);
    }
    assertEquals(await Promise.all(closes), [undefined, undefined]);
    assertEquals(descriptorsUnder(dir.path), 0);
  },
);

forEachBackend("cancel(id) interrupts one request and no other", async ({ open }) => {
  await using ioq = await open<number>();
  const ids = Array.from({ length: 30 }, (_, i) => ioq.submit(op.stat("/"), i));
  const cancelled = [3, 7, 29];
  for (const at of cancelled) {
    assertEquals(ioq.cancel(ids[at]!), true);
    assertEquals(ioq.cancel(ids[at]!), false, "a second time");
  }
  for await (const completion of ioq) {
    if (cancelled.includes(completion.data)) {
      assertInterrupted(completion);
    } else {
      assertEquals(completion.ok, true);
    }
  }
  assertEquals(ids.map((id) => ioq.cancel(id)), ids.map(() => false));
  ioq.submit(op.nop(), -1);
  valueOf((await ioq[Symbol.asyncIterator]().next()).value, "nop");
});

forEachBackend("cancel(id) of what is not in flight gives false", async ({ open }) => {
  await using ioq = await open({ depth: 4 });
  for (const id of [0, 1, -1, 3.5, 1e15, NaN, Infinity, -Infinity]) {
    assertEquals(ioq.cancel(id), false, `${id}`);
  }
  assertThrows(() => ioq.cancel("0" as unknown as number), TypeError, "id");
  assertThrows(() => ioq.cancel(null as unknown as number), TypeError, "id");

  const id = ioq.submit(op.nop());
  await sleep(5);
  assertEquals(ioq.cancel(id), false, "completed");
  assertEquals(ioq.poll()?.ok, true);
  assertEquals(ioq.cancel(id), false, "consumed");
  const next = ioq.submit(op.nop());
  assertEquals(ioq.cancel(id), false, "in a slot that is in use again");
  assert(id !== next);
  assertEquals(ioq.cancel(next), true);
  assertInterrupted((await ioq[Symbol.asyncIterator]().next()).value);
});

forEachBackend("cancel(id) of a close gives false, and it runs", async ({ open }) => {
  using dir = new TempDir();
  const path = dir.file("file");
  await using ioq = await open();
  for (const wait of [() => undefined, () => Promise.resolve(), () => sleep(0)]) {
    const fd = await ioq.run(op.open(path));
    const id = ioq.submit(op.close(fd));
    await wait();
    assertEquals(ioq.cancel(id), false);
    valueOf((await ioq[Symbol.asyncIterator]().next()).value, "close");
    assertEquals(descriptorsUnder(path), 0);
  }
});

forEachBackend("cancelled opens leak no descriptor", async ({ t, open, row }) => {
  using dir = new TempDir();
  const path = dir.file("file");
  const waits = [
    () => undefined,
    () => Promise.resolve(),
    () => new Promise((resolve) => setImmediate(resolve)),
    () => sleep(0),
  ];
  await t.step("by cancel(id)", async () => {
    await using ioq = await open();
    for (let round = 0; round < 40; round++) {
      const ids = Array.from(
        { length: 32 },
        (_, i) => ioq.submit(i % 2 ? op.open(path) : op.openDir(dir.path)),
      );
      await waits[round % 4]!();
      ids.forEach((id) => ioq.cancel(id));
      for await (const completion of ioq) {
        if (completion.ok) {
          await ioq.run(op.close(completion.value as number));
        }
      }
      assertEquals(descriptorsUnder(dir.path), 0, `round ${round}`);
    }
  });
  await t.step("by a signal", async () => {
    await using ioq = await open({ depth: 20 });
    for (let round = 0; round < 40; round++) {
      const controller = new AbortController();
      const { signal } = controller;
      const opens = Array.from(
        { length: 32 },
        (_, i) => ioq.run(i % 2 ? op.open(path) : op.openDir(dir.path), { signal }),
      );
      const settled = Promise.allSettled(opens);
      await waits[round % 4]!();
      controller.abort();
      for (const outcome of await settled) {
        if (outcome.status === "fulfilled") {
          await ioq.run(op.close(outcome.value));
        }
      }
      // What was aborted may still be on its way
      await ioq.ready(20);
      assertEquals(descriptorsUnder(dir.path), 0, `round ${round}`);
    }
  });
  await t.step("by close()", async () => {
    for (let round = 0; round < 12; round++) {
      const ioq = await open();
      for (let i = 0; i < 64; i++) {
        ioq.submit(i % 2 ? op.open(path) : op.openDir(dir.path));
      }
      // Of those that were given some time most have opened
      await (round === 11 ? sleep(50) : waits[round % 4]!());
      await ioq.close();
      if (!row.library && row.concurrent) {
        // Without the library a descriptor is a Worker's, and gone with it
        await until(() => descriptorsUnder(dir.path) === 0, `descriptors of round ${round}`);
        continue;
      }
      const opened: number[] = [];
      for await (const completion of ioq) {
        if (completion.ok) {
          opened.push(completion.value as number);
        }
      }
      assertEquals(descriptorsUnder(dir.path), opened.length, `round ${round}`);
      await using closer = await open();
      await Promise.all(opened.map((fd) => closer.run(op.close(fd))));
    }
  });
});

forEachBackend("a read that waits for its data can be cancelled", async ({ open }) => {
  using dir = new TempDir();
  const path = dir.fifo("fifo");
  using fifo = Deno.openSync(path, { read: true, write: true });
  await using ioq = await open();
  const fd = await ioq.run(op.open(path, { read: true, write: true }));
  for (const wait of [0, 1, 30]) {
    const id = ioq.submit(op.read(fd, 10));
    await sleep(wait);
    assertEquals(ioq.cancel(id), true);
    const next = ioq[Symbol.asyncIterator]().next();
    assertInterrupted((await within(5000, next, "the completion")).value);
  }
  // It took nothing along
  fifo.writeSync(bytes("data"));
  assertEquals(text(await ioq.run(op.read(fd, 10))), "data");
  await ioq.run(op.close(fd));
}, ({ interruptible }) => interruptible);

forEachBackend("close() interrupts a read that waits for its data", async ({ open }) => {
  using dir = new TempDir();
  const path = dir.fifo("fifo");
  using _ = Deno.openSync(path, { read: true, write: true });
  for (const wait of [0, 30]) {
    await using ioq = await open<string>();
    await using closer = await open();
    const fd = await ioq.run(op.open(path, { read: true, write: true }));
    ioq.submit(op.read(fd, 10), "submitted");
    const run = errorOf(() => ioq.run(op.read(fd, 10)));
    await sleep(wait);
    await within(5000, ioq.close(), "close()");
    assert(await run instanceof Deno.errors.Interrupted);
    assertInterrupted(ioq.poll());
    await closer.run(op.close(fd));
  }
}, ({ interruptible }) => interruptible);

forEachBackend("cancel() takes an id and nothing else", async ({ open }) => {
  await using ioq = await open();
  for (const id of [undefined, null, "0", 0n, {}]) {
    assertThrows(() => ioq.cancel(id as unknown as number), TypeError, "id");
  }
  assertEquals([NaN, -1, 0.5, Infinity].map((id) => ioq.cancel(id)), [false, false, false, false]);
  assertEquals(ioq.accepts, true);
  await ioq.nop();
});

forEachBackend("a signal cancels what was submitted", async ({ open }) => {
  await using ioq = await open<string>({ depth: 600 });
  const controller = new CountingController();
  const { signal } = controller;
  for (let i = 0; i < 500; i++) {
    ioq.submit(op.sleep(1e6), "sleep", { signal });
  }
  ioq.submit(op.nop(), "nop", { signal });
  assertEquals(controller.listeners, 1);
  for await (const { data, ok } of ioq) {
    assertEquals([data, ok], ["nop", true]);
    break;
  }
  const reason = new Error("enough");
  controller.abort(reason);
  assertEquals(controller.listeners, 0);
  let count = 0;
  for await (const completion of ioq) {
    assertStrictEquals(!completion.ok && completion.error, reason);
    count++;
  }
  assertEquals(count, 500);
  assertThrows(() => ioq.submit(op.nop(), "late", { signal }), Error, "enough");
  assertThrows(() => ioq.submit(op.nop(), "", { signal: {} as AbortSignal }), TypeError);
  // A reason that is no error
  const other = new AbortController();
  ioq.submit(op.sleep(1e6), "", { signal: other.signal });
  other.abort("no error");
  for await (const completion of ioq) {
    const error = completion.ok ? undefined : completion.error;
    assert(error instanceof Deno.errors.Interrupted);
    assertEquals(error?.cause, "no error");
  }
  await ioq.ready(600);
});
