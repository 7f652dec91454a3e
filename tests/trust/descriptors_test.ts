// Copyright 2026 the ioq authors. MIT license.

/**
 * With few descriptors or none left, calls fail by themselves or go on, and the process lives:
 * the runtime would end it where it imports a module or starts a Worker.
 */

import { assert, assertEquals } from "@std/assert";
import { forEachBackend, type Row } from "../backends.ts";
import { LIBRARY, MOD, TempDir, text, within } from "../fixtures.ts";

/** Options of a row as the source of a program that has none of the tests' symbols. */
function optionsOf(row: Row): string {
  const lane = Object.getOwnPropertySymbols(row.options).length === 0 ? "" : "[LANE]: null, ";
  return `{ ${lane}...${JSON.stringify(row.options)} }`;
}

/** What programs begin with: `say()`, and `hog(left)`, which gives back what frees all. */
const PRELUDE = `
  // The runtime sets up its signals at some later moment, and ends the process if it cannot
  Deno.addSignalListener("SIGUSR2", () => {});
  const say = (text) => Deno.stdout.writeSync(new TextEncoder().encode(text + "\\n"));
  const hog = (left) => {
    const files = [];
    try {
      while (true) files.push(Deno.openSync("/dev/null"));
    } catch {
      for (let i = 0; i < left; i++) files.pop().close();
    }
    return () => files.forEach((file) => file.close());
  };`;

/** What a program says that may have a certain number of descriptors. */
async function run(limit: number, dir: TempDir, row: Row, source: string): Promise<string[]> {
  const script = dir.file(
    "main.ts",
    `import * as ioq from "${MOD}";
     import { LANE } from "${new URL("src/backends/open_backend.ts", MOD)}";
     const { Ioq, op } = ioq;
     const options = ${optionsOf(row)};
     const root = ${JSON.stringify(dir.path)};
     ${PRELUDE}
     ${source}
     Deno.exit();`,
  );
  const child = new Deno.Command("sh", {
    args: [
      "-c",
      `ulimit -n ${limit}; exec "$@"`,
      "sh",
      ...[Deno.execPath(), "run", "-A", "--no-lock", "--no-config", "--quiet", script],
    ],
    env: { IOQ_LIBRARY: LIBRARY, NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
    stdin: "null",
  });
  const { stdout, stderr } = await within(120_000, child.output(), "the process");
  assertEquals(text(stderr), "");
  return text(stdout).split("\n").filter((line) => line !== "");
}

forEachBackend("what is used first without a descriptor left fails alone", async ({ row }) => {
  using dir = new TempDir();
  dir.file("file", "text");
  Deno.mkdirSync(dir.at("tree"));
  const said = await run(
    200,
    dir,
    row,
    `const q = await Ioq.open(options);
     await q.stat(root);
     await q.readFile(root + "/file");
     const calls = {
       exists: () => q.exists(root),
       openFile: () => q.openFile(root + "/file"),
       walk: async () => { for await (const _ of q.walk(root)); },
       glob: async () => { for await (const _ of q.glob(root + "/**")); },
       ignored: async () => { for await (const _ of q.walk(root, { gitignore: true })); },
       ensureDir: () => q.ensureDir(root),
       copyTree: () => q.copyTree(root + "/tree", root + "/copy"),
       emptyDir: () => q.emptyDir(root + "/tree"),
       removeTree: () => q.removeTree(root + "/tree"),
       move: () => q.move(root + "/none", root + "/nowhere"),
       temporary: () => q.makeTempDir({ dir: root }),
       atomic: () => q.writeTextFile(root + "/atomic", "text", { atomic: true }),
       writeFiles: () => q.writeFiles([{ path: root + "/written", data: "text" }]),
       opening: () => Ioq.open(options),
     };
     const failed = async () => {
       const names = [];
       for (const [name, call] of Object.entries(calls)) {
         await call().catch((error) => names.push([name, error.code].join()));
       }
       return names.join(" ");
     };
     const free = hog(0);
     const during = await failed();
     free();
     say(during);
     say(await failed());`,
  );
  assertEquals(said[1], `${row.library ? "" : "copyTree,ENOTSUP "}move,ENOENT`);
  // What is done without any descriptor may have been done
  for (const failure of said[0]!.split(" ")) {
    assert(/,(EMFILE|ENOENT)$|^copyTree/.test(failure), failure);
  }
  assert(said[0]!.includes("walk,EMFILE") && said[0]!.includes("opening,EMFILE"), said[0]);
});

forEachBackend(
  "an atomic write tells that descriptors ran out, or has written",
  async ({ row }) => {
    using dir = new TempDir();
    dir.file("old", "old");
    const said = await run(
      200,
      dir,
      row,
      `const q = await Ioq.open(options);
     const stream = () => new Blob(["new"]).stream();
     await q.writeFile(root + "/warm", stream(), { atomic: true });
     const unlike = [];
     for (let left = 0; left < 9; left++) {
       for (const name of ["old", "none" + left]) {
         const free = hog(left);
         const code = await q.writeFile(root + "/" + name, stream(), { atomic: true })
           .then(() => undefined, (error) => error.code);
         free();
         const contents = await q.readTextFile(root + "/" + name).catch((error) => error.code);
         const before = name === "old" ? "old" : "ENOENT";
         if (contents !== (code === undefined ? "new" : before) || (code ?? "EMFILE") !== "EMFILE") {
           unlike.push([left, name, code, contents].join());
         }
         await q.writeTextFile(root + "/old", "old");
       }
     }
     const names = (await q.readDir(root)).map(({ name }) => name);
     say([...unlike, ...names.filter((name) => name.startsWith(".ioq"))].join(" ") + ".");`,
    );
    assertEquals(said, ["."]);
  },
);

forEachBackend("no Worker is started without descriptors for it", async ({ row }) => {
  using dir = new TempDir();
  dir.file("file", "text");
  const task = dir.file("task.ts", "export default () => 42;");
  const said = await run(
    200,
    dir,
    row,
    `import { EventLoop } from "${new URL("src/loop/mod.ts", MOD)}";
     const q = await Ioq.open(options);
     await using loop = new EventLoop(q);
     // Workers start one after the other while there are fewer and fewer descriptors
     for (const left of [20, 12, 8, 6, 4, 2, 0]) {
       const free = hog(left);
       const settled = await Promise.all(
         Array.from({ length: 100 }, () => q.stat(root).then(() => "ok", ({ code }) => code)),
       );
       const opened = await q.readTextFile(root + "/file").catch(({ code }) => code);
       const started = ["concurrent", "offload"].map(async (kind) => {
         try {
           return await loop[kind](${JSON.stringify(`file://${task}`)});
         } catch ({ code }) {
           return code;
         }
       });
       const codes = (await Promise.all(started)).join();
       free();
       say([left, ...new Set(settled), left < 4 || opened, codes].join(" "));
     }
     say(await loop.offload(${JSON.stringify(`file://${task}`)}));
     await loop.close();
     await q.close();`,
  );
  assertEquals(said, [
    ...[20, 12, 8, 6, 4].map((left) => `${left} ok text EMFILE,EMFILE`),
    ...[2, 0].map((left) => `${left} ok true EMFILE,EMFILE`),
    "42",
  ]);
});

forEachBackend("FIFOs that nobody writes to leave descriptors to others", async ({ row }) => {
  using dir = new TempDir();
  dir.file("file", "text");
  dir.fifo("fifo");
  const said = await run(
    600,
    dir,
    row,
    `const q = await Ioq.open({ ...options, depth: 2048 });
     await (await q.openFile(root + "/file")).close();
     const controller = new AbortController();
     const { signal } = controller;
     const outcomes = [];
     const read = () => q.readTextFile(root + "/fifo", { signal });
     const open = () => q.openFile(root + "/fifo", { signal }).then((file) => file.close());
     const calls = Array.from({ length: 900 }, (_, i) =>
       (i % 2 ? read : open)().then(
         () => outcomes.push("ok"),
         (error) => outcomes.push(error.code ?? error.name),
       ));
     // Until as many are open as there may be
     const held = () => [...Deno.readDirSync("/proc/self/fd")].length;
     for (let before = -1; held() > before || before < 150;) {
       before = held();
       await new Promise((resolve) => setTimeout(resolve, 50));
     }
     say(await q.readTextFile(root + "/file"));
     say(outcomes.length);
     // Whoever writes to it finds readers
     const writer = Deno.openSync(root + "/fifo", { write: true });
     writer.writeSync(new Uint8Array(1));
     while (!outcomes.includes("ok")) await new Promise((resolve) => setTimeout(resolve, 1));
     writer.close();
     controller.abort();
     await Promise.all(calls);
     say([...new Set(outcomes)].sort().join());
     await q.close();
     say(held() < 150);`,
  );
  assertEquals(said.slice(0, 2), ["text", "0"]);
  assert(["20,ok", "AbortError,ok", "ABORT_ERR,ok"].includes(said[2]!), said[2]);
  assertEquals(said[3], "true");
});
