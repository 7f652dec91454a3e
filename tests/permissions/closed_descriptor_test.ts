// Copyright 2026 the ioq authors. MIT license.

/** The number of a closed descriptor may be another file: nothing that was for the old one gets there. */

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { op } from "../../mod.ts";
import { forEachBackend } from "../backends.ts";
import { bytes, LIBRARY, MOD, runDeno, TempDir, text } from "../fixtures.ts";

/** Begins scripts, and Workers of theirs. */
const BEGIN = `
  import { Ioq, op } from "${MOD}";
  const LIBRARIES = { missing: "/nonexistent/libioq.so" };
  const open = (row) => Ioq.open({
    backend: row === "missing" ? "worker" : row,
    library: LIBRARIES[row] ?? "${LIBRARY}",
  });
  const outcome = async (run) => {
    try {
      const value = await run();
      return value instanceof Uint8Array ? new TextDecoder().decode(value) : String(value);
    } catch (error) {
      return error.name;
    }
  };
`;

/** Rows that need no ring, and the one of rings if there is one. */
const ROWS = ["auto", "threads", "worker"];

/** The lines that a script prints. */
async function lines(script: string, flags: string[], args: string[]): Promise<string[]> {
  const { stdout, stderr } = await runDeno(BEGIN + script, { flags, args });
  assertEquals(stderr, "");
  return stdout.trimEnd().split("\n");
}

forEachBackend("a file's descriptor is closed by the file alone", async ({ open }) => {
  using dir = new TempDir();
  const path = dir.file("file", "mine");
  await using ioq = await open();
  await using other = await open();
  const file = await ioq.openFile(path, { read: true, write: true });
  for (const request of [op.close(file.fd), op.closeDir(file.fd)]) {
    await assertRejects(() => ioq.run(request), TypeError, "a file has it open");
    assertThrows(() => ioq.submit(request), TypeError, "a file has it open");
    await assertRejects(() => other.run(request), TypeError, "another queue");
  }
  using stranger = Deno.openSync(dir.file("stranger", "theirs"), { read: true, write: true });
  const writer = file.writable.getWriter();
  await writer.write(bytes("ours"));
  await file.writeAt(bytes("O"), 0);
  await writer.close();
  assertEquals([Deno.readTextFileSync(path), stranger.statSync().size], ["Ours", 6]);
  assertEquals(Deno.readTextFileSync(`${dir.path}/stranger`), "theirs");
});

forEachBackend("the number of a closed file is anyone's to open and to close", async ({ open }) => {
  using dir = new TempDir();
  const path = dir.file("file", "text");
  await using ioq = await open();
  for (let i = 0; i < 20; i++) {
    const file = await ioq.openFile(path);
    const closing = file.close();
    const fd = await ioq.run(op.open(path));
    assertEquals(text(await ioq.run(op.read(fd, 4, 0))), "text");
    await ioq.run(op.close(fd));
    await closing;
  }
});

Deno.test("where not all is granted, a close ends what its number stands for", async () => {
  using dir = new TempDir();
  const path = dir.file("file", "text");
  const script = `
    for (const row of Deno.args.slice(1)) {
      await using ioq = await open(row);
      const fd = await ioq.run(op.open(Deno.args[0], { read: true, write: true }));
      const before = [1, 2, 3].map(() => outcome(() => ioq.run(op.read(fd, 4, 0))));
      const closing = outcome(() => ioq.run(op.close(fd)));
      const after = [
        op.read(fd, 4, 0), op.write(fd, new Uint8Array(1), 0), op.fstat(fd), op.truncate(fd, 0),
        op.close(fd), op.closeDir(fd),
      ].map((request) => outcome(() => ioq.run(request)));
      console.log(...await Promise.all([...before, closing, ...after]));
      const copied = await ioq.run(op.open(Deno.args[0], { read: true, write: true }));
      // Each request keeps both of its descriptors
      const copy = outcome(() => ioq.run(op.copyRange(copied, copied, 1, 0, 4)));
      const ends = ioq.submit(op.close(copied));
      for await (const { id, ok } of ioq) console.log(id === ends, ok);
      await copy;
      console.log(await outcome(() => ioq.run(op.close(0))), await outcome(() => ioq.run(op.close(2))));
    }
  `;
  const rows = [...ROWS, "missing"];
  const flags = [
    `--allow-ffi=${LIBRARY}`,
    `--allow-read=${dir.path},${new URL("../..", import.meta.url).pathname}`,
    `--allow-write=${dir.path}`,
  ];
  const expected = [
    ["text text text undefined", ...Array(6).fill("NotCapable")].join(" "),
    "true true",
    "NotCapable NotCapable",
  ];
  assertEquals(await lines(script, flags, [path, ...rows]), rows.flatMap(() => expected));
});

Deno.test("where not all is granted, a close waits for what goes by its number", async () => {
  using dir = new TempDir();
  const fifo = `${dir.path}/fifo`;
  await new Deno.Command("mkfifo", { args: [fifo] }).output();
  const script = `
    for (const row of Deno.args.slice(1)) {
      const ioq = await open(row);
      const [one, two] = await Promise.all([1, 2].map(() =>
        ioq.run(op.open(Deno.args[0], { read: true, write: true }))
      ));
      const order = [];
      const reading = ioq.run(op.read(one, 1)).then(() => order.push("read"));
      const closing = ioq.run(op.close(one)).then(() => order.push("closed"));
      // Both would have gone by now
      for (let i = 0; i < 5; i++) await ioq.stat(Deno.args[0]);
      order.push("written");
      await ioq.run(op.write(two, new Uint8Array(1)));
      await Promise.all([reading, closing]);
      console.log(...order);
      // A queue that closes ends both
      const read = outcome(() => ioq.run(op.read(two, 1)));
      const closed = outcome(() => ioq.run(op.close(two)));
      await ioq.close();
      console.log(await read, await closed);
    }
  `;
  const flags = [
    `--allow-ffi=${LIBRARY}`,
    `--allow-read=${dir.path},${new URL("../..", import.meta.url).pathname}`,
    `--allow-write=${dir.path}`,
  ];
  const expected = ["written read closed", "Interrupted undefined"];
  assertEquals(await lines(script, flags, [fifo, ...ROWS]), ROWS.flatMap(() => expected));
});

Deno.test("no thread closes a descriptor of another one's with no more permissions", async () => {
  using dir = new TempDir();
  using secrets = new TempDir();
  const file = dir.file("file", "mine");
  const secret = secrets.file("secret", "theirs");
  const worker = dir.file(
    "worker.ts",
    `${BEGIN}
    let ioq, fd, file;
    self.onmessage = async ({ data: { row, path, close } }) => {
      ioq ??= await open(row);
      if (close !== undefined) {
        const said = [];
        for (const fd of close) {
          said.push(await outcome(() => ioq.run(op.close(fd))));
        }
        await ioq.close();
        self.postMessage(said);
        return;
      }
      if (path !== undefined) {
        fd = await ioq.run(op.open(path, { read: true, write: true }));
        file = await ioq.openFile(path, { read: true, write: true });
        const sub = new Worker(import.meta.url, { type: "module" });
        const said = new Promise((resolve) => sub.onmessage = ({ data }) => resolve(data));
        sub.postMessage({ row, close: [fd, file.fd] });
        const all = await said;
        all.push(await outcome(() => ioq.run(op.close(file.fd))));
        sub.terminate();
        self.postMessage(all.join(" "));
        return;
      }
      const into = new Uint8Array(6);
      self.postMessage([
        await outcome(() => ioq.run(op.read(fd, 6, 0))),
        await outcome(async () => into.subarray(0, await file.readAt(into, 0))),
        await outcome(async () => into.subarray(0, await file.read(into))),
      ].join(" "));
    };`,
  );
  const script = `
    const [path, secret, module, ...rows] = Deno.args;
    const root = ${JSON.stringify(new URL("../..", import.meta.url).pathname)};
    for (const row of rows) {
      const worker = new Worker("file://" + module, {
        type: "module",
        deno: { permissions: { ffi: ["${LIBRARY}"], read: [${
    JSON.stringify(dir.path)
  }, root], write: [${JSON.stringify(dir.path)}] } },
      });
      const ask = (data) => new Promise((resolve) => {
        worker.onmessage = (event) => resolve(event.data);
        worker.postMessage(data);
      });
      console.log(await ask({ row, path }));
      const opened = Array.from({ length: 10 }, () => Deno.openSync(secret));
      console.log(await ask({}));
      opened.forEach((file) => file.close());
      worker.terminate();
    }
  `;
  const rows = [...ROWS, "missing"];
  const flags = ["-A", "--unstable-worker-options"];
  const said = await lines(script, flags, [file, secret, worker, ...rows]);
  const expected = ["NotCapable NotCapable TypeError", "mine mine mine"];
  assertEquals(said, rows.flatMap(() => expected));
});
