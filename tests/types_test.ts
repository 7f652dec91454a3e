// Copyright 2026 the ioq authors. MIT license.

/**
 * What the compiler knows. These tests are over when they compile: `deno check` and
 * `deno test` fail if a type is not as it is written here, or if what must be
 * refused (`@ts-expect-error`) is not.
 */

import { assertEquals } from "@std/assert";
import {
  type BigIntFileInfo,
  type Completion,
  type DirEntry,
  type FileInfo,
  Ioq,
  type IoqFile,
  type IoqOptions,
  type IoqRequest,
  op,
  type OpName,
  type OpValues,
  walk,
  type WalkEntry,
} from "../mod.ts";

/** Whether two types are the same, which is more than that each can be used as the other. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true
  : false;

/** Compiles only for types that are the same. */
function expectSame<A, B>(_same: Same<A, B>): void {}

/** Refers to something that is compiled and not run. */
function compiled(_what: unknown): void {}

Deno.test("a completion narrows by ok and op", () => {
  compiled((completion: Completion<string>) => {
    expectSame<typeof completion.id, number>(true);
    expectSame<typeof completion.data, string>(true);
    expectSame<typeof completion.op, OpName>(true);
    // @ts-expect-error: only one that succeeded has a value
    compiled(completion.value);
    // @ts-expect-error: only one that failed has an error
    compiled(completion.error);
    if (!completion.ok) {
      expectSame<typeof completion.error, Error>(true);
      // @ts-expect-error: it failed
      compiled(completion.value);
      return;
    }
    // @ts-expect-error: it succeeded
    compiled(completion.error);
    switch (completion.op) {
      case "stat":
      case "lstat":
        return expectSame<typeof completion.value, FileInfo>(true);
      case "statBigInt":
        return expectSame<typeof completion.value, BigIntFileInfo>(true);
      case "open":
        return expectSame<typeof completion.value, number>(true);
      case "readDir":
        return expectSame<typeof completion.value, DirEntry[]>(true);
      case "nop":
        return expectSame<typeof completion.value, undefined>(true);
      // @ts-expect-error: there is no such operation
      case "statt":
    }
    // @ts-expect-error: nothing assigns to a completion
    completion.id = 3;
  });
});

Deno.test("a completion without data of a known type has unknown data", () => {
  compiled(async (ioq: Ioq) => {
    for await (const completion of ioq) {
      expectSame<typeof completion, Completion<unknown>>(true);
    }
    for await (const completions of ioq.batches()) {
      expectSame<typeof completions, Completion<unknown>[]>(true);
    }
    expectSame<ReturnType<typeof ioq.poll>, Completion<unknown> | undefined>(true);
  });
  compiled((ioq: Ioq<{ path: string }>, request: IoqRequest) => {
    ioq.submit(request, { path: "/" });
    // @ts-expect-error: its data is missing
    ioq.submit(request);
    // @ts-expect-error: that is not the queue's type of data
    ioq.submit(request, "/");
  });
});

Deno.test("data may be left out where it may be undefined", () => {
  compiled((any: Ioq, some: Ioq<string | undefined>, text: Ioq<string>) => {
    any.submit(op.nop());
    some.submit(op.nop());
    text.submit(op.nop(), "text");
    text.submit(op.nop(), "text", { timeoutMs: 1 });
    // @ts-expect-error: that is not the queue's type of data
    text.submit(op.nop(), 1);
    // @ts-expect-error: a completion's data would not be a string
    text.submit(op.nop());
  });
});

Deno.test("a request knows what it resolves to", () => {
  compiled(async (ioq: Ioq) => {
    expectSame<ReturnType<typeof op.close>, IoqRequest<"close">>(true);
    const info = await ioq.run(op.stat("/"));
    expectSame<typeof info, FileInfo>(true);
    const exact = await ioq.run(op.stat("/", { bigint: true }));
    expectSame<typeof exact, BigIntFileInfo>(true);
    const fd = await ioq.run(op.open("/"));
    expectSame<typeof fd, number>(true);
    expectSame<OpValues["readDir"], DirEntry[]>(true);
    // @ts-expect-error: an operation is not a request
    ioq.submit("nop");
    // @ts-expect-error: nobody but op makes requests
    ioq.submit({ op: "nop" });
    // @ts-expect-error: one operation's request is not another's
    compiled(op.nop() satisfies IoqRequest<"stat">);
    // @ts-expect-error: nothing assigns to a request
    op.nop().op = "nop";
    // @ts-expect-error: what the library knows of it is not to be seen
    compiled(op.nop().trusted);
    // @ts-expect-error: a path is not a number
    op.stat(3);
    // @ts-expect-error: an offset is a number, never a bigint
    op.read(3, 4096, 0n);
  });
});

Deno.test("promise forms resolve to what their options ask for", () => {
  compiled(async (ioq: Ioq) => {
    expectSame<Awaited<ReturnType<typeof ioq.readTextFile>>, string>(true);
    const info = await ioq.stat("/");
    expectSame<typeof info, FileInfo>(true);
    const exact = await ioq.stat("/", { bigint: true });
    expectSame<typeof exact, BigIntFileInfo>(true);
    expectSame<typeof exact.mtimeNs, bigint>(true);
    const file = await ioq.openFile("/");
    expectSame<typeof file, IoqFile>(true);
    const count = await file.readAt(new Uint8Array(1), 0);
    expectSame<typeof count, number | null>(true);
    // @ts-expect-error: memory that is shared is not written to
    file.readAt(new Uint8Array(new SharedArrayBuffer(1)), 0);
  });
});

Deno.test("options refuse what they do not know", () => {
  compiled(async (ioq: Ioq, signal: AbortSignal) => {
    const options: IoqOptions = { depth: 16 };
    await Ioq.open(options);
    // @ts-expect-error: there is no such option
    await Ioq.open({ detph: 16 });
    // @ts-expect-error: there is no such backend
    await Ioq.open({ backend: "io_uring" });
    // @ts-expect-error: undefined is not the same as nothing
    await Ioq.open({ depth: undefined });
    await ioq.stat("/", { signal });
    // @ts-expect-error: there is no such option
    await ioq.stat("/", { abort: signal });
    // @ts-expect-error: there is no such option
    await ioq.openFile("/", { reed: true });
    // @ts-expect-error: there is no such option
    await ioq.mkdir("/", { recursiv: true });
    // @ts-expect-error: there is no such option
    op.lstat("/", { biginteger: true });
    // @ts-expect-error: there is no such option
    walk(".", { maxdepth: 3 });
    // @ts-expect-error: it is a policy or a function
    walk(".", { onError: "ignore" });
  });
});

Deno.test("a walk gives entries that std's can stand for", () => {
  compiled(
    async (
      walked: {
        path: string;
        name: string;
        isFile: boolean;
        isDirectory: boolean;
        isSymlink: boolean;
      },
    ) => {
      for await (const entry of walk(".")) {
        expectSame<typeof entry, WalkEntry>(true);
        walked = entry;
      }
      return walked;
    },
  );
});

Deno.test("what must be closed can be used", () => {
  compiled(async (ioq: Ioq) => {
    await using queue = ioq;
    await using file = await queue.openFile("/");
    compiled(file);
  });
});

Deno.test("readFiles() gives paths of the type that they were given in", () => {
  compiled(async (ioq: Ioq, names: string[], urls: Set<URL>) => {
    for await (const { path } of ioq.readFiles(names)) {
      expectSame<typeof path, string>(true);
    }
    for await (const { path } of ioq.readFiles(urls)) {
      expectSame<typeof path, URL>(true);
    }
    for await (const { path } of ioq.readFiles(walk("."))) {
      expectSame<typeof path, string | Uint8Array>(true);
    }
  });
});

Deno.test("objects print what a person wants to know of them", async () => {
  const ioq = await Ioq.open({ backend: "threads", depth: 8 });
  assertEquals(
    Deno.inspect(ioq),
    'Ioq { backend: "threads", size: 0, depth: 8, accepts: true }',
  );
  const buffer = ioq.allocate(16);
  assertEquals(Deno.inspect(buffer), "IoqBuffer { byteLength: 16, released: false }");
  buffer[Symbol.dispose]();
  await ioq.close();
  assertEquals(Deno.inspect(ioq).includes("accepts: false"), true);
});

Deno.test("the sources check with the compiler's own options", async () => {
  // As those of a program are that lies elsewhere and says nothing
  const dir = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${dir}/deno.json`, "{}");
    const module = new URL("../mod.ts", import.meta.url).href;
    await Deno.writeTextFile(`${dir}/program.ts`, `import "${module}";\n`);
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["check", "-q", "program.ts"],
      cwd: dir,
      env: { NO_COLOR: "1" },
    }).output();
    assertEquals([new TextDecoder().decode(stderr), code], ["", 0]);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
