// Copyright 2026 the ioq authors. MIT license.

/** What becomes of requests when the Workers that run them do not do as they should. */

import { assert, assertEquals } from "@std/assert";
import { Ioq, type IoqOptions } from "../../mod.ts";
import { LANE } from "../../src/backends/open_backend.ts";
import { errorOf, LIBRARY, MOD, runDeno, TempDir, within } from "../fixtures.ts";

const CRASHING = new URL("./crashing_lane.ts", import.meta.url);
const MISSING = "/nonexistent/libioq.so";
/** How many Workers are replaced, as the backend has it. */
const CRASHES_MAX = 8;

for (const [name, library] of [["with", LIBRARY], ["without", MISSING]] as const) {
  const open = (module: URL, options: IoqOptions = {}) =>
    Ioq.open({ backend: "worker", library, ...options, [LANE]: module } as IoqOptions);

  Deno.test(`a Worker that crashes fails its request alone, and is replaced [${name} library]`, async () => {
    using dir = new TempDir();
    const path = dir.file("file", "contents");
    await using ioq = await open(CRASHING);
    for (let i = 0; i < 3; i++) {
      const results = await Promise.all([
        ioq.stat(path).then(({ size }) => size),
        errorOf(() => ioq.stat("/crash")),
        ioq.readTextFile(path),
      ]);
      const error = results[1] as Error & { code?: string };
      assert(
        error.message.startsWith("The Worker that ran it ended unexpectedly: stat '/crash"),
        error.message,
      );
      assertEquals(error.code, "EIO");
      assertEquals([results[0], results[2]], [8, "contents"]);
    }
    assertEquals(ioq.backend.reason?.includes("own thread") ?? false, false);
    assert(ioq.completed.worker > 0);
  });

  Deno.test(`after too many crashes the queue's own thread goes on [${name} library]`, async () => {
    using dir = new TempDir();
    const path = dir.file("file", "contents");
    await using ioq = await open(CRASHING, { threads: 2 });
    assertEquals((await ioq.stat(path)).size, 8);
    let crashes = 0;
    while (crashes < 2 * CRASHES_MAX && !ioq.backend.reason?.includes("own thread")) {
      const [error, size] = await Promise.all([
        errorOf(() => ioq.stat(`/crash ${crashes++}`)),
        ioq.stat(path).then(({ size }) => size),
      ]);
      assert(error.message.startsWith("The Worker that ran it ended unexpectedly"), error.message);
      assertEquals(size, 8);
    }
    assertEquals(crashes, CRASHES_MAX + 1);
    assert(ioq.backend.reason?.includes("they ended unexpectedly"), ioq.backend.reason);
    // Which does not crash: it runs no lane
    const error = await errorOf(() => ioq.stat("/crash"));
    assert(error instanceof Deno.errors.NotFound, `${error}`);
    const { core } = ioq.completed;
    assertEquals(await ioq.readTextFile(path), "contents");
    assert(ioq.completed.core > core);
  });

  Deno.test(`what is in flight when all crash completes once each [${name} library]`, async () => {
    using dir = new TempDir();
    const path = dir.file("file", "contents");
    await using ioq = await open(CRASHING, { depth: 256 });
    let crashed = 0;
    const all = Array.from({ length: 200 }, async (_, i) => {
      if (i % 10 === 5) {
        const error = await errorOf(() => ioq.stat("/crash"));
        crashed += Number(error.message.includes("ended unexpectedly"));
        assert(
          error.message.includes("ended unexpectedly") || error instanceof Deno.errors.NotFound,
          error.message,
        );
      } else {
        assertEquals((await ioq.stat(path)).size, 8);
      }
    });
    await within(60_000, Promise.all(all), "all of it");
    assert(crashed > CRASHES_MAX, `${crashed}`);
    assertEquals(ioq.size, 0);
  });

  Deno.test(`a module that does not load leaves the work to the queue's own thread [${name} library]`, async () => {
    using dir = new TempDir();
    const path = dir.file("file", "contents");
    await using ioq = await open(new URL(`file://${dir.path}/missing.ts`));
    const sizes = await Promise.all(
      Array.from({ length: 20 }, async () => (await ioq.stat(path)).size),
    );
    assertEquals(sizes, new Array(20).fill(8));
    assert(ioq.backend.reason?.includes("no Worker can be started"), ioq.backend.reason);
    assertEquals(ioq.completed.worker, 0);
  });
}

Deno.test("close() leaves to itself what nothing can interrupt", async () => {
  using dir = new TempDir();
  const fifo = dir.fifo("fifo");
  const script = `
    import { Ioq } from "${new URL("../../mod.ts", import.meta.url)}";
    const ioq = await Ioq.open({ backend: "worker", library: "${MISSING}" });
    // A thread that waits for the other end of a FIFO
    const waits = () => [...Deno.readDirSync("/proc/self/task")].some(({ name }) => {
      try {
        return /partner|fifo/.test(Deno.readTextFileSync("/proc/self/task/" + name + "/wchan"));
      } catch {
        return false; // it has ended
      }
    });
    // One call of the runtime's, which waits for a reader
    const waiting = ioq.copyFile("/etc/hostname", "${fifo}").catch(({ message }) => message);
    while (!waits()) {
      await ioq.sleep(5);
    }
    const closing = ioq.close({ timeoutMs: 100 }).catch(({ name }) => name);
    console.log(JSON.stringify([await closing, await waiting]));
  `;
  const { code, stdout, stderr } = await runDeno(script);
  assertEquals(code, 0, stderr);
  assertEquals(JSON.parse(stdout), [
    "TimedOut",
    `The Worker that ran it ended unexpectedly: copy '/etc/hostname' -> '${fifo}'`,
  ]);
});

Deno.test("lanes run from a module that comes by HTTP", async () => {
  const root = new URL("../../", import.meta.url);
  const requested: string[] = [];
  await using server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {} },
    async (request) => {
      const { pathname } = new URL(request.url);
      requested.push(pathname);
      const file = new URL(`.${pathname}`, root);
      try {
        return new Response(await Deno.readTextFile(file), {
          headers: { "content-type": "application/typescript" },
        });
      } catch {
        return new Response(null, { status: 404 });
      }
    },
  );
  using dir = new TempDir();
  const path = dir.file("file", "contents");
  const host = `127.0.0.1:${server.addr.port}`;
  const script = `
    import { Ioq } from "http://${host}/mod.ts";
    await using ioq = await Ioq.open({ backend: "worker", library: "${MISSING}" });
    const text = await ioq.readTextFile("${path}");
    const { kind, reason } = ioq.backend;
    console.log(JSON.stringify([text, kind, ioq.completed.worker, reason]));
  `;
  const { code, stdout, stderr } = await runDeno(script, {
    flags: [`--allow-import=${host}`, `--allow-read=${path}`],
    env: { DENO_DIR: dir.at("cache") },
    seconds: 60,
  });
  assertEquals(code, 0, stderr);
  const [text, kind, worker, reason] = JSON.parse(stdout);
  assertEquals([text, kind, worker], ["contents", "worker", 1], reason);
  assert(requested.includes("/src/backends/worker/lane.ts"), requested.join());
});

Deno.test("a terminated Worker takes its queue's Workers with it", async () => {
  using dir = new TempDir();
  const worker = dir.file(
    "worker.ts",
    `import { Ioq, op } from "${MOD}";
     const ioq = await Ioq.open({ backend: "worker" });
     await ioq.stat("/");
     postMessage("open");
     await ioq.run(op.sleep(1e6));`,
  );
  const script = `
    const count = () => [...Deno.readDirSync("/proc/self/task")].length;
    const before = count();
    for (let round = 0; round < 3; round++) {
      const workers = Array.from({ length: 3 }, () => new Worker(${
    JSON.stringify(`file://${worker}`)
  }, { type: "module" }));
      await Promise.all(workers.map((it) => new Promise((resolve) => it.onmessage = resolve)));
      workers.forEach((it) => it.terminate());
    }
    // They look once a second; threads that the runtime keeps for itself are a few
    for (let i = 0; i < 200 && count() > before + 12; i++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    console.log(before, count());
    Deno.exit(count() > before + 12 ? 1 : 0);
  `;
  const { code, stdout, stderr } = await runDeno(script);
  assertEquals(code, 0, stdout + stderr);
});
