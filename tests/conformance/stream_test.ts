// Copyright 2026 the ioq authors. MIT license.

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { type Completion, type Ioq, op } from "../../mod.ts";
import { forEachBackend } from "../backends.ts";
import { bytes, sleep, TempDir, text, until, valueOf, within } from "../fixtures.ts";

/** Everything the stream still has to give. */
async function drain<T>(ioq: Ioq<T>): Promise<Completion<T>[]> {
  const all: Completion<T>[] = [];
  for await (const completion of ioq) {
    all.push(completion);
  }
  return all;
}

function assertInvariant(ioq: Ioq, size: number): void {
  assertEquals(ioq.size, size);
  assertEquals(ioq.capacity, ioq.depth - size);
}

forEachBackend(
  "iteration ends when the queue is drained, and can begin again",
  async ({ open }) => {
    await using ioq = await open<number>();
    assertEquals(await drain(ioq), []);
    for (let round = 0; round < 3; round++) {
      const ids = new Set<number>();
      for (let i = 0; i < 10; i++) {
        ids.add(ioq.submit(i % 2 ? op.nop() : op.stat("/"), i));
      }
      assertEquals(ids.size, 10);
      const completions = await drain(ioq);
      assertEquals(new Set(completions.map(({ id }) => id)), ids);
      assertEquals(completions.map(({ data }) => data).sort(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
      assertInvariant(ioq, 0);
    }
  },
);

forEachBackend("a completion has its operation, its data and its value", async ({ open }) => {
  using dir = new TempDir();
  const file = dir.file("file", "text");
  await using ioq = await open<{ key: string } | undefined>();
  const data = { key: "value" };
  ioq.submit(op.stat(file), data);
  const { value: stat } = await ioq[Symbol.asyncIterator]().next();
  assertEquals(valueOf(stat, "stat").size, 4);
  assert(stat.data === data);

  ioq.submit(op.lstat(dir.at("missing")));
  const { value: missing } = await ioq[Symbol.asyncIterator]().next();
  assert(missing?.op === "lstat" && !missing.ok);
  assert(missing.error instanceof Deno.errors.NotFound);
  assertEquals(missing.data, undefined);
});

forEachBackend("submit() throws WouldBlock when the queue is full", async ({ open }) => {
  for (const depth of [1, 2, 3, 64, 300]) {
    await using ioq = await open({ depth });
    assertEquals(ioq.depth, depth);
    for (let size = 0; size < depth; size++) {
      assertInvariant(ioq, size);
      ioq.submit(size % 3 ? op.nop() : op.stat("/"));
    }
    assertInvariant(ioq, depth);
    assertThrows(() => ioq.submit(op.nop()), Deno.errors.WouldBlock, `${depth}`);
    assertInvariant(ioq, depth);

    // What has completed still counts until it is consumed
    await sleep(5);
    assertInvariant(ioq, depth);
    assertThrows(() => ioq.submit(op.nop()), Deno.errors.WouldBlock);

    const iterator = ioq[Symbol.asyncIterator]();
    for (let size = depth - 1; size >= 0; size--) {
      assertEquals((await iterator.next()).done, false);
      assertInvariant(ioq, size);
    }
    assertEquals((await iterator.next()).done, true);
    ioq.submit(op.nop());
    assertEquals((await drain(ioq)).length, 1);
  }
});

forEachBackend("a consumer that stops consuming stops the producer", async ({ open }) => {
  const depth = 16;
  const total = 500;
  await using ioq = await open<number>({ depth });
  let produced = 0;
  let sizeMax = 0;
  const producer = (async () => {
    while (produced < total) {
      await ioq.ready();
      ioq.submit(op.stat("/"), produced++);
      sizeMax = Math.max(sizeMax, ioq.size);
    }
  })();
  await sleep(20);
  assertEquals(produced, depth);

  // One consumed, one produced
  assert((await ioq[Symbol.asyncIterator]().next()).done === false);
  await sleep(5);
  assertEquals(produced, depth + 1);
  assertInvariant(ioq, depth);

  const seen = new Set<number>();
  while (seen.size < total - 1) {
    for await (const { data } of ioq) {
      assert(!seen.has(data));
      seen.add(data);
    }
  }
  await producer;
  assertEquals(produced, total);
  assertEquals(sizeMax, depth);
});

forEachBackend("ready() waits for as many slots as asked for", async ({ open }) => {
  await using ioq = await open({ depth: 4 });
  await ioq.ready(4);
  for (let i = 0; i < 4; i++) {
    ioq.submit(op.nop());
  }
  const told: number[] = [];
  const waits = [3, 1, 4].map((slots) => ioq.ready(slots).then(() => told.push(slots)));
  const iterator = ioq[Symbol.asyncIterator]();
  const expected = [[1], [1], [1, 3], [1, 3, 4]];
  for (const slots of expected) {
    await iterator.next();
    await sleep(2);
    assertEquals(told, slots);
  }
  await Promise.all(waits);

  for (const slots of [0, 5, -1, 1.5, NaN, Infinity]) {
    await assertRejects(() => ioq.ready(slots), RangeError, "slots");
  }
  await assertRejects(() => ioq.ready("1" as unknown as number), TypeError, "slots");
});

forEachBackend("batches() gives all that is there, at least one", async ({ open }) => {
  await using ioq = await open<number>();
  for await (const _ of ioq.batches()) {
    throw new Error("There is nothing to come");
  }
  for (let i = 0; i < 1000; i++) {
    ioq.submit(i % 10 ? op.nop() : op.stat("/"), i);
  }
  const seen: number[] = [];
  let batches = 0;
  for await (const completions of ioq.batches()) {
    assert(completions.length > 0);
    seen.push(...completions.map(({ data }) => data));
    batches++;
    assertInvariant(ioq, 1000 - seen.length);
  }
  assertEquals(seen.sort((a, b) => a - b), Array.from({ length: 1000 }, (_, i) => i));
  // A turn hands out up to 256
  assert(batches < 500, `${batches} batches`);
});

forEachBackend("poll() gives what has completed, and never waits", async ({ open }) => {
  await using ioq = await open<string>();
  assertEquals(ioq.poll(), undefined);
  ioq.submit(op.stat("/"), "stat");
  let completion;
  await until(() => (completion = ioq.poll()) !== undefined, "stat");
  assertEquals((completion as unknown as Completion<string>).data, "stat");
  assertEquals(ioq.poll(), undefined);
  assertInvariant(ioq, 0);
});

forEachBackend("poll() alone brings completions, without the event loop", async ({ open }) => {
  await using ioq = await open();
  ioq.submit(op.stat("/"));
  const end = performance.now() + 10_000;
  let completion;
  while ((completion = ioq.poll()) === undefined && performance.now() < end);
  assertEquals(completion?.ok, true);
});

forEachBackend("two iterators at once share the completions, and both end", async ({ open }) => {
  await using ioq = await open<number>();
  for (let i = 0; i < 500; i++) {
    ioq.submit(i % 2 ? op.nop() : op.stat("/"), i);
  }
  const seen: number[][] = [[], []];
  await Promise.all(seen.map(async (mine) => {
    for await (const { data } of ioq) {
      mine.push(data);
      await Promise.resolve();
    }
  }));
  const all = seen.flat().sort((a, b) => a - b);
  assertEquals(all, Array.from({ length: 500 }, (_, i) => i));
  assert(seen[0]!.length > 0 && seen[1]!.length > 0, `${seen[0]!.length} + ${seen[1]!.length}`);
});

forEachBackend("breaking out of the iteration leaves the queue as it is", async ({ open }) => {
  await using ioq = await open<number>();
  for (let i = 0; i < 10; i++) {
    ioq.submit(op.stat("/"), i);
  }
  const seen: number[] = [];
  for await (const { data } of ioq) {
    seen.push(data);
    if (seen.length === 3) {
      break;
    }
  }
  assertInvariant(ioq, 7);
  ioq.submit(op.nop(), 10);
  for await (const completions of ioq.batches()) {
    seen.push(...completions.map(({ data }) => data));
    if (seen.length >= 5) {
      break;
    }
  }
  seen.push(...(await drain(ioq)).map(({ data }) => data));
  assertEquals(seen.sort((a, b) => a - b), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  assertEquals((await ioq.stat("/")).isDirectory, true);
});

forEachBackend("return() ends an iterator that waits", async ({ open }) => {
  using dir = new TempDir();
  const path = dir.fifo("fifo");
  using fifo = Deno.openSync(path, { read: true, write: true });
  await using ioq = await open();
  const fd = await ioq.run(op.open(path, { read: true, write: true }));
  ioq.submit(op.read(fd, 10));
  const iterator = ioq[Symbol.asyncIterator]();
  const waiting = iterator.next();
  await sleep(5);
  assertEquals(await iterator.return!(), { done: true, value: undefined });
  const ended = await within(5000, waiting, "next()");
  assertEquals(ended, { done: true, value: undefined });
  assertEquals(await iterator.next(), { done: true, value: undefined });

  // The completion is not lost on who no longer wants it
  fifo.writeSync(bytes("data"));
  const [completion] = await drain(ioq);
  assertEquals(text(valueOf(completion, "read")), "data");
  await ioq.run(op.close(fd));
}, ({ concurrent }) => concurrent);

forEachBackend(
  "a completion comes although the queue was polled while it parked",
  async (bench) => {
    using dir = new TempDir();
    const path = dir.fifo("fifo");
    using fifo = Deno.openSync(path, { read: true, write: true });
    await using ioq = await bench.open();
    const fd = await ioq.run(op.open(path, { read: true, write: true }));
    for (const look of [() => ioq.poll(), () => ioq[Symbol.asyncIterator]().next()]) {
      ioq.submit(op.read(fd, 10));
      // Long enough to park
      await sleep(30);
      const looked = look();
      await sleep(10);
      fifo.writeSync(bytes("data"));
      if (looked === undefined) {
        await within(5000, drain(ioq), "the completion");
      } else {
        await within(5000, looked as Promise<unknown>, "the completion");
      }
      assertInvariant(ioq, 0);
    }
    await ioq.run(op.close(fd));
  },
  ({ concurrent }) => concurrent,
);

forEachBackend("completions that came while requests were submitted are told", async (bench) => {
  using dir = new TempDir();
  const path = dir.fifo("fifo");
  using fifo = Deno.openSync(path, { read: true, write: true });
  await using ioq = await bench.open({ depth: 600 });
  const fd = await ioq.run(op.open(path, { read: true, write: true }));
  ioq.submit(op.read(fd, 1));
  const iterator = ioq[Symbol.asyncIterator]();
  const first = iterator.next();
  // Too many for one turn: submitting runs a turn that completes all of these
  for (let i = 0; i < 256; i++) {
    ioq.submit(op.nop());
  }
  ioq.submit(op.read(fd, 1));
  const { value } = await within(5000, first, "the first nop");
  assertEquals(value?.op, "nop");
  fifo.writeSync(bytes("ab"));
  const rest = await drain(ioq);
  assertEquals(rest.length, 257);
  await ioq.run(op.close(fd));
}, ({ concurrent }) => concurrent);

forEachBackend("more requests at once than a turn takes all complete", async ({ open }) => {
  await using ioq = await open<number>({ depth: 5000 });
  for (let i = 0; i < 5000; i++) {
    ioq.submit(i % 5 ? op.nop() : op.stat("/"), i);
  }
  const seen = new Set((await drain(ioq)).map(({ data }) => data));
  assertEquals(seen.size, 5000);
});

forEachBackend("more bytes of paths at once than a turn takes all arrive", async ({ open }) => {
  using dir = new TempDir();
  dir.file("file", "found");
  // As long as a path may be; the last one is in its way to the same file
  const filler = "/.".repeat((4095 - dir.path.length - "/file".length) / 2);
  const paths = ["é", ""].map((name) => `${dir.path}${filler}/file${name}`.slice(0, 4096));
  await using ioq = await open<number>();
  for (let i = 0; i < 200; i++) {
    ioq.submit(op.stat(paths[i % 2]!), i);
  }
  const completions = await drain(ioq);
  assertEquals(completions.length, 200);
  for (const completion of completions) {
    assertEquals(completion.ok, completion.data % 2 === 1, `request ${completion.data}`);
    assert(!completion.ok || completion.op === "stat" && completion.value.size === 5);
  }
});

forEachBackend("a queue of the greatest depth can be filled and drained", async ({ open }) => {
  await using ioq = await open({ depth: 65536 });
  for (let i = 0; i < 65536; i++) {
    ioq.submit(op.kernelNop());
  }
  assertThrows(() => ioq.submit(op.nop()), Deno.errors.WouldBlock);
  let count = 0;
  for await (const completions of ioq.batches()) {
    count += completions.length;
    assert(completions.every(({ ok }) => ok));
  }
  assertEquals(count, 65536);
}, ({ options }) => options.threads !== 1);

forEachBackend("memory stays flat", async ({ open }) => {
  using dir = new TempDir();
  const length = 1 << 20;
  const path = dir.file("file", "x".repeat(length));
  for (let i = 0; i < 200; i++) {
    dir.file(`a file with quite a long name ${i}`);
  }
  await using ioq = await open({ depth: 64 });
  const fd = await ioq.run(op.open(path));
  const round = async () => {
    for (let i = 0; i < 16; i++) {
      ioq.submit(op.read(fd, length, 0));
      ioq.submit(op.readDir(dir.path));
      if (i % 4 === 0) {
        // A payload that nobody takes
        const aborted = new AbortController();
        const read = ioq.run(op.read(fd, length, 0), { signal: aborted.signal });
        aborted.abort();
        await assertRejects(() => read);
      }
    }
    for await (const { ok } of ioq) {
      assert(ok);
    }
  };
  for (let i = 0; i < 3; i++) {
    await round();
  }
  // All that is read in 25 rounds is 400 MiB: a leak shows each time, what only waits to
  // be collected does not
  let grown = Infinity;
  for (let attempt = 0; attempt < 4 && grown >= 200 << 20; attempt++) {
    const before = Deno.memoryUsage().rss;
    for (let i = 0; i < 25; i++) {
      await round();
    }
    grown = Deno.memoryUsage().rss - before;
  }
  assert(grown < 200 << 20, `${grown >> 20} MiB more`);
  await ioq.run(op.close(fd));
}, ({ options }) => options.threads !== 1);

forEachBackend("ready() is served in order with promise forms", async ({ open }) => {
  for (const slots of [1, 8]) {
    await using ioq = await open({ depth: 8 });
    let looping = true;
    let rounds = 0;
    const loops = Array.from({ length: 16 }, async () => {
      while (looping && rounds < 200_000) {
        rounds++;
        await ioq.nop();
      }
    });
    await ioq.ready(slots);
    const before = rounds;
    looping = false;
    for (let i = 0; i < slots; i++) {
      ioq.submit(op.nop());
    }
    assert(before < 200_000, "not before the loops were over");
    for await (const completion of ioq) {
      assert(completion.ok);
    }
    await Promise.all(loops);
  }
});

forEachBackend("what ready() grants is reserved for who waited", async ({ open }) => {
  await using ioq = await open<number>({ depth: 1 });
  ioq.submit(op.nop(), -1);
  const order: number[] = [];
  const waiting = Array.from({ length: 3 }, async (_, i) => {
    await ioq.ready();
    // Throws if somebody else has taken it
    ioq.submit(op.nop(), i);
    order.push(i);
  });
  const form = ioq.nop().then(() => order.push(3));
  while (order.length < 4) {
    for await (const { ok } of ioq) {
      assert(ok);
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  await Promise.all([...waiting, form]);
  assertEquals(order, [0, 1, 2, 3]);
});

forEachBackend("what was waited for and is not submitted holds up nobody", async ({ open }) => {
  await using ioq = await open({ depth: 4 });
  await ioq.ready(4);
  await within(10_000, ioq.nop(), "a promise form");
  assertEquals(ioq.capacity, 4);
});

forEachBackend("who waits for more than there can be holds up nobody", async ({ open }) => {
  const ioq = await open({ depth: 2 });
  const signal = AbortSignal.timeout(60_000);
  const waiting = ioq.sleep(1e6, { signal }).catch(() => {});
  const never = ioq.ready(2).catch((error: unknown) => error);
  for (let i = 0; i < 10; i++) {
    await within(10_000, ioq.nop(), "a promise form behind it");
  }
  await ioq.close();
  await waiting;
  assert(await never instanceof Deno.errors.BadResource);
});

forEachBackend("a consumer may wait for a promise form behind ready()", async ({ open }) => {
  await using ioq = await open({ depth: 4 });
  for (let i = 0; i < 4; i++) {
    ioq.submit(op.nop());
  }
  const ready = ioq.ready(4);
  let consumed = 0;
  for await (const _ of ioq) {
    consumed++;
    await within(10_000, ioq.nop(), "a promise form of the consumer's");
  }
  await ready;
  assertEquals(consumed, 4);
});
