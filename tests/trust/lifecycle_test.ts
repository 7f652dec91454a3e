// Copyright 2026 the ioq authors. MIT license.

/**
 * Ends that nobody planned: Workers that are terminated, processes that are killed,
 * buffers that go away while the kernel is at work; and what is left after many
 * good ends.
 */

import { assert, assertEquals } from "@std/assert";
import { op } from "../../mod.ts";
import { forEachBackend } from "../backends.ts";
import { LIBRARY, MOD, runDeno, TempDir, until, within } from "../fixtures.ts";
import { times } from "./full.ts";

/** Counts what a process has, for scripts. */
const COUNT = `
  const matching = (dir, pattern, read) =>
    [...Deno.readDirSync(dir)].filter(({ name }) => {
      try {
        return pattern.test(read(dir + "/" + name));
      } catch {
        return false; // it is gone
      }
    }).length;
  const count = () => [
    matching("/proc/self/fd", /io_uring|eventfd|eventpoll|timerfd/, Deno.readLinkSync),
    matching("/proc/self/task", /^ioq-[0-9]/, (path) => Deno.readTextFileSync(path + "/comm")),
    Deno.readTextFileSync("/proc/self/maps").split("io_uring").length,
  ];
`;

/** What a Worker has in flight when it is terminated. */
const IN_FLIGHT: [what: string, script: string][] = [
  ["nothing", ""],
  ["what the lanes do", `for (let i = 0; i < 900; i++) ioq.submit(op.readDir("/usr/bin"));`],
  ["opens", `for (let i = 0; i < 900; i++) ioq.submit(op.open("/etc/passwd"));`],
  [
    "a timer, and a parked call",
    `ioq.sleep(1e6).catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 20));`,
  ],
];

forEachBackend("a Worker that is terminated leaves nothing behind", async ({ t, row }) => {
  for (const [what, script] of IN_FLIGHT) {
    await t.step(what, async () => {
      using dir = new TempDir();
      const worker = dir.file(
        "worker.ts",
        `import { Ioq, op } from "${MOD}";
         const ioq = await Ioq.open(${JSON.stringify(row.options)});
         await ioq.stat("/");
         ${script}
         self.postMessage(0);
         await new Promise((resolve) => setTimeout(resolve, 5));`,
      );
      const outcome = await runDeno(
        `${COUNT}
         const terminate = async (url) => {
           for (let i = 0; i < 4; i++) {
             const worker = new Worker(url, { type: "module" });
             await new Promise((resolve) => worker.onmessage = resolve);
             worker.terminate();
           }
         };
         const before = count();
         await terminate("file://${worker}");
         // Deno itself leaves up to two descriptors of a Worker behind, a queue has more
         const isBack = ([descriptors, lanes, rings]) =>
           descriptors <= before[0] + 2 * 4 && lanes === before[1] && rings === before[2];
         // The thread ends a little later
         for (let i = 0; i < 500 && !isBack(count()); i++) {
           await new Promise((resolve) => setTimeout(resolve, 10));
         }
         console.log(isBack(count()) || [before, count()].join(" "));`,
        { env: { IOQ_LIBRARY: LIBRARY } },
      );
      assertEquals([outcome.stdout, outcome.stderr, outcome.code], ["true\n", "", 0]);
    });
  }
}, (row) => row.options.backend !== "worker");

forEachBackend(
  "a process that is killed while it writes has written what it was told",
  async ({ row }) => {
    using dir = new TempDir();
    const file = dir.file("file");
    const script = dir.file(
      "main.ts",
      `import { Ioq, op } from "${MOD}";
     const ioq = await Ioq.open(${JSON.stringify(row.options)});
     const fd = await ioq.run(op.open("${file}", { write: true }));
     console.log("go");
     const bytes = new Uint8Array(16384);
     for (let i = 0;; i++) {
       while (ioq.poll() !== undefined);
       if (ioq.capacity === 0) { await ioq.ready(); continue; }
       const at = i % 256;
       bytes.fill(at + 1);
       ioq.submit(op.write(fd, bytes, at * bytes.length));
       // Whatever becomes of the buffer, its bytes were copied
       bytes.fill(0xee);
       if (at === 0) await new Promise((resolve) => setTimeout(resolve, 0));
     }`,
    );
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-lock", "--no-config", "--quiet", script],
      env: { IOQ_LIBRARY: LIBRARY },
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const reader = child.stdout.getReader();
    await within(20_000, reader.read(), "the start");
    await until(() => Deno.statSync(file).size > 1_000_000, "the first megabyte");
    child.kill("SIGKILL");
    const { signal } = await within(10_000, child.status, "the end of a killed process");
    await reader.cancel();
    assertEquals(signal, "SIGKILL");
    const written = Deno.readFileSync(file);
    for (let i = 0; i < written.length; i++) {
      const expected = Math.floor(i / 16384) + 1 & 0xff;
      if (written[i] !== expected && written[i] !== 0) {
        throw new Error(`byte ${i} is ${written[i]}, not ${expected}`);
      }
    }
  },
);

forEachBackend(
  "a buffer may be transferred, resized or forgotten while it is in flight",
  async ({ t, open }) => {
    using dir = new TempDir();
    const file = dir.file("file", "x".repeat(100_000));
    await using ioq = await open();
    const fd = await ioq.run(op.open(file, { read: true, write: true }));

    await t.step("that is written", async () => {
      for (const away of ["transferred", "resized"] as const) {
        for (let i = 0; i < 50; i++) {
          const buffer = new ArrayBuffer(8192, { maxByteLength: 16384 });
          const view = new Uint8Array(buffer).fill(65 + i % 26);
          const written = ioq.run(op.write(fd, view, i * 8192));
          // In the batch, or handed to the core already
          if (i % 2) {
            await Promise.resolve();
          }
          if (away === "resized") {
            buffer.resize(10);
          } else {
            structuredClone(buffer, { transfer: [buffer] });
          }
          assertEquals(await written, 8192);
          const back = await ioq.run(op.read(fd, 8192, i * 8192));
          assert(back.length === 8192 && back.every((byte) => byte === 65 + i % 26));
        }
      }
    });

    await t.step("that is read into", async () => {
      for (const away of ["transferred", "resized"] as const) {
        for (let i = 0; i < 50; i++) {
          const buffer = new ArrayBuffer(8192, { maxByteLength: 16384 });
          const read = ioq.run(op.readInto(fd, new Uint8Array(buffer), 0)).then(
            (count) => `read ${count}`,
            (error: Error) => error.constructor.name,
          );
          let clone: ArrayBuffer | undefined;
          if (away === "resized") {
            buffer.resize(10);
          } else {
            clone = structuredClone(buffer, { transfer: [buffer] });
          }
          assertEquals(await read, "TypeError");
          assert(clone === undefined || new Uint8Array(clone).every((byte) => byte === 0));
        }
      }
    });
    await ioq.run(op.close(fd));
  },
);

Deno.test("a buffer may be collected while it is in flight", async () => {
  using dir = new TempDir();
  const file = dir.file("file", "x".repeat(100_000));
  const outcome = await runDeno(
    `import { Ioq, op } from "${MOD}";
     for (const backend of ["uring", "threads"]) {
       await using ioq = await Ioq.open({ backend }).catch(() => Ioq.open({ backend: "threads" }));
       const fd = await ioq.run(op.open("${file}", { read: true, write: true }));
       for (let i = 0; i < 30; i++) {
         const all = [];
         for (let j = 0; j < 20; j++) {
           ioq.submit(op.write(fd, new Uint8Array(4096).fill(j), j * 4096));
           ioq.submit(op.readInto(fd, new Uint8Array(4096), j * 4096));
         }
         globalThis.gc();
         for await (const { ok, error } of ioq) if (!ok) throw error;
       }
       const back = await ioq.run(op.read(fd, 20 * 4096, 0));
       console.log(back.every((byte, i) => byte === i >> 12));
       await ioq.run(op.close(fd));
     }`,
    { flags: ["-A", "--v8-flags=--expose-gc"], env: { IOQ_LIBRARY: LIBRARY } },
  );
  assertEquals([outcome.stdout, outcome.stderr], ["true\ntrue\n", ""]);
});

// Of each Worker that ends Deno itself leaves two descriptors behind
forEachBackend("queues that were opened and closed leave nothing behind", async ({ row }) => {
  using dir = new TempDir();
  const outcome = await runDeno(
    `${COUNT}
     import { Ioq, op } from "${MOD}";
     const cycle = async () => {
       await using ioq = await Ioq.open({ ...${JSON.stringify(row.options)}, depth: 64 });
       ioq.submit(op.readDir(Deno.args[0]));
       await ioq.readFile(Deno.args[0] + "/file");
     };
     const rest = async (cycles, wanted) => {
       for (let i = 0; i < cycles; i++) await cycle();
       // A thread that was joined takes a moment to leave /proc, on a busy machine
       // a longer one; garbage to be collected
       for (let i = 0; i === 0 || (i < 50 && wanted && String(count()) !== wanted); i++) {
         await new Promise((resolve) => setTimeout(resolve, 100));
       }
       globalThis.gc();
       return [String(count()), Deno.memoryUsage().rss];
     };
     const [before, rss] = await rest(${times(50, 1000)});
     const [after, rssAfter] = await rest(${times(100, 10_000)}, before);
     const grown = Math.round((rssAfter - rss) / 2 ** 20);
     console.log(before === after || [before, after].join(" / "), grown < 40 || grown + " MiB");`,
    {
      args: [dir.file("file", "text").replace(/\/file$/, "")],
      flags: ["-A", "--v8-flags=--expose-gc"],
      env: { IOQ_LIBRARY: LIBRARY },
      seconds: 300,
    },
  );
  assertEquals([outcome.stdout, outcome.stderr, outcome.code], ["true true\n", "", 0]);
}, (row) => row.options.backend !== "worker");
