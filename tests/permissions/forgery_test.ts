// Copyright 2026 the ioq authors. MIT license.

/**
 * What was asked for once is not asked for again. So nobody may make an object that stands
 * for it, nor lay hands on a request that the library has made for itself.
 */

import { assert, assertEquals, assertThrows } from "@std/assert";
import * as main from "../../mod.ts";
import * as tasks from "../../src/loop/mod.ts";
import { forEachBackend } from "../backends.ts";
import { TempDir } from "../fixtures.ts";

const { Ioq } = main;

// deno-lint-ignore ban-types
type Constructor = Function & { prototype: object };

/** The classes that callers make objects of; all others are the library's to make. */
const PUBLIC = new Set<unknown>([
  tasks.EventLoop,
  tasks.CallbackLoop,
  tasks.Mutex,
  tasks.RwLock,
  tasks.Batch,
  tasks.Condition,
  tasks.Semaphore,
  tasks.ResetEvent,
  tasks.Queue,
  tasks.SharedMutex,
  tasks.SharedCondition,
  tasks.SharedSemaphore,
  tasks.SharedResetEvent,
  // Errors
  tasks.Canceled,
  tasks.ConcurrencyUnavailable,
  tasks.MutexAbandoned,
]);

/** A path in a directory. */
const join = (dir: TempDir, name: string) => `${dir.path}/${name}`;

/** A class, and those that it is derived from. */
function classesOf(of: Constructor): Constructor[] {
  const classes = [];
  for (let at: unknown = of; at !== Function.prototype; at = Object.getPrototypeOf(at)) {
    classes.push(at as Constructor);
  }
  return classes;
}

forEachBackend("nobody makes what the library makes", async ({ open }) => {
  using dir = new TempDir();
  const path = dir.file("file", "secret");
  await using ioq = await open();
  await using loop = await tasks.EventLoop.open({ backend: ioq.backend.kind });
  await using file = await ioq.openFile(path);
  await using loopFile = await loop.io.openFile(path);
  await using group = loop.group();
  const objects: object[] = [ioq, loop.io, file, loopFile, group, main.op.nop()];
  if (ioq.backend.kind !== "worker") {
    objects.push(ioq.allocate(1));
  }
  const exported = [...Object.values(main), ...Object.values(tasks)]
    .filter((it) => typeof it === "function" && /^class\b/.test(`${it}`)) as Constructor[];
  const classes = new Set(
    [...exported, ...objects.map((it) => it.constructor as Constructor)].flatMap(classesOf),
  );
  for (const it of classes) {
    if (PUBLIC.has(it) || classesOf(it).includes(Error)) {
      continue;
    }
    for (const args of [[], [ioq, file.fd, "x", {}], [Symbol(), ioq, file.fd, "x", {}]]) {
      assertThrows(() => Reflect.construct(it, args), TypeError, undefined, `${it.name}`);
      // Neither from above nor from below
      const derived = () => Reflect.construct(it, args, class extends Object {});
      assertThrows(derived, TypeError, undefined, it.name);
    }
    if (Object.getPrototypeOf(it) !== Function.prototype) {
      assertThrows(() => Object.setPrototypeOf(it, class {}), TypeError, undefined, it.name);
    }
  }
  assertEquals(await file.readAt(new Uint8Array(9), 0), 6);
});

forEachBackend(
  "what replaces run() is given nothing that was checked before",
  async ({ open, row }) => {
    using dir = new TempDir();
    Deno.mkdirSync(join(dir, "tree/below"), { recursive: true });
    dir.file("tree/below/file");
    const queue = await open();
    await using _ = queue;
    await using loop = new tasks.EventLoop(queue);
    for (const ioq of [queue, loop.io]) {
      const captured: unknown[] = [];
      const run = (request: unknown) => {
        captured.push(request);
        return Promise.reject(new Error("replaced"));
      };
      Object.assign(ioq, { run });
      try {
        if (row.library) {
          await main.copyTree(join(dir, "tree"), join(dir, "copy"), { ioq });
        } else {
          Deno.mkdirSync(join(dir, "copy/below"), { recursive: true });
          dir.file("copy/below/file");
        }
        await Array.fromAsync(main.walk(dir.path, { ioq, stat: true, followSymlinks: true }));
        await using file = await ioq.openFile(join(dir, "copy/below/file"), {
          read: true,
          write: true,
        });
        await file.write(new Uint8Array(1));
        await file.close();
        await ioq.readFile(join(dir, "copy/below/file"));
        await main.removeTree(join(dir, "copy"), { ioq });
        await ioq.mkdir(join(dir, "copy/a/b"), { recursive: true });
        await ioq.remove(join(dir, "copy"), { recursive: true });
      } finally {
        delete (ioq as { run?: unknown }).run;
      }
      assertEquals(captured, []);
    }
  },
);

Deno.test("a future leads to nothing of the library's", async () => {
  await using loop = await tasks.EventLoop.open();
  const future = loop.async(() => 1);
  const own = Reflect.ownKeys(future).filter((key) => key !== Symbol.asyncDispose);
  assertEquals(own.filter((key) => typeof key === "symbol"), []);
  for (const key of own) {
    const value = Reflect.get(future, key) as unknown;
    assert(typeof value !== "object" || value === null, String(key));
  }
  await future;
  assertThrows(
    () => Ioq.prototype.run.call(Object.create(Ioq.prototype), main.op.nop()),
    TypeError,
  );
});
