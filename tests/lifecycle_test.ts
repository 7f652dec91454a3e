// Copyright 2026 the ioq authors. MIT license.

import { assertEquals } from "@std/assert";
import { Ioq } from "../mod.ts";
import { LIBRARY, MOD, runDeno, TempDir, text } from "./fixtures.ts";

/** Backends that can be had here. */
const BACKENDS: ("uring" | "threads" | "worker")[] = ["threads", "worker"];
try {
  await (await Ioq.open({ backend: "uring" })).close();
  BACKENDS.push("uring");
} catch (error) {
  if (!(error instanceof Deno.errors.NotSupported)) {
    throw error;
  }
}

/** How a process must end, whatever it left undone. */
const PROCESSES: [what: string, script: string, code: number, stdout: string][] = [
  ["an idle queue that was never used", `console.log("end");`, 0, "end\n"],
  [
    "an idle queue that was used",
    `await Promise.all([ioq.stat("/"), ioq.readDir("/"), ioq.nop()]);
     console.log("end");`,
    0,
    "end\n",
  ],
  [
    "completions that nobody consumes",
    `for (let i = 0; i < 100; i++) ioq.submit(op.stat("/"));
     await new Promise((resolve) => setTimeout(resolve, 30));
     console.log("end");`,
    0,
    "end\n",
  ],
  [
    "requests in flight, which complete first",
    `for (let i = 0; i < 100; i++) ioq.readDir("/usr/bin").then(() => i === 99 && console.log("done"));
     console.log("end");`,
    0,
    "end\ndone\n",
  ],
  [
    "someone who waits for an iteration that has ended",
    `ioq.submit(op.nop());
     for await (const { ok } of ioq) console.log(ok);`,
    0,
    "true\n",
  ],
  [
    "an uncaught error",
    `ioq.submit(op.stat("/"));
     await ioq.stat("/");
     console.log("thrown");
     throw new Error("uncaught");`,
    1,
    "thrown\n",
  ],
  [
    "an uncaught error while a call is parked",
    `const fd = await ioq.run(op.open(Deno.args[0], { read: true, write: true }));
     ioq.submit(op.read(fd, 1));
     setTimeout(() => { console.log("thrown"); throw new Error("uncaught"); }, 30);`,
    1,
    "thrown\n",
  ],
  [
    "Deno.exit() with requests in flight",
    `for (let i = 0; i < 1000; i++) ioq.submit(i % 2 ? op.stat("/") : op.readDir("/usr/bin"));
     await ioq.stat("/");
     console.log("exit");
     Deno.exit(7);`,
    7,
    "exit\n",
  ],
  [
    "Deno.exit() while a call is parked",
    `const fd = await ioq.run(op.open(Deno.args[0], { read: true, write: true }));
     ioq.submit(op.read(fd, 1));
     setTimeout(() => { console.log("exit"); Deno.exit(7); }, 30);`,
    7,
    "exit\n",
  ],
  [
    "await using",
    `{
       await using other = await Ioq.open({ backend: Deno.args[1] });
       other.submit(op.readDir("/usr"));
     }
     await ioq.close();
     console.log("end");`,
    0,
    "end\n",
  ],
];

for (const [what, script, code, stdout] of PROCESSES) {
  Deno.test(`a process ends by itself: ${what}`, async (t) => {
    for (const backend of BACKENDS) {
      await t.step(backend, async () => {
        using dir = new TempDir();
        const outcome = await runDeno(
          `import { Ioq, op } from "${MOD}";
           const ioq = await Ioq.open({ backend: Deno.args[1] });
           ${script}`,
          { args: [dir.fifo("fifo"), backend], env: { IOQ_LIBRARY: LIBRARY } },
        );
        assertEquals(outcome.stdout, stdout, outcome.stderr);
        assertEquals(outcome.code, code, outcome.stderr);
        assertEquals(outcome.stderr.includes("uncaught"), code === 1, outcome.stderr);
      });
    }
  });
}

/** What a Worker does with a queue before it is terminated. */
async function terminate(backend: string, script: string): Promise<void> {
  using dir = new TempDir();
  const worker = dir.file(
    "worker.ts",
    `import { Ioq, op } from "${MOD}";
     const ioq = await Ioq.open({ backend: "${backend}" });
     const { isDirectory } = await ioq.stat("/");
     for (let i = 0; i < 500; i++) ioq.submit(op.readDir("/usr/bin"));
     ${script}
     self.postMessage(isDirectory);`,
  );
  const outcome = await runDeno(
    `import { Ioq } from "${MOD}";
     await using ioq = await Ioq.open({ backend: "${backend}" });
     for (let i = 0; i < 3; i++) {
       const worker = new Worker("file://${worker}", { type: "module" });
       const said = await new Promise((resolve) => worker.onmessage = ({ data }) => resolve(data));
       worker.terminate();
       console.log(said, (await ioq.stat("/")).isDirectory);
     }`,
    { env: { IOQ_LIBRARY: LIBRARY } },
  );
  assertEquals(outcome.stdout, "true true\n".repeat(3), outcome.stderr);
  assertEquals([outcome.code, outcome.stderr], [0, ""]);
}

Deno.test("a Worker has queues of its own", async (t) => {
  for (const backend of BACKENDS) {
    await t.step(backend, () => terminate(backend, "await ioq.close();"));
  }
});

Deno.test({
  name: "a Worker may be terminated while its queue is open",
  async fn(t) {
    for (const backend of BACKENDS) {
      await t.step(backend, () => terminate(backend, ""));
    }
  },
});

for (const backend of BACKENDS) {
  Deno.test(`any number of queues may wait [${backend}]`, async () => {
    // The runtime has 32 threads for all that may block, its own file calls included
    const { code, stdout, stderr } = await runDeno(
      `import { Ioq } from "${MOD}";
       const queues = await Promise.all(
         Array.from({ length: 40 }, () => Ioq.open({ backend: "${backend}", depth: 8, threads: 1 })),
       );
       const received = queues.map((ioq) => ioq.receive());
       await new Promise((resolve) => setTimeout(resolve, 50));
       console.log((await Deno.readTextFile("/etc/passwd")).length > 0);
       await using other = await Ioq.open({ backend: "${backend}", threads: 1 });
       await Promise.all(queues.map((ioq, i) => other.post(ioq, i)));
       console.log((await Promise.all(received)).join() === queues.map((_, i) => i).join());
       await Promise.all(queues.map((ioq) => ioq.close()));`,
      { env: { IOQ_LIBRARY: LIBRARY } },
    );
    assertEquals([stdout, stderr, code], ["true\ntrue\n", "", 0]);
  });
}

Deno.test("with hardly a descriptor left, a queue says why it cannot be opened", async () => {
  using dir = new TempDir();
  const script = dir.file(
    "main.ts",
    `import { Ioq } from "${MOD}";
     await (await Ioq.open()).close();
     const files = [];
     try {
       for (;;) files.push(Deno.openSync("/dev/null"));
     } catch {
       files.pop().close();
       files.pop().close();
     }
     const error = await Ioq.open().catch((error) => error);
     for (const file of files) file.close();
     console.log(error.name, error.code);
     await using ioq = await Ioq.open();
     console.log((await ioq.stat("/")).isDirectory);`,
  );
  const flags = ["run", "-A", "--no-lock", "--no-config", "--quiet", script];
  const { stdout, stderr, code } = await new Deno.Command("sh", {
    args: ["-c", 'ulimit -n 120; exec "$@"', "sh", Deno.execPath(), ...flags],
    env: { IOQ_LIBRARY: LIBRARY, NO_COLOR: "1" },
    stdin: "null",
  }).output();
  assertEquals([text(stdout), text(stderr), code], ["NotSupported EMFILE\ntrue\n", "", 0]);
});
