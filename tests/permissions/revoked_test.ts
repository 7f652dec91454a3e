// Copyright 2026 the ioq authors. MIT license.

/**
 * What takes many turns asks again what it may do, and what is done to a descriptor is done
 * to the file that was asked for.
 */

import { assertEquals } from "@std/assert";
import { LIBRARY, MOD, runDeno, TempDir } from "../fixtures.ts";

const BEGIN = `
  import { copyTree, Ioq, op, removeTree, walk } from "${MOD}";
  const [dir, backend] = Deno.args;
  await using ioq = await Ioq.open({ library: "${LIBRARY}", backend });
  const name = (error) => error.name;
`;
const BACKENDS = ["uring", "threads"];

/** What a script says that has some permissions, on each of the backends. */
async function assertSays(
  script: string,
  prepare: (dir: TempDir) => void,
  flags: (dir: TempDir) => string[],
  expected: string,
): Promise<void> {
  for (const backend of BACKENDS) {
    using dir = new TempDir();
    prepare(dir);
    const { stdout, stderr } = await runDeno(BEGIN + script, {
      flags: [`--allow-ffi=${LIBRARY}`, ...flags(dir)],
      args: [dir.path, backend],
    });
    assertEquals([stdout, stderr], [`${expected}\n`, ""], backend);
  }
}

/** Directories with a file each. */
function tree(dir: TempDir): void {
  for (let i = 0; i < 300; i++) {
    Deno.mkdirSync(dir.at(`tree/${i}`), { recursive: true });
    dir.file(`tree/${i}/file`);
  }
}
const whole = () => ["--allow-read", "--allow-write"];

Deno.test("a walk ends with its permission", () =>
  assertSays(
    `
    const entries = walk(dir, { ioq, concurrency: 1, sort: true });
    await entries.next();
    Deno.permissions.revokeSync({ name: "read" });
    let error;
    for (let i = 0; i < 1000 && error === undefined; i++) {
      await entries.next().catch((it) => error = it);
    }
    console.log(error.name);
  `,
    tree,
    whole,
    "NotCapable",
  ));

Deno.test("copying and removing end with the permission", () =>
  assertSays(
    `
    const end = (entries) => {
      if (entries === 20) Deno.permissions.revokeSync({ name: "write", path: dir });
    };
    const onProgress = ({ entries }) => end(entries);
    const copied = await copyTree(dir + "/tree", dir + "/copy", { ioq, concurrency: 1, onProgress })
      .then(() => "copied", name);
    const count = [...Deno.readDirSync(dir + "/copy")].length;
    console.log(copied, count < 300);
  `,
    tree,
    (dir) => ["--allow-read", `--allow-write=${dir.path}`],
    "NotCapable true",
  ));

Deno.test("a change by a descriptor is one of the file that was asked for", () =>
  assertSays(
    `
    const fd = await ioq.run(op.openDir(dir + "/granted"));
    const later = [
      op.close(fd), op.openDir(dir + "/denied"), op.chmod(fd, 0o711), op.utime(fd, 1, 1),
    ];
    await Promise.allSettled(later.map((request) => ioq.run(request)));
    const { mode, mtime } = Deno.statSync(dir + "/denied");
    console.log((mode & 0o777).toString(8), mtime.getTime() === 1000);
  `,
    (dir) => {
      Deno.mkdirSync(dir.at("granted"));
      Deno.mkdirSync(dir.at("denied"), { mode: 0o755 });
    },
    (dir) => ["--allow-read", `--allow-write=${dir.at("granted")}`],
    "755 false",
  ));

Deno.test("directories are opened as such, and files that were removed keep their times", () =>
  assertSays(
    `
    const open = (path) =>
      ioq.openFile(path, { directory: true }).then((file) => file.close().then(() => "ok"), name);
    const file = await ioq.openFile(dir + "/file", { read: true, write: true });
    await ioq.remove(dir + "/file");
    console.log(
      await open(dir), await open(dir + "/other"), await file.utime(1, 1).then(() => "ok", name),
    );
  `,
    (dir) => {
      dir.file("file");
      dir.file("other");
    },
    whole,
    "ok NotADirectory ok",
  ));

Deno.test("attributes of what a link led to take its own permission, as for Deno", () =>
  assertSays(
    `
    const linked = await ioq.openFile(dir + "/granted/link");
    const plain = await ioq.openFile(dir + "/granted/file");
    using theirs = Deno.openSync(dir + "/granted/link");
    const outcome = async (call) => {
      try {
        await call();
        return "ok";
      } catch (error) {
        return error.name;
      }
    };
    const said = [];
    for (const file of [linked, theirs, plain]) {
      said.push(await outcome(() => file.stat()), await outcome(() => file.statSync()));
    }
    said.push(await outcome(() => linked.seek(0, Deno.SeekMode.End)));
    console.log(said.join(" "));
  `,
    (dir) => {
      Deno.mkdirSync(dir.at("granted"));
      dir.file("granted/file");
      Deno.symlinkSync(dir.file("denied"), dir.at("granted/link"));
    },
    (dir) => [`--allow-read=${dir.at("granted")}`],
    "NotCapable NotCapable NotCapable NotCapable ok ok ok",
  ));
