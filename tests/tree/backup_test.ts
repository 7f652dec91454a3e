// Copyright 2026 the ioq authors. MIT license.

/** `copyTree()` as one would back up with it, and onto disks that are full. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { copyTree, type CopyTreeOptions, removeTree } from "../../mod.ts";
import { forEachBackend } from "../backends.ts";
import { bytes, LIBRARY, looksOf, MOD, runDeno, TempDir, text } from "../fixtures.ts";
import { makeHostile } from "../walk/hostile_tree.ts";

/** What a command prints; nothing if there is no such command. */
function run(command: string, ...args: string[]): string | undefined {
  try {
    const { stdout, success } = new Deno.Command(command, { args, stderr: "null" }).outputSync();
    return success ? text(stdout) : undefined;
  } catch {
    return undefined;
  }
}

const hasRsync = run("rsync", "--version") !== undefined;
const isRoot = Deno.uid() === 0;

/** What rsync would still change. */
function differences(from: string, to: string): string[] {
  const printed = run(
    "rsync",
    "-aHAXS",
    "--checksum",
    "--dry-run",
    "--itemize-changes",
    "--delete",
    `${from}/`,
    `${to}/`,
  );
  return printed!.trimEnd().split("\n").filter((line) => line !== "");
}

/** Add what backups lose. */
function makePrecious(dir: TempDir): void {
  const sparse = Deno.openSync(dir.at("sparse"), { write: true, create: true });
  for (const at of [0, 3_000_000, 9_000_000]) {
    sparse.seekSync(at, Deno.SeekMode.Start);
    sparse.writeSync(bytes("data"));
  }
  sparse.truncateSync(20_000_000);
  sparse.close();
  dir.file("program", "#!/bin/sh");
  Deno.mkdirSync(dir.at("shared"));
  if (isRoot) {
    Deno.chownSync(dir.at("program"), 1234, 2345);
    Deno.chownSync(dir.at("shared"), 1234, 2345);
    run("chown", "-h", "1234:2345", dir.at("broken"));
  }
  Deno.chmodSync(dir.at("program"), 0o4755);
  Deno.chmodSync(dir.at("shared"), 0o2770);
  run("setfattr", "-n", "user.note", "-v", "text", dir.at("program"));
  run("setfattr", "-n", "user.note", "-v", "text", dir.at("shared"));
  run("touch", "-h", "-d", "2001-02-03 04:05:06.789", dir.at("broken"), dir.at("program"));
  Deno.removeSync(dir.at("fifo"));
  Deno.removeSync(dir.at("socket"));
  Deno.removeSync(dir.at("deep"), { recursive: true });
}

if (hasRsync) {
  forEachBackend("copyTree() with preserve leaves rsync nothing to do", async ({ open }) => {
    using dir = new TempDir();
    using target = new TempDir();
    await using ioq = await open();
    await makeHostile(ioq, dir);
    makePrecious(dir);
    const copy = target.at("copy");
    await copyTree(dir.path, copy, { ioq, preserve: true });
    assertEquals(differences(dir.path, copy), []);
    const [from, to] = [Deno.statSync(dir.at("sparse")), Deno.statSync(`${copy}/sparse`)];
    assertEquals([to.size, to.blocks], [from.size, from.blocks]);
    await copyTree(dir.path, copy, { ioq, preserve: true, overwrite: true });
    assertEquals(differences(dir.path, copy), []);
  }, ({ name }) => name === "uring" || name === "threads");
}

forEachBackend("copyTree() drops set-ID bits unless the owner is kept", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  Deno.mkdirSync(dir.at("tree"));
  dir.file("tree/program");
  if (isRoot) {
    Deno.chownSync(dir.at("tree/program"), 1234, 2345);
  }
  Deno.chmodSync(dir.at("tree/program"), 0o6755);
  const cases: [CopyTreeOptions, number][] = [[{}, 0o755], [{ preserve: { owner: true } }, 0o6755]];
  for (const [options, mode] of cases) {
    const copy = dir.at(`copy ${mode}`);
    await copyTree(dir.at("tree"), copy, { ioq, ...options });
    assertEquals(Deno.statSync(`${copy}/program`).mode! & 0o7777, mode);
  }
}, ({ library }) => library);

forEachBackend("copyTree() copies all else before it tells of a socket", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  Deno.mkdirSync(dir.at("tree"));
  dir.fifo("tree/a fifo");
  dir.file("tree/file");
  dir.file("tree/z");
  const looks = await looksOf(() => copyTree(dir.at("tree"), dir.at("copy"), { ioq }));
  assertEquals(looks.class, "NotSupported");
  assert(looks.message.includes(dir.at("tree/a fifo")), looks.message);
  assertEquals([...Deno.readDirSync(dir.at("copy"))].map(({ name }) => name).sort(), ["file", "z"]);
}, ({ library }) => library);

forEachBackend("copyTree() is not led elsewhere by a slash", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  Deno.mkdirSync(dir.at("tree"));
  dir.file("tree/file");
  Deno.mkdirSync(dir.at("target"));
  Deno.symlinkSync("target", dir.at("link"));
  for (const overwrite of [false, true]) {
    await assertRejects(() => copyTree(dir.at("tree"), `${dir.at("link")}/`, { ioq, overwrite }));
    assertEquals([...Deno.readDirSync(dir.at("target"))], []);
  }
}, ({ library }) => library);

Deno.test("copyTree() and removeTree() touch nothing where something is denied", async () => {
  using dir = new TempDir();
  Deno.mkdirSync(dir.at("tree/sub"), { recursive: true });
  dir.file("tree/sub/secret", "secret");
  dir.file("tree/sub/other");
  const script = `
    import { copyTree, Ioq, removeTree } from "${MOD}";
    const [from, to] = Deno.args;
    await using ioq = await Ioq.open();
    const name = (error) => error.name;
    console.log(
      await copyTree(from, to, { ioq }).catch(name),
      await removeTree(from, { ioq }).catch(name),
      await ioq.remove(from, { recursive: true }).catch(name),
      await Deno.remove(from, { recursive: true }).catch(name),
    );
  `;
  const flags = [
    "--allow-ffi",
    "--allow-read",
    "--allow-write",
    `--deny-read=${dir.at("tree/sub/secret")}`,
    `--deny-write=${dir.at("tree/sub/secret")}`,
  ];
  const { stdout, stderr } = await runDeno(script, {
    flags,
    args: [dir.at("tree"), dir.at("copy")],
  });
  assertEquals([stderr, stdout.trim()], ["", "NotCapable NotCapable NotCapable NotCapable"]);
  assertEquals(Deno.readTextFileSync(dir.at("tree/sub/secret")), "secret");
  assert(Deno.statSync(dir.at("tree/sub/other")).isFile);
  assertEquals([...Deno.readDirSync(dir.path)].map(({ name }) => name), ["tree"]);
});

Deno.test("copyTree() that passes over errors copies what is not denied", async (t) => {
  using dir = new TempDir();
  Deno.mkdirSync(dir.at("tree/sub/shut"), { recursive: true });
  Deno.mkdirSync(dir.at("tree/zoo"));
  for (const name of ["sub/secret", "sub/other", "sub/shut/file", "zoo/file", "z"]) {
    dir.file(`tree/${name}`, name);
  }
  Deno.symlinkSync("sub/secret", dir.at("tree/link"));
  const script = `
    import { copyTree, Ioq } from "${MOD}";
    const [from, to, backend] = Deno.args;
    await using ioq = await Ioq.open({ backend });
    const told = [];
    const onError = (error, path) => told.push(error.name + " " + path.slice(from.length));
    await copyTree(from, to, { ioq, onError });
    await copyTree(from, to + "-too", { ioq, onError: "skip" });
    console.log(told.sort().join(", "));
  `;
  const shut = ["secret", "shut"].map((name) => dir.at(`tree/sub/${name}`)).join();
  const target = ["copy", "copy-too"].map((name) => dir.at(`${name}/zoo`)).join();
  for (const backend of ["uring", "threads", "worker"]) {
    await t.step(backend, async () => {
      const { stdout, stderr } = await runDeno(script, {
        flags: [
          ...["--allow-ffi", "--allow-read", "--allow-write"],
          ...[`--deny-read=${shut}`, `--deny-write=${target}`],
        ],
        args: [dir.at("tree"), dir.at("copy"), backend],
      });
      assertEquals(
        [stderr, stdout.trim()],
        ["", "NotCapable /sub/secret, NotCapable /sub/shut, NotCapable /zoo"],
      );
      for (const copy of ["copy", "copy-too"].map((name) => dir.at(name))) {
        const names = [...Deno.readDirSync(copy), ...Deno.readDirSync(`${copy}/sub`)];
        assertEquals(names.map(({ name }) => name).sort(), ["link", "other", "sub", "z"]);
        assertEquals(Deno.readTextFileSync(`${copy}/sub/other`), "sub/other");
        Deno.removeSync(copy, { recursive: true });
      }
    });
  }
});

Deno.test({
  name: "copyTree() sees by paths that it would copy into itself, and opens nothing above",
  ignore: !isRoot,
  async fn() {
    using dir = new TempDir();
    using cache = new TempDir();
    Deno.mkdirSync(dir.at("tree/a/b"), { recursive: true });
    Deno.symlinkSync("tree/a/b", dir.at("link"));
    for (const path of [dir.path, cache.path, dir.at("tree"), dir.at("tree/a/b")]) {
      Deno.chownSync(path, 65_534, 65_534);
    }
    // It may be searched by others, and not be read
    Deno.chmodSync(dir.at("tree/a"), 0o711);
    const script = `
      import { copyTree, Ioq } from "${MOD}";
      const [from, to, library] = Deno.args;
      await using ioq = await Ioq.open({ backend: "threads", library });
      console.log((await copyTree(from, to, { ioq }).catch((error) => error)).message);
    `;
    for (const target of ["tree/a/b/copy", "link/copy", "tree/a/b/../b/copy"]) {
      const { stdout, stderr } = await new Deno.Command("setpriv", {
        args: [
          ...["--reuid=65534", "--regid=65534", "--clear-groups", Deno.execPath(), "run", "-A"],
          ...["--no-lock", `data:text/javascript,${encodeURIComponent(script)}`],
          ...[dir.at("tree"), dir.at(target), LIBRARY],
        ],
        env: { DENO_DIR: cache.path, NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
        cwd: cache.path,
      }).output();
      const said = new TextDecoder().decode(stdout).trim();
      assertEquals(
        said,
        `Cannot copy '${dir.at("tree")}' into itself`,
        said + new TextDecoder().decode(stderr),
      );
    }
    assertEquals([...Deno.readDirSync(dir.at("tree/a/b"))], []);
  },
});

Deno.test({
  name: "copies onto a full disk claim nothing that is not there",
  ignore: !isRoot || run("unshare", "-m", "true") === undefined,
  fn: async () => {
    using dir = new TempDir();
    Deno.mkdirSync(dir.at("tree"));
    Deno.mkdirSync(dir.at("full"));
    Deno.writeFileSync(dir.at("tree/large"), new Uint8Array(3 << 20).fill(7));
    const script = dir.file(
      "main.ts",
      `
      import { copyTree, Ioq } from "${MOD}";
      const [from, to] = Deno.args;
      for (const backend of ["auto", "threads", "worker"] as const) {
        await using ioq = await Ioq.open({ backend });
        const told = [];
        const code = (error) => error.code ?? error.message.match(/os error \\d+/)?.[0];
        console.log(
          await copyTree(from, to + "/tree", {
            ioq,
            onProgress: ({ path }) => told.push(path),
          }).catch(code),
          told.length,
          await ioq.copyFile(from + "/large", to + "/file").catch(code),
          await Deno.copyFile(from + "/large", to + "/deno").catch(code),
        );
        for (const { name } of Deno.readDirSync(to)) Deno.removeSync(to + "/" + name, { recursive: true });
      }`,
    );
    const { stdout, stderr } = await new Deno.Command("unshare", {
      args: [
        "-m",
        "sh",
        "-c",
        `mount -t tmpfs -o size=1m none "$1" && exec "$2" run -A --quiet --no-check --no-config --no-lock "$3" "$4" "$1"`,
        "sh",
        dir.at("full"),
        Deno.execPath(),
        script,
        dir.at("tree"),
      ],
      env: { NO_COLOR: "1" },
    }).output();
    assertEquals(
      [text(stderr), text(stdout).trim().split("\n")],
      ["", Array(3).fill("ENOSPC 0 ENOSPC ENOSPC")],
    );
  },
});

Deno.test("copyTree() refuses what it does not know to preserve", async () => {
  using dir = new TempDir();
  Deno.mkdirSync(dir.at("tree"));
  for (const preserve of [{ time: true }, { times: 1 }, "all"]) {
    const options = { preserve } as unknown as CopyTreeOptions;
    await assertRejects(() => copyTree(dir.at("tree"), dir.at("copy"), options), TypeError);
  }
  await removeTree(dir.at("tree"), { onError: undefined });
  const { defaultQueue } = await import("../../mod.ts");
  await (await defaultQueue()).close();
});

/** A tree of what is seldom copied well. */
function makeRare(dir: TempDir): void {
  Deno.mkdirSync(dir.at("tree/sub"), { recursive: true });
  Deno.mkdirSync(dir.at("tree/setgid"));
  Deno.symlinkSync("nowhere", dir.at("tree/link"));
  // Two names of one symbolic link, in two directories
  run("ln", "-P", dir.at("tree/link"), dir.at("tree/sub/twin"));
  dir.file("tree/file", "text");
  Deno.linkSync(dir.at("tree/file"), dir.at("tree/sub/file"));
  dir.file("tree/sub/program", "#!/bin/sh");
  Deno.chmodSync(dir.at("tree/sub/program"), 0o2755);
  Deno.chmodSync(dir.at("tree/setgid"), 0o2770);
  run("touch", "-h", "-d", "2001-02-03 04:05:06.789", dir.at("tree/link"), dir.at("tree/setgid"));
  if (isRoot) {
    run("setfattr", "-h", "-n", "trusted.note", "-v", "text", dir.at("tree/link"));
    run("chown", "-h", "1234:2345", dir.at("tree/link"));
  }
}

if (hasRsync) {
  forEachBackend("copyTree() keeps links of links, and what links have", async ({ open }) => {
    using dir = new TempDir();
    await using ioq = await open();
    makeRare(dir);
    await copyTree(dir.at("tree"), dir.at("copy"), { ioq, preserve: true });
    assertEquals(differences(dir.at("tree"), dir.at("copy")), []);
    const [one, other] = ["link", "sub/twin"].map((name) => Deno.lstatSync(dir.at(`copy/${name}`)));
    assertEquals([one!.ino, one!.nlink], [other!.ino, 2]);
    if (isRoot) {
      const note = run(
        "getfattr",
        "-h",
        "-n",
        "trusted.note",
        "--only-values",
        dir.at("copy/link"),
      );
      assertEquals(
        note,
        run("getfattr", "-h", "-n", "trusted.note", "--only-values", dir.at("tree/link")),
      );
    }
  }, ({ library }) => library);
}

if (hasRsync) {
  forEachBackend("copyTree() preserves a chain of directories", async ({ open }) => {
    using dir = new TempDir();
    await using ioq = await open();
    // More levels than one request goes down
    const levels = 300;
    Deno.mkdirSync(dir.at("tree"));
    let path = dir.at("tree");
    for (let level = 0; level < levels; level++) {
      path += `/${level % 10}`;
      Deno.mkdirSync(path);
      if (level % 50 === 0) {
        Deno.writeTextFileSync(`${path}/file`, "text");
      }
    }
    for (; path !== dir.at("tree"); path = path.slice(0, path.lastIndexOf("/"))) {
      Deno.chmodSync(path, 0o751);
      Deno.utimeSync(path, 1000, path.length);
    }
    let told = 0;
    const onProgress = () => {
      told++;
    };
    await copyTree(dir.at("tree"), dir.at("copy"), { ioq, preserve: true });
    assertEquals(differences(dir.at("tree"), dir.at("copy")), []);
    await copyTree(dir.at("tree"), dir.at("told"), { ioq, preserve: true, onProgress });
    assertEquals(differences(dir.at("tree"), dir.at("told")), []);
    assertEquals(told, levels + levels / 50 + 1);
    told = 0;
    await removeTree(dir.at("told"), { ioq, onProgress });
    assertEquals(told, levels + levels / 50 + 1);
    await removeTree(dir.at("copy"), { ioq });
    assertEquals([...Deno.readDirSync(dir.path)].map(({ name }) => name), ["tree"]);
  }, ({ name }) => name === "uring" || name === "threads");
}

Deno.test({
  name: "copyTree() as somebody who owns none of it",
  ignore: !isRoot || !hasRsync || run("setpriv", "--version") === undefined,
  fn: async () => {
    using dir = new TempDir();
    Deno.chmodSync(dir.path, 0o777);
    makeRare(dir);
    Deno.mkdirSync(dir.at("tree/closed"));
    dir.file("tree/closed/file");
    Deno.chmodSync(dir.at("tree/closed"), 0o700);
    dir.file("tree/secret");
    Deno.chmodSync(dir.at("tree/secret"), 0o600);
    // The group of some is one that the user is in
    run("chgrp", "-R", "2345", dir.at("tree/sub"), dir.at("tree/setgid"));
    Deno.chmodSync(dir.at("tree/sub/program"), 0o6755);
    const script = dir.file(
      "main.js",
      `
      import { copyTree, Ioq } from "./ioq.js";
      const [from, to] = Deno.args;
      for (const backend of ["auto", "threads"]) {
        await using ioq = await Ioq.open({ backend });
        const failed = [];
        const onError = (error, path) => failed.push([error.name, path.slice(from.length)].join(" "));
        await copyTree(from, to + backend, { ioq, preserve: true, onError });
        console.log(failed.sort().join("; "));
      }`,
    );
    // What may not be read there is bundled here
    const bundled = await new Deno.Command(Deno.execPath(), {
      args: [
        "bundle",
        "--quiet",
        "-o",
        dir.at("ioq.js"),
        new URL("../../mod.ts", import.meta.url).pathname,
      ],
    }).output();
    assert(bundled.success, text(bundled.stderr));
    Deno.copyFileSync(Deno.execPath(), dir.at("deno"));
    Deno.copyFileSync(LIBRARY, dir.at("libioq.so"));
    for (const name of ["deno", "libioq.so", "ioq.js", "main.js"]) {
      Deno.chmodSync(dir.at(name), 0o755);
    }
    const { stdout, stderr } = await new Deno.Command("setpriv", {
      args: [
        "--reuid=1234",
        "--regid=1234",
        "--groups=2345",
        dir.at("deno"),
        "run",
        "-A",
        "--quiet",
        "--no-config",
        "--no-lock",
        script,
        dir.at("tree"),
        dir.at("copy-"),
      ],
      env: {
        NO_COLOR: "1",
        IOQ_LIBRARY: dir.at("libioq.so"),
        HOME: dir.path,
        DENO_DIR: dir.at("cache"),
      },
    }).output();
    const expected = "PermissionDenied /closed; PermissionDenied /secret";
    assertEquals([text(stderr), text(stdout).trim().split("\n")], ["", [expected, expected]]);
    for (const backend of ["auto", "threads"]) {
      const copy = dir.at(`copy-${backend}`);
      const { mode, uid, gid } = Deno.statSync(`${copy}/sub/program`);
      // The group is kept, and so is its bit; the owner is not
      assertEquals([mode! & 0o7777, uid, gid], [0o2755, 1234, 2345]);
      assertEquals(Deno.statSync(`${copy}/setgid`).mode! & 0o7777, 0o2770);
      assertEquals(Deno.lstatSync(`${copy}/link`).ino, Deno.lstatSync(`${copy}/sub/twin`).ino);
      assertEquals([...Deno.readDirSync(copy)].map(({ name }) => name).sort(), [
        "file",
        "link",
        "setgid",
        "sub",
      ]);
    }
  },
});
