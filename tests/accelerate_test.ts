// Copyright 2026 the ioq authors. MIT license.

/**
 * Programs that were not written for it, with `@ioq/ioq/accelerate` before them and
 * without: what they print is the same.
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { type Outcome, runDeno, TempDir, text } from "./fixtures.ts";

const ACCELERATE = new URL("../src/accelerate/mod.ts", import.meta.url).href;
const ROOT = new URL("../", import.meta.url).pathname;
/** How to have a program run accelerated. */
const PRELOAD = ["--preload", ACCELERATE];

/** Has calls go through the queue from here on. */
const CROWD = `
  const list = () => Array.fromAsync(Deno.readDir("/")).catch(() => []);
  for (let i = 0; i < 4; i++) await Promise.all(Array.from({ length: 1050 }, list));
`;

/** Run a program plain and accelerated, and compare what it prints. */
async function compare(
  script: string,
  options: { flags?: string[]; env?: Record<string, string> } = {},
): Promise<Outcome> {
  const { flags = ["-A"], env = {} } = options;
  const plain = await runDeno(script, { flags, env });
  const accelerated = await runDeno(script, { flags: [...flags, ...PRELOAD], env });
  assertEquals(accelerated, plain);
  return plain;
}

/** What programs have in common that tell what calls come to. */
const TELL = (root: string) => `
  const root = ${JSON.stringify(root)};
  const show = (value) => {
    if (value instanceof Error) {
      const { name, message, code, errno, syscall, path } = value;
      return [value.constructor.name, name, message, code, errno, syscall, path];
    }
    if (ArrayBuffer.isView(value)) {
      return [value.constructor.name, ...value];
    }
    if (typeof value?.isFile === "boolean") {
      const { isFile, isDirectory, isSymlink, size, mode, uid, nlink, birthtime } = value;
      return [Object.keys(value), isFile, isDirectory, isSymlink, size, mode, uid, nlink, typeof birthtime];
    }
    return value;
  };
  const told = [];
  const tell = async (what, call) => {
    let came;
    try {
      came = await call();
    } catch (error) {
      came = error;
    }
    told.push(JSON.stringify([what, show(came)]).replaceAll(root, "ROOT"));
  };
  const odd = [undefined, null, 3, "", "a\\0b", root + "/nope", root + "/file/x", new URL("http://x/"), new URL("file://" + root + "/file")];
`;

/** Calls of Deno's functions. */
const DENO_CALLS = `
  await tell("mkdir", () => Deno.mkdir(root + "/dir", { mode: 0o1750 }));
  await tell("mkdir again", () => Deno.mkdir(root + "/dir"));
  await tell("mkdir all", () => Deno.mkdir(root + "/dir/a/b", { recursive: true }));
  await tell("writeFile", () => Deno.writeFile(root + "/file", new Uint8Array([1, 2, 3]), { mode: 0o640 }));
  await tell("append", () => Deno.writeTextFile(root + "/file", "é", { append: true }));
  await tell("createNew", () => Deno.writeTextFile(root + "/file", "x", { createNew: true }));
  await tell("no create", () => Deno.writeTextFile(root + "/new", "x", { create: false }));
  await tell("stream", () => Deno.writeFile(root + "/streamed", new Blob(["stream"]).stream()));
  await tell("readFile", () => Deno.readFile(root + "/file"));
  await tell("readTextFile", () => Deno.readTextFile(new URL("file://" + root + "/file")));
  await tell("aborted", () => Deno.readFile(root + "/file", { signal: AbortSignal.abort("why") }));
  await tell("aborted write", () => Deno.writeFile(root + "/file", new Uint8Array(), { signal: AbortSignal.abort() }));
  for (const path of odd) {
    await tell("stat", () => Deno.stat(path));
    await tell("lstat", () => Deno.lstat(path));
    await tell("readFile", () => Deno.readFile(path));
    await tell("readTextFile", () => Deno.readTextFile(path));
    await tell("open", () => Deno.open(path).then((file) => file.close()));
    await tell("realPath", () => Deno.realPath(path));
    await tell("readLink", () => Deno.readLink(path));
    await tell("remove", () => Deno.remove(path ?? root + "/nope"));
    await tell("readDir", () => Array.fromAsync(Deno.readDir(path)));
  }
  await Deno.writeTextFile(root + "/file", "text");
  for (const length of [-5, 3.7, NaN, null, 3n, "x"]) {
    await tell("truncate", () => Deno.truncate(root + "/file", length));
    await tell("chmod", () => Deno.chmod(root + "/dir", length));
  }
  await tell("chmod", () => Deno.chmod(root + "/dir", 0o755));
  await tell("utime", () => Deno.utime(root + "/file", 1, new Date(2000)));
  await tell("utime", async () => (await Deno.stat(root + "/file")).mtime.getTime());
  await tell("chown", () => Deno.chown(root + "/file", null, null));
  await tell("link", () => Deno.link(root + "/file", root + "/hard"));
  await tell("symlink", () => Deno.symlink("file", root + "/soft"));
  await tell("symlink type", () => Deno.symlink("file", root + "/soft2", { type: "file" }));
  await tell("readLink", () => Deno.readLink(root + "/soft"));
  await tell("realPath", () => Deno.realPath(root + "/dir/../soft"));
  await tell("rename", () => Deno.rename(root + "/hard", root + "/harder"));
  await tell("copyFile", () => Deno.copyFile(root + "/file", root + "/copy"));
  await tell("copyFile", () => Deno.copyFile(root + "/dir", root + "/copy"));
  await tell("readDir", async () => (await Array.fromAsync(Deno.readDir(root))).sort((a, b) => a.name < b.name ? -1 : 1));
  await tell("readDir break", async () => { for await (const entry of Deno.readDir(root)) return typeof entry.name; });
  await tell("remove", () => Deno.remove(root + "/dir"));
  await tell("remove all", () => Deno.remove(root + "/dir", { recursive: true }));
  await tell("file", async () => {
    const file = await Deno.open(root + "/file", { read: true, write: true });
    const is = file instanceof Deno.FsFile;
    const seen = [is, await file.write(new Uint8Array([65, 66])), file.writeSync(new Uint8Array([67]))];
    seen.push(await file.seek(0, Deno.SeekMode.Start), await file.read(new Uint8Array(10)), file.readSync(new Uint8Array(1)));
    seen.push((await file.stat()).size, await file.truncate(1.5) ?? null, file.isTerminal());
    file.close();
    try { file.close(); } catch (error) { seen.push(String(error)); }
    return seen;
  });
  await tell("create", async () => {
    const file = await Deno.create(root + "/created");
    const stream = file.writable.getWriter();
    await stream.write(new Uint8Array([1]));
    await stream.close();
    return [...Deno.readFileSync(root + "/created")];
  });
  await tell("stream", async () => await new Response((await Deno.open(root + "/file")).readable).text());
  await tell("empty options", () => Deno.open(root + "/file", {}));
  await tell("odd options", () => Deno.open(root + "/file", 3));
  await tell("instance", () => [{} instanceof Deno.FsFile, null instanceof Deno.FsFile]);
  await tell("names", () => [Deno.stat.name, Deno.stat.length, Deno.writeFile.name, Deno.FsFile.name]);
  console.log(told.join("\\n"));
`;

for (const backend of ["uring", "threads"]) {
  Deno.test(`Deno's functions do what they did [${backend}]`, async () => {
    using dir = new TempDir();
    using other = new TempDir();
    const env = { IOQ_BACKEND: backend };
    // Each in a directory of its own, which neither names
    const plain = await runDeno(`${CROWD}${TELL(dir.path)}${DENO_CALLS}`, { env });
    const accelerated = await runDeno(`${CROWD}${TELL(other.path)}${DENO_CALLS}`, {
      env: { ...env, IOQ_ACCELERATE: "verbose" },
      flags: ["-A", ...PRELOAD],
    });
    assertEquals(accelerated.stdout.split("\n"), plain.stdout.split("\n"));
    assert(plain.stdout.split("\n").length > 120);
    assertEquals(plain.stderr, "");
    assertMatch(accelerated.stderr, new RegExp(`through a queue from now on \\(${backend}\\)`));
  });
}

/** Calls of Node's functions, from all places that programs have them from. */
const NODE_CALLS = `
  import fs from "node:fs";
  import * as promises from "node:fs/promises";
  import { readFile, readdir, writeFile } from "node:fs/promises";
  import { readFile as readFileCallback } from "fs";
  import { createRequire } from "node:module";
  const required = createRequire(import.meta.url)("fs");
  const call = (fn, ...args) => new Promise((resolve, reject) =>
    fn(...args, (error, ...values) => error ? reject(error) : resolve(values)));
  const sorted = (list) => list.map((entry) => typeof entry === "string" ? entry : [entry.name, entry.parentPath, entry.isFile(), entry.isDirectory(), entry.isSymbolicLink(), entry.isFIFO?.(), entry.constructor.name]).sort();
  Deno.mkdirSync(root + "/tree/dir", { recursive: true });
  Deno.writeTextFileSync(root + "/tree/file", "\\ufefftext é");
  Deno.symlinkSync("file", root + "/tree/link");
  for (const read of [readFile, promises.readFile, fs.promises.readFile, required.promises.readFile]) {
    for (const options of [undefined, null, "utf8", "utf-8", "latin1", "hex", { encoding: "utf8" }, { flag: "r" }, { flag: "a+" }, "nonsense", 3]) {
      await tell("readFile " + JSON.stringify(options), () => read(root + "/tree/file", options));
    }
    for (const path of [...odd, root + "/tree", new TextEncoder().encode(root + "/tree/file")]) await tell("readFile", () => read(path));
    await tell("aborted", () => read(root + "/tree/file", { signal: AbortSignal.abort() }));
  }
  for (const read of [fs.readFile, readFileCallback, required.readFile]) {
    await tell("callback", () => call(read, root + "/tree/file"));
    await tell("callback", () => call(read, root + "/tree/file", "utf8"));
    await tell("callback", () => call(read, root + "/nope", "utf8"));
    await tell("callback", () => call(read, root + "/tree"));
    await tell("no callback", () => read(root + "/tree/file"));
  }
  for (const list of [readdir, fs.promises.readdir]) {
    for (const options of [undefined, { withFileTypes: true }, "utf8", { recursive: true }, { recursive: true, withFileTypes: true }]) {
      await tell("readdir", async () => sorted(await list(root + "/tree", options)));
    }
    await tell("buffers", async () => (await list(root + "/tree", "buffer")).length);
    for (const path of odd) await tell("readdir", () => list(path));
    await tell("readdir", () => list(root + "/tree/file"));
  }
  await tell("readdir", async () => sorted((await call(fs.readdir, root + "/tree"))[0]));
  await tell("readdir", async () => sorted((await call(fs.readdir, root + "/tree", { withFileTypes: true }))[0]));
  await tell("readdir", () => call(fs.readdir, root + "/nope"));
  for (const data of ["text é", new Uint8Array([1, 2]), "", 3, undefined]) {
    await tell("writeFile", () => writeFile(root + "/written", data));
    await tell("writeFile", () => call(fs.writeFile, root + "/written", data));
    await tell("read back", () => readFile(root + "/written"));
  }
  await tell("writeFile", () => writeFile(root + "/written", "more", { flag: "a", mode: 0o600 }));
  await tell("writeFile", () => writeFile(root + "/nope/x", "x"));
  await tell("writeFile", () => writeFile(root, "x"));
  await tell("stat", async () => (await promises.stat(root + "/tree/file")).isFile());
  await tell("stat", async () => (await promises.stat(root + "/tree/file", { bigint: true })).size.toString());
  await tell("lstat", async () => (await call(fs.lstat, root + "/tree/link"))[0].isSymbolicLink());
  await tell("stat", () => promises.stat(root + "/nope"));
  await tell("rename", () => promises.rename(root + "/nope", root + "/x"));
  await tell("unlink", () => promises.unlink(root + "/written"));
  console.log(told.join("\\n"));
`;

Deno.test("functions of node:fs do what they did", async () => {
  using dir = new TempDir();
  using other = new TempDir();
  const plain = await runDeno(`${CROWD}${TELL(dir.path)}${NODE_CALLS}`);
  const accelerated = await runDeno(`${CROWD}${TELL(other.path)}${NODE_CALLS}`, {
    flags: ["-A", ...PRELOAD],
    env: { IOQ_ACCELERATE: "verbose" },
  });
  assertEquals(accelerated.stdout.split("\n"), plain.stdout.split("\n"));
  assert(plain.stdout.split("\n").length > 100);
  assertMatch(accelerated.stderr, /node:fs readFile, node:fs readdir/);
});

Deno.test("a program that makes few calls opens nothing", async () => {
  const script = `
    const maps = () => Deno.readTextFileSync("/proc/self/maps").includes("libioq");
    for (let i = 0; i < 1000; i++) await Deno.stat("/");
    await Promise.all(Array.from({ length: 3000 }, () => Deno.stat("/")));
    console.log(maps());
    ${CROWD}
    console.log(maps());
  `;
  const plain = await runDeno(script);
  assertEquals(plain.stdout, "false\nfalse\n");
  const accelerated = await runDeno(script, { flags: ["-A", ...PRELOAD] });
  assertEquals(accelerated, { code: 0, stdout: "false\ntrue\n", stderr: "" });
});

Deno.test("a program reads none of the queue's modules before it needs them", async () => {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", ACCELERATE],
    stderr: "null",
  }).output();
  // Literal imports are read before a program begins, also those that are made later
  interface Dependency {
    readonly specifier: string;
    readonly code?: unknown;
  }
  const { modules } = JSON.parse(text(stdout)) as {
    modules: { specifier: string; dependencies?: Dependency[] }[];
  };
  const own = modules.filter(({ specifier }) => specifier.includes("/src/accelerate/"));
  const loaded = own.flatMap(({ dependencies = [] }) =>
    dependencies.flatMap(({ specifier, code }) => code === undefined ? [] : [specifier])
  );
  assert(loaded.includes("./gate.ts"));
  assertEquals(loaded.filter((specifier) => !/^\.\/|^\.\.\/late\.ts$|^node:/.test(specifier)), []);
});

Deno.test("where the queue's modules may not be loaded, calls go on as they did", async () => {
  using dir = new TempDir();
  const script = `${CROWD.replace('"/"', JSON.stringify(dir.path))}
    console.log((await Deno.stat(${JSON.stringify(dir.path)})).isDirectory);`;
  const { code, stdout, stderr } = await runDeno(script, {
    flags: [`--allow-read=${dir.path}`, "--allow-ffi", "--allow-env", ...PRELOAD],
    env: { IOQ_ACCELERATE: "verbose" },
  });
  assertEquals([code, stdout], [0, "true\n"]);
  assertMatch(stderr, /calls go on as they did: .* may not be loaded/);
});

Deno.test("it may be imported from a server", async () => {
  await using server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {} },
    async (request) => {
      const { pathname } = new URL(request.url);
      const found = /^\/(?:src|ffi)\/[\w/.]+\.ts$/.test(pathname);
      return found
        ? new Response(await Deno.readTextFile(ROOT + pathname), {
          headers: { "content-type": "application/typescript" },
        })
        : new Response(null, { status: 404 });
    },
  );
  const host = `127.0.0.1:${server.addr.port}`;
  const { code, stdout, stderr } = await runDeno(
    `${CROWD}console.log((await Deno.stat("/")).isDirectory);`,
    {
      flags: [
        ...["--allow-read", "--allow-ffi", "--allow-env", `--allow-import=${host}`],
        ...["--preload", `http://${host}/src/accelerate/mod.ts`],
      ],
      env: { IOQ_ACCELERATE: "verbose", IOQ_LIBRARY: `${ROOT}native/build/libioq.so` },
    },
  );
  assertEquals([code, stdout], [0, "true\n"], stderr);
  assertMatch(stderr, /through a queue/);
});

Deno.test("calls that wait are made with what they were given", async () => {
  using dir = new TempDir();
  dir.file("first", "first");
  dir.file("second", "second");
  const script = `
    import fs from "node:fs";
    const dir = ${JSON.stringify(dir.path)};
    // As many as there are threads, and then some: the next ones have to wait
    const others = Array.from({ length: 500 }, () => Deno.stat(dir));
    const data = new Uint8Array([1, 2, 3]);
    const url = new URL("file://" + dir + "/first");
    const openOptions = { read: true };
    const calls = [
      Deno.writeFile(dir + "/written", data),
      fs.promises.writeFile(dir + "/written2", new Uint8Array(data)),
      fs.promises.readFile(dir + "/first", { encoding: "utf8" }),
      Deno.readTextFile(url),
      Deno.open(dir + "/second", openOptions),
    ];
    data.buffer.transfer();
    url.pathname = dir + "/second";
    openOptions.read = false;
    openOptions.write = true;
    const [, , ...texts] = await Promise.all(calls);
    const file = texts.pop();
    console.log(await file.read(new Uint8Array(10)), ...texts);
    console.log(...Deno.readFileSync(dir + "/written"), ...Deno.readFileSync(dir + "/written2"));
    file.close();
    await Promise.all(others);
  `;
  const { stdout } = await compare(script, { env: { IOQ_ACCELERATE: "node" } });
  assertEquals(stdout, "6 first first\n1 2 3 1 2 3\n");
});

Deno.test("the environment leaves functions out, and has it say what it does", async () => {
  const script = `console.log(Deno.stat.toString().includes("native"), Deno.open === before);`;
  const run = (IOQ_ACCELERATE: string, flags: string[] = ["-A"]) =>
    runDeno(`const before = Deno.open; ${script}`, {
      flags: [...flags, ...PRELOAD],
      env: { IOQ_ACCELERATE },
    });
  assertEquals((await run("")).stderr, "");
  const { stderr } = await run("verbose,-open,-node");
  assertMatch(stderr, /replaced Deno\.stat/);
  assert(!stderr.includes("Deno.open") && !stderr.includes("node:fs"));
  assertMatch(stderr, /Deno\.FsFile/);
  assertMatch((await run("verbose,node")).stderr, /node:fs readFile/);
  assertMatch((await run("verbose,off")).stderr, /nothing is replaced: IOQ_ACCELERATE says off/);
  const withoutFfi = await run("verbose", ["--allow-read", "--allow-env"]);
  assertMatch(withoutFfi.stderr, /nothing is replaced: the native library needs --allow-ffi/);
});

Deno.test("without a permission nothing is asked for, and nothing gained", async () => {
  using dir = new TempDir();
  dir.file("file", "text");
  Deno.mkdirSync(dir.at("secret"));
  dir.file("secret/file", "secret");
  const script = `${CROWD.replace('"/"', JSON.stringify(dir.at("file")))}
    for (const path of ["file", "secret/file", "../x", "nope"]) {
      for (const name of ["stat", "readTextFile", "realPath", "remove"]) {
        await Deno[name](${JSON.stringify(dir.path)} + "/" + path).then(
          (value) => console.log(name, path, typeof value),
          ({ constructor, message }) => console.log(name, path, constructor.name, message),
        );
      }
    }
  `;
  const scoped = [`--allow-read=${dir.path},${ROOT}`, `--deny-read=${dir.at("secret")}`];
  for (const flags of [[...scoped, "--allow-ffi"], scoped, [...scoped, "--allow-env"]]) {
    const { stdout } = await compare(script, { flags });
    assertMatch(stdout, /NotCapable/);
  }
});

Deno.test("without the library calls go on as they did", async () => {
  for (const env of [{ IOQ_LIBRARY: "/nonexistent/libioq.so" }, { IOQ_BACKEND: "worker" }]) {
    const { stdout, stderr, code } = await runDeno(
      `${CROWD}console.log((await Deno.stat("/")).isDirectory);`,
      { flags: ["-A", ...PRELOAD], env: { ...env, IOQ_ACCELERATE: "verbose" } },
    );
    assertEquals([code, stdout], [0, "true\n"]);
    assertMatch(stderr, /calls go on as they did/);
  }
});

Deno.test("a Worker that imports it has a queue of its own", async () => {
  const worker = `data:text/javascript,${
    encodeURIComponent(`
      import { replaced } from ${JSON.stringify(ACCELERATE)};
      ${CROWD}
      const { isDirectory } = await Deno.stat("/");
      postMessage([replaced.includes("Deno.stat"), isDirectory]);
      close();
    `)
  }`;
  const { stdout, stderr } = await runDeno(
    `const worker = new Worker(${JSON.stringify(worker)}, { type: "module" });
     worker.onmessage = ({ data }) => console.log(JSON.stringify(data));`,
  );
  assertEquals([stdout, stderr], ["[true,true]\n", ""]);
});

Deno.test("restore() puts everything back", async () => {
  const { stdout, stderr } = await runDeno(
    `import fs from "node:fs";
     const before = [Deno.stat, Deno.open, Deno.FsFile, fs.readFile, fs.promises.readdir];
     const { restore, replaced } = await import(${JSON.stringify(ACCELERATE)});
     const now = () => [Deno.stat, Deno.open, Deno.FsFile, fs.readFile, fs.promises.readdir];
     console.log(replaced.length, now().some((value, i) => value === before[i]));
     ${CROWD}
     await restore();
     console.log(now().every((value, i) => value === before[i]), (await Deno.stat("/")).isDirectory);
     console.log(Deno.readTextFileSync("/proc/self/maps").includes("libioq"));`,
  );
  assertEquals([stdout, stderr], ["25 false\ntrue true\nfalse\n", ""]);
});

Deno.test("tests that sanitizers watch pass as they did", async () => {
  using dir = new TempDir();
  const file = dir.file(
    "some_test.ts",
    `Deno.test("many calls", async () => {
       ${CROWD}
       const file = await Deno.open("/etc/passwd");
       await file.read(new Uint8Array(10));
       file.close();
     });
     Deno.test("few calls", async () => { await Deno.stat("/"); });
     Deno.test({
       name: "narrowed",
       permissions: { read: false },
       async fn() {
         try { await Deno.stat("/"); } catch (error) {
           if (error instanceof Deno.errors.NotCapable) return;
         }
         throw new Error("it was let in");
       },
     });`,
  );
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", "--no-config", "--no-lock", "--no-check", ...PRELOAD, file],
    env: { NO_COLOR: "1", IOQ_ACCELERATE: "verbose" },
  }).output();
  const all = text(stdout) + text(stderr);
  assertEquals(code, 0, all);
  assertMatch(all, /3 passed/);
  assertMatch(all, /through a queue/);
});
