// Copyright 2026 the ioq authors. MIT license.

/**
 * An option is what an object itself has. What somebody wrote to `Object.prototype`, as a
 * careless merge of JSON does, neither sets the options of every call nor stands for the
 * path that a permission is asked for.
 */

import { assert, assertEquals } from "@std/assert";
import { LIBRARY, MOD, runDeno, TempDir } from "../fixtures.ts";

const LOOP = new URL("../../src/loop/mod.ts", import.meta.url).href;

/** A node of `deno doc --json`, as far as it is looked at. */
interface DocNode {
  readonly name: string;
  readonly declarations: readonly {
    readonly kind: string;
    readonly def?: { readonly properties?: readonly { readonly name: string }[] };
  }[];
}

/** The names of all options that there are. */
async function optionNames(): Promise<string[]> {
  const names = new Set<string>();
  for (const module of [MOD, LOOP]) {
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["doc", "--json", module],
      stderr: "null",
    }).output();
    const { nodes } = JSON.parse(new TextDecoder().decode(stdout)) as {
      nodes: Record<string, { symbols: DocNode[] }>;
    };
    for (const { symbols } of Object.values(nodes)) {
      for (const { name, declarations } of symbols) {
        for (const { kind, def } of declarations) {
          if (kind === "interface" && /(?:Options|Limits)$/.test(name)) {
            def?.properties?.forEach((property) => names.add(property.name));
          }
        }
      }
    }
  }
  return [...names];
}

/** Calls everything without options, as it is and with all of them inherited. */
const SCRIPT = `
  import { CallbackLoop, EventLoop, Queue, SharedMutex } from "${LOOP}";
  import {
    copyTree, defaultQueue, expandGlob, glob, Ioq, op, readFile, removeTree, walk, writeFile,
  } from "${MOD}";
  const [dir, names, backend] = Deno.args;
  const brief = backend === "worker";
  const bytes = new Uint8Array(3);
  // Loaded late, by the runtime, which reads what its own options inherit
  async function calls(round) {
    const root = dir + "/" + round;
    const said = [];
    const say = async (name, call) => {
      let outcome;
      try {
        outcome = JSON.stringify(await call());
      } catch (error) {
        outcome = error.name + ": " + error.message;
      }
      said.push(name + " " + (outcome ?? "").replaceAll(root, "").replace(/descriptor \\d+/, "descriptor"));
    };
    const gather = async (values) => {
      const all = [];
      for await (const value of values) all.push(value);
      return all;
    };
    for (const options of brief ? [{}] : [undefined, {}]) {
      const ioq = await Ioq.open(options);
      const at = root + (options === undefined ? "" : "/again");
      await say("backend", () => [ioq.backend, ioq.depth]);
      await say("raw", () => ioq.submit(op.rawSqe(new Uint8Array(64))));
      await say("mkdir", () => ioq.mkdir(at, options));
      await say("mkdir again", () => ioq.mkdir(at, options));
      await say("mkdir below", () => ioq.mkdir(at + "/a/b", options));
      await say("mkdir recursive", () => ioq.mkdir(at + "/a/b", { recursive: true }));
      await say("writeFile", () => ioq.writeFile(at + "/a/file", bytes, options));
      await say("writeFile again", () => ioq.writeFile(at + "/a/file", bytes, options));
      await say("writeFile free", () => writeFile(at + "/free", bytes, options));
      await say("readFile", () => ioq.readFile(at + "/a/file", options));
      await say("readFile free", () => readFile(at + "/a/file", options));
      await say("readFiles", async () => (await gather(ioq.readFiles([at + "/a/file", at], options))).length);
      await say("symlink", () => ioq.symlink("a", at + "/link", options));
      await say("stat", async () => (await ioq.stat(at + "/link", options)).isDirectory);
      await say("lstat", async () => (await ioq.lstat(at + "/link", options)).isSymlink);
      await say("readDir", async () => (await ioq.readDir(at, options)).map((it) => it.name).sort());
      await say("setXattr", () => ioq.setXattr(at + "/a/file", "user.ioq", bytes, options));
      await say("setXattr again", () => ioq.setXattr(at + "/a/file", "user.ioq", bytes, options));
      await say("getXattr", () => ioq.getXattr(at + "/a/file", "user.ioq", options));
      await say("utime", () => ioq.utime(at + "/a/file", 1, 1, options));
      await say("chown", () => ioq.chown(at + "/a/file", null, null, options));
      await say("rename", () => ioq.rename(at + "/free", at + "/a/free", options));
      await say("link", () => ioq.link(at + "/a/free", at + "/free", options));
      await say("walk", async () => (await gather(walk(at, options))).map((it) => [it.path, it.info]).sort());
      await say("batches", async () => (await gather(walk.batches(at, options))).flat().map((it) => it.path).sort());
      await say("copyTree", () => copyTree(at, root + ".copy", options));
      await say("copied", async () => {
        const found = await gather(walk(root + ".copy", { stat: true }));
        return found.map((it) => [it.path, it.info.mode, it.info.mtime < 9e9 && it.isFile]).sort();
      });
      await say("copyTree again", () => copyTree(at, root + ".copy", options));
      await say("copyTree preserve", () => copyTree(at, root + ".copy2", { preserve: {} }));
      await say("remove", () => ioq.remove(root + ".copy", options));
      await say("removeTree", () => removeTree(root + ".copy", options));
      await say("removeTree", () => removeTree(root + ".copy2", { ioq }));
      // Of options that say nothing, Deno refuses the call
      await say("open", () => ioq.openFile(at + "/a/file", {}).then(() => "open"));
      await say("open new", async () => {
        const how = { write: true, createNew: true, ...options };
        await using file = await ioq.openFile(at + "/a/new", how);
        await file.write(bytes);
        return (await file.stat()).mode;
      });
      await say("writeFiles", async () => {
        const files = [{ path: at + "/a/new", data: "12" }, { path: at + "/a/newer", data: bytes }];
        const written = await ioq.writeFiles(files, options);
        return [written, (await ioq.stat(at + "/a/new")).size, (await ioq.stat(at + "/a/newer")).mode];
      });
      await say("atomic", () => ioq.writeFile(at + "/a/newer", bytes, { atomic: true, ...options }));
      await say("atomic new", () => ioq.writeFile(at + "/a/newest", bytes, { atomic: true, ...options }));
      await say("stream", () => ioq.writeFile(at + "/a/new", new Blob(["stream"]).stream(), options));
      await say("large", () => ioq.writeFile(at + "/a/large", new Uint8Array(5e6), options));
      await say("large", async () => (await ioq.readFile(at + "/a/large", options)).length);
      await say("removed", () => ioq.remove(at + "/a/large", options));
      await say("found", async () => {
        const found = (await ioq.readDir(at + "/a")).map((it) => it.name).sort();
        return [found, (await ioq.stat(at + "/a/newest")).mode, (await ioq.stat(at + "/a/new")).size];
      });
      await say("ranges", async () => {
        const ranges = [{ offset: 1, length: 2 }, { offset: 0, length: 1 }];
        const file = await ioq.openFile(at + "/a/new");
        const read = await file.readRanges(ranges, options);
        await file.close();
        return read.map((it) => it.length);
      });
      await say("glob", async () => (await gather(ioq.glob("**/new*", { cwd: at, ...options }))).map((it) => it.path).sort());
      await say("expandGlob", async () => (await gather(expandGlob("**/new*", { root: at, ioq, ...options }))).map((it) => it.path));
      await say("walks", async () => {
        const found = [];
        for (const how of [
          { stat: true }, { sort: true, stat: true }, { sort: "directory", followSymlinks: true }, { exts: ["x"] },
          { skip: [/new/] }, { match: [/new/, /fi(le|x)$/] }, { gitignore: true, ignoreFiles: ["file"] }, { maxDepth: 1 },
        ]) {
          found.push((await gather(walk(at, { ioq, ...how }))).map((it) => it.path).sort());
          found.push((await gather(glob("**", { cwd: at, ioq, stat: true }))).map((it) => it.path).sort());
        }
        return found;
      });
      await say("copyTree overwrite", () => copyTree(at, root + ".copy", { ioq, overwrite: true, onError: "skip" }));
      await say("removeTree concurrency", () => removeTree(root + ".copy", { ioq, concurrency: 2 }));
      await say("readFiles limited", async () => (await gather(ioq.readFiles([at + "/a/file"], { maxBytes: 9 }))).length);
      await say("ensureDir", () => ioq.ensureDir(at + "/ensured/dir", options));
      await say("ensureFile", () => ioq.ensureFile(at + "/ensured/dir/file", options));
      await say("exists", () => ioq.exists(at + "/ensured/dir/file", options));
      await say("ensured", async () => (await ioq.stat(at + "/ensured/dir/file")).mode);
      await say("move", () => ioq.move(at + "/ensured", at + "/moved", options));
      await say("move again", () => ioq.move(at + "/moved", at + "/a", options));
      await say("emptyDir", () => ioq.emptyDir(at + "/moved", options));
      await say("temporary", async () => {
        const path = await ioq.makeTempFile({ dir: at + "/moved", ...options });
        const { mode, size } = await ioq.stat(path);
        return [path.slice(0, at.length + 7).replace(at, ""), path.endsWith("x"), mode, size];
      });
      await say("open", async () => {
        await using file = await ioq.openFile(at + "/a/file", options && { read: true });
        const into = new Uint8Array(9);
        const read = [await file.read(into, options), await file.read(into, options)];
        await say("write", () => file.write(bytes, options));
        await say("lock", () => file.lock(true, options));
        await say("fstat", async () => (await file.stat(options)).size);
        await say("isTerminal", () => file.isTerminal());
        await say("sync", () => ioq.run(op.syncRange(file.fd, 0, 0, options)));
        await say("raw", () => file.setRaw(false, options));
        return read;
      });
      await say("run", () => ioq.run(op.nop(), options));
      await say("timeout", () => ioq.run(op.timeout(1, options), options));
      await say("submit", async () => {
        ioq.submit(op.nop(), 7, options);
        const [{ data, ok }] = await gather(ioq);
        return [data, ok];
      });
      await say("loop", async () => {
        const loop = await EventLoop.open(options);
        const said = [loop.backend.kind, loop.ioq.depth];
        said.push(await loop.async(async (io) => {
          await io.sleep(1, options);
          await using made = await io.createFile(at + "/made", options);
          await made.pwrite(bytes, 0, options);
          await using file = await io.openFile(at + "/made", options);
          const mutex = new SharedMutex();
          await mutex.lock(io, options);
          mutex.unlock(io);
          return await file.pread(new Uint8Array(9), null, options);
        }));
        said.push(await loop.select([loop.async(() => 1)], options));
        const tasks = loop.group(options);
        said.push(await tasks.concurrent(() => 2));
        await tasks.wait();
        await loop.close(options);
        return said;
      });
      await say("callbacks", async () => {
        const loop = await CallbackLoop.open(options);
        const kind = loop.ioq.backend.kind;
        await loop.close(options);
        return kind;
      });
      await say("remove recursive", () => ioq.remove(at + "/a", { recursive: true }));
      await say("remove", () => ioq.remove(at + "/free", options));
      await say("close", () => ioq.close(options));
    }
    return said;
  }
  const clean = await calls("r0");
  const values = [true, 0, 1, "x", AbortSignal.abort(new Error("inherited")), () => {
    throw new Error("inherited");
  }];
  for (const value of brief ? values.slice(1, 3) : values) {
    for (const name of names.split(",")) {
      Object.defineProperty(Object.prototype, name, { value, configurable: true, writable: true });
    }
    let said;
    try {
      said = await calls("r" + (values.indexOf(value) + 1));
    } finally {
      for (const name of names.split(",")) delete Object.prototype[name];
    }
    for (let i = 0; i < Math.max(said.length, clean.length); i++) {
      if (said[i] !== clean[i]) console.log(String(value), "|", clean[i], "|", said[i]);
    }
  }
  console.log(clean.length > 60 ? "compared" : clean);
  await (await defaultQueue()).close();
`;

Deno.test("options are not inherited", () => compare(["-A"]));

Deno.test("options are not inherited without FFI", async () => {
  await compare(["--allow-read", "--allow-write", "--allow-env", "--allow-sys", "--allow-run"]);
});

Deno.test("no option is looked for where it may be inherited", async () => {
  using dir = new TempDir();
  const names = await optionNames();
  // Of each name that is read the code's own line, if that is ours
  const watched = SCRIPT.replace(/const values = \[[\s\S]*$/, "") + `
    const { prototype } = Object;
    const found = new Set();
    for (const name of names.split(",")) {
      Object.defineProperty(prototype, name, {
        __proto__: null,
        configurable: true,
        get() {
          const [, , line] = new Error().stack.split("\\n");
          if (line?.includes(Deno.args[3])) found.add(name + line.replace(Deno.args[3], ""));
        },
        set(value) {
          const own = { __proto__: null, value, configurable: true, enumerable: true, writable: true };
          Object.defineProperty(this, name, own);
        },
      });
    }
    await calls("watched");
    for (const name of names.split(",")) delete prototype[name];
    console.log([...found].join("\\n"));
    await (await defaultQueue()).close();
  `;
  const { code, stdout, stderr } = await runDeno(watched, {
    flags: ["-A", "--no-check"],
    args: [dir.path, names.join(), "uring", new URL("./src/", MOD).href],
  });
  assertEquals([stdout.trimEnd(), stderr, code], ["", "", 0]);
});

/** Runs the script with permissions. */
async function compare(permissions: string[]): Promise<void> {
  using dir = new TempDir();
  const names = await optionNames();
  for (const name of ["library", "unsafeRawSqe", "overwrite", "signal", "onError", "recover"]) {
    assert(names.includes(name), `${name} of ${names}`);
  }
  const isWorker = permissions.length > 1;
  // Where that is inherited, the runtime starts no Workers of Node's
  const inherited = isWorker ? names.filter((name) => name !== "signal") : names;
  const { code, stdout, stderr } = await runDeno(SCRIPT, {
    flags: [...permissions, "--no-check"],
    args: [dir.path, inherited.join(), isWorker ? "worker" : "uring"],
  });
  assertEquals([stdout.trimEnd(), stderr, code], ["compared", "", 0]);
}

Deno.test("an inherited path stands for no permission", async () => {
  using dir = new TempDir();
  using other = new TempDir();
  const script = `
    import { Ioq } from "${MOD}";
    await using ioq = await Ioq.open({ library: "${LIBRARY}" });
    Object.prototype.path = Deno.args[0];
    for (const call of [() => ioq.readTextFile(Deno.args[1]), () => Deno.readTextFile(Deno.args[1])]) {
      console.log(await call().then(() => "read", (error) => error.name));
    }
  `;
  const flags = [`--allow-ffi=${LIBRARY}`, `--allow-read=${dir.path}`];
  const { stdout } = await runDeno(script, { flags, args: [dir.path, other.file("file")] });
  assertEquals(stdout, "NotCapable\nNotCapable\n");
});

Deno.test("entries of many files inherit nothing", async () => {
  using dir = new TempDir();
  const script = `
    import { glob, Ioq, walk } from "${MOD}";
    const [root] = Deno.args;
    const gather = async (values) => {
      const all = [];
      for await (const value of values) all.push(value);
      return all;
    };
    const read = async (ioq, entries) =>
      (await gather(ioq.readFiles(entries))).map(({ bytes }) => new TextDecoder().decode(bytes)).sort().join();
    const calls = {
      read: (ioq) => read(ioq, [{ path: root + "/public" }]),
      "read nothing": (ioq) => read(ioq, [{}]),
      walk: (ioq) => read(ioq, walk(root, { ioq })),
      glob: (ioq) => read(ioq, glob("**", { ioq, cwd: root })),
      "write nowhere": (ioq) => ioq.writeFiles([{ data: "lost" }]),
      "write nowhere, later": (ioq) => ioq.writeFiles([{ path: root + "/new", data: "" }, { data: "lost" }], { concurrency: 1 }),
      "write nothing": (ioq) => ioq.writeFiles([{ path: root + "/public" }]),
      "skip": (ioq) => ioq.writeFiles([{}], { onError: (_, path) => console.log(path) }),
      ranges: async (ioq) => {
        await using file = await ioq.openFile(root + "/public");
        return (await file.readRanges([{}])).length;
      },
    };
    const inherited = {
      rawPath: new TextEncoder().encode(root + "/secret"), path: root + "/secret", isDirectory: true, data: "lost",
      offset: 0, length: 1,
    };
    for (const options of JSON.parse(Deno.args[1])) {
      const ioq = await Ioq.open(options);
      const outcome = async (call) => {
        Deno.writeTextFileSync(root + "/secret", "SECRET");
        Deno.writeTextFileSync(root + "/public", "public");
        const said = await call(ioq).then(JSON.stringify, String);
        return [said, Deno.readTextFileSync(root + "/secret"), Deno.readTextFileSync(root + "/public")].join();
      };
      for (const [name, call] of Object.entries(calls)) {
        const clean = await outcome(call);
        for (const [key, value] of Object.entries(inherited)) {
          // Deno reads the length of what it iterates over
          if (key === "length" && name !== "ranges") continue;
          Object.defineProperty(Object.prototype, key, { value, configurable: true, writable: true });
          let said;
          try {
            said = await outcome(call);
          } finally {
            delete Object.prototype[key];
          }
          if (said !== clean) console.log(ioq.backend.kind, name, key, "|", clean, "|", said);
        }
      }
      await ioq.close();
    }
  `;
  const rows = [
    { backend: "uring" },
    { backend: "threads" },
    { backend: "worker" },
    { backend: "worker", library: "/nonexistent" },
  ];
  const args = [dir.path, JSON.stringify(rows)];
  const { code, stdout, stderr } = await runDeno(script, { flags: ["-A", "--no-check"], args });
  assertEquals([stdout.replaceAll("undefined\n", ""), stderr, code], ["", "", 0]);
});
