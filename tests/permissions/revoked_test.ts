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

Deno.test("times of a file whose name is gone are set by whoever may write to where it was", async () => {
  const script = `
    import { Ioq } from "${MOD}";
    const [dir] = Deno.args;
    const outcome = async (call) => {
      try {
        await call();
        return "ok";
      } catch (error) {
        return error.name;
      }
    };
    for (const library of ["${LIBRARY}", "/nonexistent"]) {
      for (const backend of ["uring", "threads", "worker"]) {
        if (library === "/nonexistent" && backend !== "worker") continue;
        await using ioq = await Ioq.open({ library, backend });
        const said = [];
        for (const folder of ["/both", "/linked", "/read"]) {
          const path = dir + folder + "/file";
          const options = { read: true, write: folder === "/both" };
          await using file = await ioq.openFile(path, options);
          using denos = Deno.openSync(path, options);
          console.log("remove", Deno.realPathSync(path));
          Deno.stdin.readSync(new Uint8Array(1));
          const calls = [() => denos.utimeSync(1, 1), () => file.utime(1, 1)];
          // Elsewhere a Worker has it
          if (library === "${LIBRARY}") calls.push(() => file.utimeSync(1, 1));
          for (const call of calls) said.push(await outcome(call));
          said.push((await file.stat()).mtime.getTime() === 1000);
        }
        console.log("said", ...said);
      }
    }
  `;
  using dir = new TempDir();
  for (const name of ["both", "linked", "read"]) {
    Deno.mkdirSync(dir.at(name));
  }
  Deno.symlinkSync("../read/file", dir.at("linked/file"));
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--quiet", "--no-prompt", "--no-lock", `--allow-ffi=${LIBRARY}`],
      `--allow-read=${dir.path},${new URL(".", MOD).pathname}`,
      `--allow-write=${dir.at("both")},${dir.at("linked")}`,
      `data:text/javascript,${encodeURIComponent(script)}`,
      dir.path,
    ],
    env: { NO_COLOR: "1" },
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const renew = () => {
    dir.file("both/file");
    dir.file("read/file");
  };
  renew();
  const writer = child.stdin.getWriter();
  const said: string[] = [];
  let rest = "";
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    for (const line of lines) {
      if (line.startsWith("remove ")) {
        Deno.removeSync(line.slice(7));
        await writer.write(new Uint8Array(1));
      } else {
        said.push(line);
        renew();
      }
      // What the link leads to is to be there for the next one
      dir.file("read/file");
    }
  }
  await writer.close();
  await child.status;
  const refused = "NotCapable NotCapable NotCapable false";
  const expected = `said ok ok ok true ${refused} ${refused}`;
  assertEquals(said, [
    ...Array(3).fill(expected),
    expected.replaceAll("ok ok ok", "ok ok").replaceAll(refused, "NotCapable NotCapable false"),
  ]);
});

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
