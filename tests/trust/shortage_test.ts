// Copyright 2026 the ioq authors. MIT license.

/** Shortages and what hangs: descriptors, space, a pipe that nobody writes to. */

import { assert, assertEquals } from "@std/assert";
import { op } from "../../mod.ts";
import { forEachBackend } from "../backends.ts";
import { errorOf, LIBRARY, MOD, TempDir, text, within } from "../fixtures.ts";

/** Mount a small file system, if this process may. */
function mountSmall(path: string): string | undefined {
  Deno.mkdirSync(path);
  try {
    const { success, stderr } = new Deno.Command("mount", {
      args: ["-t", "tmpfs", "-o", "size=256k", "ioq-test", path],
    }).outputSync();
    return success ? undefined : text(stderr).trim();
  } catch (error) {
    return String(error);
  }
}

forEachBackend("a full disk is told as such, and what fitted is there", async ({ open, row }) => {
  using dir = new TempDir();
  const path = dir.at("small");
  const cannot = mountSmall(path);
  if (cannot !== undefined) {
    console.log(`skipped: ${cannot}`);
    return;
  }
  try {
    await using ioq = await open();
    const error = await errorOf(() => ioq.writeFile(`${path}/large`, new Uint8Array(1 << 20)));
    assertEquals((error as { code?: string }).code, "ENOSPC");
    await ioq.remove(`${path}/large`);

    const fd = await ioq.run(op.open(`${path}/file`, { read: true, write: true, create: true }));
    let written = 0;
    let code;
    while (code === undefined && written < 1 << 20) {
      try {
        written += await ioq.run(op.write(fd, new Uint8Array(30_000).fill(7), written));
      } catch (error) {
        code = (error as { code?: string }).code;
      }
    }
    assertEquals(code, "ENOSPC");
    const { size } = await ioq.stat(`${path}/file`);
    // Without the library the last one may have been written in part, and failed all the same
    assert(size === written || (row.library === false && size < written + 30_000));
    const back = await ioq.readFile(`${path}/file`);
    assert(back.length === size && back.every((byte) => byte === 7));
    // The queue goes on
    await ioq.truncate(`${path}/file`, 0);
    assertEquals(await ioq.run(op.write(fd, new Uint8Array(1000), 0)), 1000);
    await ioq.run(op.close(fd));
  } finally {
    new Deno.Command("umount", { args: [path] }).outputSync();
  }
});

forEachBackend(
  "when descriptors run out, opening says so and all else goes on",
  async ({ row }) => {
    using dir = new TempDir();
    const script = dir.file(
      "main.ts",
      `import { Ioq, op } from "${MOD}";
     const ioq = await Ioq.open(${JSON.stringify(row.options)});
     await ioq.stat("/");
     const fds = [];
     let failed = 0;
     for (let round = 0; round < 3; round++) {
       const results = await Promise.allSettled(
         Array.from({ length: 200 }, () => ioq.run(op.open("/dev/null"))),
       );
       for (const { status, value, reason } of results) {
         if (status === "fulfilled") fds.push(value);
         else if (reason.code === "EMFILE") failed++;
         else throw reason;
       }
       // What takes no descriptor still works
       if (!(await ioq.stat("/")).isDirectory || await ioq.nop() !== undefined) throw new Error("no");
       await Promise.all(fds.splice(0).map((fd) => ioq.run(op.close(fd))));
     }
     console.log(failed > 0, (await ioq.readDir("/")).length > 0);
     await ioq.close();`,
    );
    const child = new Deno.Command("sh", {
      args: [
        "-c",
        'ulimit -n 150; exec "$@"',
        "sh",
        Deno.execPath(),
        "run",
        "-A",
        "--no-lock",
        "--no-config",
        "--quiet",
        script,
      ],
      env: { IOQ_LIBRARY: LIBRARY },
      stdin: "null",
    });
    const { stdout, stderr } = await within(60_000, child.output(), "the process");
    assertEquals([text(stdout), text(stderr)], ["true true\n", ""]);
  },
  (row) => row.options.backend !== "worker",
);

forEachBackend("a read that nobody answers holds up nobody else, nor close()", async ({ open }) => {
  using dir = new TempDir();
  const fifo = await Deno.open(dir.fifo("fifo"), { read: true, write: true });
  const ioq = await open({ threads: 4 });
  const fd = await ioq.run(op.open(dir.at("fifo"), { read: true, write: true }));
  const hung = ioq.run(op.read(fd, 10)).then(() => "read", (error) => error.code);
  for (let i = 0; i < 50; i++) {
    const [info] = await within(
      20_000,
      Promise.all([ioq.stat(dir.path), ioq.readDir(dir.path)]),
      "others",
    );
    assertEquals(info.isDirectory, true);
  }
  const closed = ioq.run(op.close(fd));
  await within(20_000, ioq.close(), "close()");
  assertEquals(await hung, "EINTR");
  await closed.catch(() => {});
  fifo.close();
}, (row) => row.interruptible);

forEachBackend(
  "what the queue itself holds of descriptors is waited for",
  async ({ row }) => {
    using dir = new TempDir();
    const script = dir.file(
      "main.ts",
      `import { copyTree, Ioq, removeTree, walk } from "${MOD}";
     const [root] = Deno.args;
     for (let i = 0; i < 16; i++) {
       let path = root + "/from/" + i;
       for (let level = 0; level < 5; level++) {
         path += "/" + level;
         Deno.mkdirSync(path, { recursive: true });
         for (let j = 0; j < 4; j++) Deno.writeTextFileSync(path + "/f" + j, path);
       }
     }
     const ioq = await Ioq.open(${JSON.stringify(row.options)});
     await ioq.stat("/");
     // A few more than there are, for the runtime and the queue together
     const limit = [...Deno.readDirSync("/proc/self/fd")].length + 24;
     new Deno.Command("prlimit", { args: ["--pid", String(Deno.pid), "--nofile=" + limit] }).outputSync();
     const paths = [];
     for await (const { path, isFile } of walk(root + "/from", { ioq })) {
       if (isFile) paths.push(path);
     }
     const read = await Promise.all(paths.map((path) => ioq.readFile(path)));
     let files = 0;
     for await (const _ of ioq.readFiles(paths, { concurrency: 1000 })) files++;
     await copyTree(root + "/from", root + "/to", { ioq, concurrency: 400 });
     const copied = paths.filter((path) =>
       Deno.readTextFileSync(path.replace("/from/", "/to/")) === path.slice(0, path.lastIndexOf("/"))
     );
     await removeTree(root + "/to", { ioq });
     console.log(paths.length, read.length, files, copied.length, await ioq.exists(root + "/to"));
     await ioq.close();`,
    );
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "-A",
        "--no-lock",
        "--no-config",
        "--quiet",
        script,
        dir.path,
      ],
      env: { IOQ_LIBRARY: LIBRARY },
      stdin: "null",
    });
    const { stdout, stderr } = await within(60_000, child.output(), "the process");
    assertEquals([text(stdout), text(stderr)], ["320 320 320 320 false\n", ""]);
  },
  // Web Workers are 128 threads with descriptors of their own
  (row) => row.options.backend !== "worker",
);
