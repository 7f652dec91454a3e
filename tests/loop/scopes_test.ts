// Copyright 2026 the ioq authors. MIT license.

/** Scopes of tasks, time limits and cancellation points, where they are hard to keep. */

import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import {
  Canceled,
  Condition,
  EventLoop,
  type Future,
  type Io,
  Mutex,
  Queue,
  ResetEvent,
  Semaphore,
  SharedMutex,
  SharedResetEvent,
  SharedSemaphore,
} from "@ioq/ioq/loop";
import { copyTree, op, removeTree, walk } from "../../mod.ts";
import { descriptorsUnder, LOOP_MOD, runDeno, sleep, TempDir, within } from "../fixtures.ts";
import { forEachLoop } from "./rows.ts";

forEachLoop("timeout() needs no room in the queue", async ({ open }) => {
  await using ioq = await open({ depth: 2 });
  await using loop = new EventLoop(ioq);
  const sleepers = [1, 2].map(() => loop.async((io) => io.sleep(1e6)));
  await loop.async(async (io) => {
    const late = io.timeout(5, (io) => io.stat("/"));
    await assertRejects(() => within(10_000, late, "timeout()"), Deno.errors.TimedOut);
  });
  assertEquals(sleepers.map((it) => it.done), [false, false]);
  const error = await assertRejects(
    () => loop.select(sleepers, { timeoutMs: 5 }),
    Deno.errors.TimedOut,
  );
  assert(error.message.includes("5 ms"), error.message);
  assertEquals(await loop.select([...sleepers, loop.async(() => {})], { timeoutMs: 1e6 }), 2);
  await assertRejects(() => loop.select(sleepers, { timeoutMs: -1 }), RangeError);
});

forEachLoop("a task that is cancelled while its part starts stops that part", async ({ loop }) => {
  let ended = false;
  const gate = Promise.withResolvers<void>();
  const future: Future<unknown> = loop.async(async (io) => {
    await gate.promise;
    await io.timeout(1e6, async (inner) => {
      future.cancel();
      await inner.sleep(1e6).finally(() => ended = true);
    });
  });
  gate.resolve();
  await assertRejects(() => within(10_000, future, "the task"), Canceled);
  assert(ended);
  assertEquals(loop.running, 0);
});

forEachLoop("a loop that is closed by a task's first line waits for it", async ({ open }) => {
  await using ioq = await open();
  const loop = new EventLoop(ioq);
  const order: string[] = [];
  let closing: Promise<void> | undefined;
  const future = loop.async(async (io) => {
    closing = loop.close().then(() => void order.push("closed"));
    await io.uncancelable(async (io) => {
      await io.sleep(2);
      order.push("protected");
    });
    await io.sleep(1e6);
  });
  await assertRejects(() => within(10_000, future, "the task"), Canceled);
  await closing;
  assertEquals(order, ["protected", "closed"]);
});

forEachLoop("a task that cleans up while the loop closes has all it needs", async ({ open }) => {
  await using ioq = await open();
  const loop = new EventLoop(ioq);
  const done: unknown[] = [];
  const future = loop.async(async (io) => {
    try {
      await io.sleep(1e6);
    } finally {
      done.push((await io.stat("/")).isDirectory);
      done.push(await io.timeout(1e6, async (io) => (await io.stat("/")).isDirectory));
      await using group = io.group();
      group.async((io) => io.sleep(1).then(() => done.push("member")));
      await group.wait();
      await assertRejects(() => io.timeout(1, (io) => io.sleep(1e6)), Deno.errors.TimedOut);
    }
  });
  await Promise.all([assertRejects(() => future, Canceled), loop.close()]);
  assertEquals(done, [true, true, "member"]);
});

/** What returns a promise and is given a handle; none of it has to wait. */
function points(): Record<string, (io: Io) => Promise<unknown>> {
  const full = new Queue<number>(2);
  full.tryPut(1);
  full.tryPut(2);
  const [set, sharedSet] = [new ResetEvent(), new SharedResetEvent()];
  set.set();
  sharedSet.set();
  return {
    "nop": (io) => io.nop(),
    "sleep": (io) => io.sleep(0),
    "sleepUntil": (io) => io.sleepUntil(0n),
    "readFile": (io) => io.readFile("/dev/null"),
    "openFile": (io) => io.openFile("/dev/null"),
    "await": (io) => io.await(Promise.resolve()),
    "timeout": (io) => io.timeout(1e6, () => {}),
    "group": (io) => io.group().wait(),
    "Mutex.lock": (io) => new Mutex().lock(io),
    "Mutex.acquire": (io) => new Mutex().acquire(io),
    "Semaphore": (io) => new Semaphore(1).acquire(io),
    "ResetEvent": (io) => set.wait(io),
    "Queue.put": (io) => new Queue(1).put(io, 1),
    "Queue.take": (io) => full.take(io),
    "Queue.values": (io) => full.values(io).next(),
    "SharedMutex.lock": (io) => new SharedMutex().lock(io),
    "SharedMutex.acquire": (io) => new SharedMutex().acquire(io),
    "SharedSemaphore": (io) => new SharedSemaphore(1).acquire(io),
    "SharedResetEvent": (io) => sharedSet.wait(io),
    "Condition": async (io) => {
      const mutex = new Mutex();
      mutex.tryLock(io);
      await new Condition().wait(io, mutex);
    },
  };
}

forEachLoop(
  "what returns a promise is a cancellation point, also without a wait",
  async (bench) => {
    const { loop } = bench;
    for (const [name, point] of Object.entries(points())) {
      const gate = Promise.withResolvers<void>();
      const future = loop.async(async (io) => {
        await gate.promise;
        assertEquals(io.cancelRequested, true);
        // Not what is protected
        if (name !== "Condition") {
          await io.uncancelable(point);
        }
        await assertRejects(() => points()[name]!(io), Canceled);
        assertEquals(io.cancelRequested, false);
        return "told";
      });
      future.cancel();
      gate.resolve();
      assertEquals(await future, "told", name);
    }
  },
);

forEachLoop("a close is no cancellation point, and no value is lost at one", async ({ loop }) => {
  using dir = new TempDir();
  const path = dir.file("file");
  const queue = new Queue<number>(0);
  const putting = loop.async((io) => queue.put(io, 7));
  const gate = Promise.withResolvers<void>();
  const future = loop.async(async (io) => {
    const file = await io.openFile(path);
    await gate.promise;
    await file.close();
    assertEquals(io.cancelRequested, true);
    await assertRejects(() => queue.take(io), Canceled);
  });
  future.cancel();
  gate.resolve();
  await assertRejects(() => future, Canceled).catch(() => {});
  assertEquals(putting.done, false);
  assertEquals(await loop.async((io) => queue.take(io)), 7);
  await putting;
});

forEachLoop("what is waited for in vain leaves nothing behind", async ({ loop }) => {
  const promise = new Promise<void>(() => {});
  let thens = 0;
  promise.then = (...calls) => {
    thens++;
    return Promise.prototype.then.apply(promise, calls) as never;
  };
  const sleeper = loop.async((io) => io.sleep(1e6));
  const then = sleeper.then;
  sleeper.then = (...calls) => {
    thens++;
    return then.apply(sleeper, calls) as never;
  };
  for (let i = 0; i < 50; i++) {
    for (const it of [promise, sleeper]) {
      const waiting = loop.async((io) => io.await(it));
      await assertRejects(() => waiting.cancel(), Canceled);
      assertEquals(await loop.select([it, loop.async(() => {})]), 1);
    }
  }
  assert(thens <= 6, `${thens}`);
});

forEachLoop("select() resolves to the first of those that are over", async ({ loop }) => {
  const ended = loop.async(() => {});
  await ended;
  const never = new Promise(() => {});
  assertEquals(await loop.select([Promise.resolve(), ended]), 0);
  assertEquals(await loop.select([never, ended, Promise.resolve()]), 1);
  assertEquals(await loop.select([never, Promise.resolve(), ended]), 1);
});

forEachLoop("a promise that is awaited in vain may fail later", async ({ loop }) => {
  const failing = Promise.withResolvers<void>();
  const early = loop.async(async (io) => {
    await Promise.resolve();
    await io.await(failing.promise);
  });
  await assertRejects(() => early.cancel(), Canceled);
  failing.reject(new Error("nobody waits for this any more"));
  await sleep(1);
});

Deno.test("a task that fails by the Canceled of another is reported", async () => {
  const { code, stderr } = await runDeno(`
    import { EventLoop } from ${JSON.stringify(LOOP_MOD)};
    const loop = await EventLoop.open();
    const other = loop.async((io) => io.sleep(1e6));
    loop.async(async () => { await other; });
    other.cancel();
    await new Promise((resolve) => setTimeout(resolve, 1000));
  `);
  assertEquals(code, 1);
  assert(stderr.includes("Canceled"), stderr);
});

forEachLoop("files of tasks are opened within a time limit", async ({ loop, row }) => {
  using dir = new TempDir();
  const path = dir.file("file", "text");
  await loop.async(async (io) => {
    await using file = await io.openFile(path, { timeoutMs: 1e6 });
    assertEquals(await file.pread(new Uint8Array(8), 0), 4);
    if (!row.interruptible) {
      return;
    }
    await using _ = await io.openFile(path, { read: true, lock: "exclusive" });
    for (const open of ["openFile", "createFile"] as const) {
      await assertRejects(
        () => io[open](path, { lock: "exclusive", timeoutMs: 5 }),
        Deno.errors.TimedOut,
      );
    }
    await io.run(op.nop());
  });
});

forEachLoop("trees and files of a task are cancelled with it", async ({ loop, row }) => {
  if (!row.library) {
    return;
  }
  using dir = new TempDir();
  const path = dir.at("tree");
  for (let i = 0; i < 20; i++) {
    Deno.mkdirSync(`${path}/${i}`, { recursive: true });
    Deno.writeTextFileSync(`${path}/${i}/file`, "text");
  }
  await loop.async(async (io) => {
    let entries = 0;
    for await (const _ of walk(path, { ioq: io })) {
      entries++;
    }
    assertEquals(entries, 41);
    await copyTree(path, dir.at("copy"), { ioq: io });
    await removeTree(dir.at("copy"), { ioq: io });
  });
  const before = descriptorsUnder(dir.path);
  const works: ((io: Io) => Promise<unknown>)[] = [
    async (io) => {
      for await (const _ of walk(path, { ioq: io })) {
        future!.cancel();
      }
    },
    (io) => copyTree(path, dir.at("copy"), { ioq: io }),
    async (io) => {
      const paths = Array.from({ length: 20 }, (_, i) => `${path}/${i}/file`);
      for await (const _ of io.readFiles(paths)) {
        future!.cancel();
      }
    },
    (io) => removeTree(path, { ioq: io, onError: "skip" }),
  ];
  let future: Future<unknown> | undefined;
  for (const work of works) {
    const gate = Promise.withResolvers<void>();
    future = loop.async(async (io) => {
      await gate.promise;
      const ended = work(io);
      future!.cancel();
      await ended;
    });
    gate.resolve();
    await assertRejects(
      () => within(10_000, future!, "the work"),
      Canceled,
      undefined,
      String(work),
    );
    assertEquals(descriptorsUnder(dir.path), before);
  }
  assertThrows(() => walk(path, { ioq: {} as never }), TypeError);
});

forEachLoop("io.signal aborts when the task is asked to stop", async ({ loop }) => {
  let signal: AbortSignal | undefined;
  const future: Future<unknown> = loop.async(async (io) => {
    await Promise.resolve();
    signal = io.signal;
    assertStrictEquals(io.signal, signal);
    await io.uncancelable(async (io) => {
      future.cancel();
      await io.sleep(1);
      assertEquals(signal!.aborted, false);
    });
    assert(signal.aborted);
    assert(signal.reason instanceof Canceled);
    await io.nop();
  });
  await assertRejects(() => future, Canceled);
  let child: Deno.ChildProcess | undefined;
  const closing = loop.async(async (io) => {
    child = new Deno.Command("sleep", { args: ["1000"], signal: io.signal }).spawn();
    await io.await(child.status);
  });
  await assertRejects(() => within(10_000, closing.cancel(), "the task"), Canceled);
  assertEquals((await within(10_000, child!.status, "the command")).signal, "SIGTERM");
});
