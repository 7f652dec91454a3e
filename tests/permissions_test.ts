// Copyright 2026 the ioq authors. MIT license.

import { assert, assertEquals } from "@std/assert";
import { LIBRARY, MOD, type Outcome, runDeno, TempDir } from "./fixtures.ts";

const FFI = `--allow-ffi=${LIBRARY}`;

/** Calls by their name, each as Deno has it and as we have it. */
const CALLS = `
  import { Ioq, op } from "${MOD}";
  const ioq = await Ioq.open({ library: "${LIBRARY}", backend: "threads" });
  const opened = (path, options) => async () => {
    const fd = await ioq.run(op.open(path, options));
    await ioq.run(op.close(fd));
  };
  const calls = {
    stat: (path) => [() => Deno.statSync(path), () => ioq.stat(path)],
    lstat: (path) => [() => Deno.lstatSync(path), () => ioq.lstat(path)],
    readDir: (path) => [() => [...Deno.readDirSync(path)], () => ioq.readDir(path)],
    open: (path) => [() => Deno.openSync(path).close(), opened(path)],
    readFile: (path) => [() => Deno.readFileSync(path), () => ioq.readFile(path)],
    writeFile: (path) => [
      () => Deno.writeFileSync(path, new Uint8Array()),
      () => ioq.writeFile(path, new Uint8Array()),
    ],
    remove: (path) => [() => Deno.removeSync(path), () => ioq.remove(path)],
    rename: (path) => [
      () => Deno.renameSync(path, path + "2"),
      () => ioq.rename(path, path + "2"),
    ],
    link: (path) => [() => Deno.linkSync(path, path + "2"), () => ioq.link(path, path + "2")],
    symlink: (path) => [() => Deno.symlinkSync("x", path), () => ioq.symlink("x", path)],
    copyFile: (path) => [
      () => Deno.copyFileSync(path, path + "2"),
      () => ioq.copyFile(path, path + "2"),
    ],
    mkdir: (path) => [() => Deno.mkdirSync(path), () => ioq.mkdir(path)],
    mkdirAll: (path) => [
      () => Deno.mkdirSync(path, { recursive: true }),
      () => ioq.mkdir(path, { recursive: true }),
    ],
    truncate: (path) => [() => Deno.truncateSync(path), () => ioq.truncate(path)],
    chmod: (path) => [() => Deno.chmodSync(path, 0), () => ioq.chmod(path, 0)],
    chown: (path) => [() => Deno.chownSync(path, 0, 0), () => ioq.chown(path, 0, 0)],
    utime: (path) => [() => Deno.utimeSync(path, 0, 0), () => ioq.utime(path, 0, 0)],
    readLink: (path) => [() => Deno.readLinkSync(path), () => ioq.readLink(path)],
    realPath: (path) => [() => Deno.realPathSync(path), () => ioq.realPath(path)],
    ...Object.fromEntries([
      ["write", { write: true }],
      ["append", { append: true }],
      ["readWrite", { read: true, write: true }],
    ].map(([name, options]) => [
      name,
      (path) => [() => Deno.openSync(path, options).close(), opened(path, options)],
    ])),
  };
  const outcome = async (run) => {
    try {
      await run();
      return "ok";
    } catch (error) {
      // Where Deno names the function, we name ours
      return error.name + ": " + error.message.replace("Deno.symlinkSync()", "op.symlink()");
    }
  };
`;

/** Run calls on paths under permissions: what Deno says, and what we say. */
async function compare(
  permissions: string[],
  calls: [name: string, path: string][],
  cwd?: string,
): Promise<{ call: string; denos: string; ours: string }[]> {
  const script = `${CALLS}
    const results = [];
    for (const [name, path] of JSON.parse(Deno.args[0])) {
      const [denos, ours] = calls[name](path);
      results.push({
        call: name + " " + path,
        denos: await outcome(denos),
        ours: await outcome(ours),
      });
      if (ioq.size !== 0) throw new Error("it was queued");
    }
    console.log(JSON.stringify(results));
    await ioq.close();
  `;
  const { code, stdout, stderr } = await runDeno(script, {
    flags: [FFI, ...permissions],
    args: [JSON.stringify(calls)],
    ...(cwd === undefined ? {} : { cwd }),
  });
  assertEquals([code, stderr], [0, ""]);
  return JSON.parse(stdout);
}

/** Assert that we say what Deno says, and that this is what is expected. */
function assertOutcomes(
  results: { call: string; denos: string; ours: string }[],
  expected: (string | RegExp)[],
): void {
  for (const { call, denos, ours } of results) {
    assertEquals(ours, denos, call);
  }
  results.forEach(({ call, ours }, i) => {
    const pattern = expected[i]!;
    assert(pattern instanceof RegExp ? pattern.test(ours) : ours === pattern, `${call}: ${ours}`);
  });
  assertEquals(results.length, expected.length);
}

const NO_READ = /^NotCapable: Requires read access to ".*", run again with the --allow-read flag$/;
const NO_WRITE =
  /^NotCapable: Requires write access to ".*", run again with the --allow-write flag$/;

Deno.test("the library's file and a directory are all the permissions it takes", async () => {
  using dir = new TempDir();
  dir.file("file", "text");
  const script = `
    import { Ioq, op } from "${MOD}";
    for (const backend of ["uring", "threads"]) {
      await using ioq = await Ioq.open({ library: "${LIBRARY}", backend }).catch((error) => {
        if (backend !== "uring") throw error;
        return Ioq.open({ library: "${LIBRARY}", backend: "threads" });
      });
      const dir = Deno.args[0];
      const entries = await ioq.readDir(dir);
      const { size } = await ioq.stat(dir + "/file");
      const fd = await ioq.run(op.open(dir + "/file"));
      const bytes = await ioq.run(op.read(fd, 100, 0));
      await ioq.run(op.close(fd));
      ioq.submit(op.stat(dir));
      for await (const { ok } of ioq) console.log(ok);
      console.log(entries[0].name, size, new TextDecoder().decode(bytes));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  `;
  const flags = [FFI, `--allow-read=${dir.path}`];
  const { code, stdout, stderr } = await runDeno(script, { flags, args: [dir.path] });
  assertEquals([stderr, code], ["", 0]);
  assertEquals(stdout, "true\nfile 4 text\n".repeat(2));
});

Deno.test("without any permission it says what to allow, and requests run on the own thread", async () => {
  const script = `
    import { Ioq } from "${MOD}";
    await Ioq.open({ backend: "uring", library: "${LIBRARY}" })
      .catch((error) => console.log(error.name, error.message));
    await using ioq = await Ioq.open({ library: "${LIBRARY}" });
    await ioq.nop();
    console.log(ioq.backend.kind, ioq.backend.lanes, ioq.backend.reason);
  `;
  const { stdout, stderr } = await runDeno(script, { flags: [] });
  const denied =
    `Cannot load '${LIBRARY}' without permission, run again with --allow-ffi=${LIBRARY}`;
  const root = new URL(".", MOD).pathname.replace(/\/$/, "");
  assertEquals(
    stdout,
    `NotSupported ${denied}\n` +
      `worker 1 ${denied}; no Worker may be started without --allow-read=${root}: ` +
      "requests run on the queue's own thread, by Deno's own calls, which lack some operations\n",
    stderr,
  );
});

Deno.test("the environment is not needed to find the local build", async () => {
  const script = `
    import { Ioq } from "${MOD}";
    await using ioq = await Ioq.open({ backend: "threads" });
    console.log(await ioq.nop());
  `;
  const local = new URL("../native/build/libioq.so", MOD.replace("/mod.ts", "/ffi/x"));
  const { stdout, stderr } = await runDeno(script, { flags: [`--allow-ffi=${local.pathname}`] });
  assertEquals([stdout, stderr], ["undefined\n", ""]);
});

Deno.test("nothing outside of what may be read is read", async () => {
  using dir = new TempDir();
  using other = new TempDir();
  const file = dir.file("file");
  const outside = other.file("file");
  Deno.mkdirSync(dir.at("sub"));
  assertOutcomes(
    await compare([`--allow-read=${dir.path}`], [
      ["stat", file],
      ["lstat", file],
      ["readDir", dir.path],
      ["open", file],
      ["stat", dir.at("missing")],
      ["stat", outside],
      ["lstat", outside],
      ["open", outside],
      ["readDir", other.path],
      ["stat", other.at("missing")],
      ["stat", "/"],
      ["stat", "file"],
      ["stat", `${dir.path}x`],
      ["write", file],
      ["readWrite", file],
      ["write", outside],
      ["append", outside],
    ]),
    [
      "ok",
      "ok",
      "ok",
      "ok",
      /^NotFound: /,
      ...Array(8).fill(NO_READ),
      NO_WRITE,
      NO_WRITE,
      NO_WRITE,
      NO_WRITE,
    ],
  );
});

Deno.test("opening for writing needs --allow-write", async () => {
  using dir = new TempDir();
  const file = dir.file("file");
  const calls: [string, string][] = [
    ["open", file],
    ["write", file],
    ["append", file],
    ["readWrite", file],
    ["stat", file],
  ];
  assertOutcomes(
    await compare([`--allow-write=${dir.path}`], calls),
    [NO_READ, "ok", "ok", NO_READ, NO_READ],
  );
  assertOutcomes(
    await compare(["--allow-read", `--allow-write=${dir.path}`], calls),
    ["ok", "ok", "ok", "ok", "ok"],
  );
  assertOutcomes(
    await compare(["--allow-read"], calls),
    ["ok", NO_WRITE, NO_WRITE, NO_WRITE, "ok"],
  );
});

Deno.test("--deny-read wins over --allow-read", async () => {
  using dir = new TempDir();
  Deno.mkdirSync(dir.at("denied"));
  const file = dir.file("file");
  const denied = dir.file("denied/file");
  for (const allow of ["--allow-read", `--allow-read=${dir.path}`]) {
    assertOutcomes(
      await compare([allow, `--deny-read=${dir.at("denied")}`], [
        ["stat", file],
        ["stat", denied],
        ["open", denied],
        ["readDir", dir.at("denied")],
        ["readDir", dir.path],
        ["stat", "/"],
      ]),
      ["ok", NO_READ, NO_READ, NO_READ, "ok", allow === "--allow-read" ? "ok" : NO_READ],
    );
  }
});

Deno.test("relative paths count from the current directory", async () => {
  using dir = new TempDir();
  Deno.mkdirSync(dir.at("sub"));
  dir.file("file");
  dir.file("sub/file");
  const results = await compare([`--allow-read=${dir.at("sub")}`], [
    ["stat", "file"],
    ["stat", "./file"],
    ["stat", "../file"],
    ["stat", "../sub/file"],
    ["readDir", "."],
    ["readDir", ".."],
  ], dir.at("sub"));
  assertOutcomes(results, ["ok", "ok", NO_READ, "ok", "ok", NO_READ]);
});

/** What ours said to each line of a script, under permissions. */
async function lines(permissions: string[], args: string[], script: string): Promise<string[]> {
  const { code, stdout, stderr }: Outcome = await runDeno(
    `${CALLS}${script}\nawait ioq.close();`,
    { flags: [FFI, ...permissions], args },
  );
  assertEquals([code, stderr], [0, ""]);
  return stdout.trimEnd().split("\n");
}

Deno.test("'..' is resolved as Deno does: in the text, and then in what is opened", async () => {
  using dir = new TempDir();
  using other = new TempDir();
  Deno.mkdirSync(other.at("deep"));
  Deno.mkdirSync(dir.at("sub"));
  dir.file("file");
  other.file("secret");
  Deno.symlinkSync(other.at("deep"), dir.at("link"));
  const script = `
    const [dir] = Deno.args;
    // To Deno this is a file in the directory, to the kernel it is not
    for (const path of ["/link/../secret", "/link/../../x", "/sub/../file", "/./file", "/link"]) {
      console.log(await outcome(() => Deno.stat(dir + path)));
      console.log(await outcome(() => ioq.stat(dir + path)));
      console.log(await outcome(() => ioq.stat(new TextEncoder().encode(dir + path))));
    }
  `;
  for (const allow of ["--allow-read", `--allow-read=${dir.path}`]) {
    const found = await lines([allow], [dir.path], script);
    for (let i = 0; i < found.length; i += 3) {
      assertEquals(found.slice(i + 1, i + 3), [found[i], found[i]], allow);
    }
    assert(found[0]!.startsWith("NotFound: "), found[0]);
  }
});

Deno.test("a path from a descriptor is the path below its directory", async () => {
  using dir = new TempDir();
  dir.file("file");
  const script = `
    const [dir] = Deno.args;
    const at = await ioq.run(op.openDir(dir));
    console.log(await outcome(() => ioq.stat("file", { at })));
    console.log(await outcome(() => ioq.readDir(".", { at })));
    console.log(await outcome(() => ioq.run(op.open("file", { read: true, at }))));
    console.log(await outcome(() => ioq.stat(dir + "/file", { at })));
    console.log(await outcome(() => ioq.stat("/", { at })));
    console.log(await outcome(() => ioq.stat("../x", { at })));
    await ioq.run(op.closeDir(at));
  `;
  const partial = await lines([`--allow-read=${dir.path}`], [dir.path], script);
  assertEquals(
    partial.map((line) => NO_READ.test(line) || line),
    ["ok", "ok", "ok", "ok", true, true],
  );
  const all = await lines(["--allow-read"], [dir.path], script);
  assertEquals(all.slice(0, 5), ["ok", "ok", "ok", "ok", "ok"]);
  assert(all[5]!.startsWith("NotFound: "), all[5]);
});

Deno.test("bytes that are not UTF-8 are allowed where all is in their folder", async () => {
  using dir = new TempDir();
  Deno.mkdirSync(dir.at("denied"));
  const script = `
    const encoder = new TextEncoder();
    for (const path of ["/", "/sub/../", "/../", "/denied/", "/x/../denied/"]) {
      const bytes = Uint8Array.from([...encoder.encode(Deno.args[0] + path), 0xff]);
      console.log(await outcome(() => ioq.stat(bytes)));
    }
    console.log(await outcome(() => ioq.stat(encoder.encode(Deno.args[0]))));
  `;
  const outcomes = (found: string[]) =>
    found.map((line) => NO_READ.test(line) ? "refused" : line.replace(/:.*/, ""));
  const granted = await lines([`--allow-read=${dir.path}`], [dir.path], script);
  assertEquals(outcomes(granted), [
    "NotFound",
    "NotFound",
    "refused",
    "NotFound",
    "NotFound",
    "ok",
  ]);
  const denied = [`--allow-read=${dir.path}`, `--deny-read=${dir.at("denied")}`];
  const partial = await lines(denied, [dir.path], script);
  assertEquals(outcomes(partial), ["refused", "refused", "refused", "refused", "refused", "ok"]);
  const all = await lines(["--allow-read"], [dir.path], script);
  assertEquals(outcomes(all), [...Array(5).fill("NotFound"), "ok"]);
});

Deno.test("a denial throws before anything is queued", async () => {
  const script = `
    let thrown = 0;
    for (const request of [op.stat("/"), op.open("/"), op.readDir("/"), op.openDir("/")]) {
      try {
        ioq.submit(request);
      } catch (error) {
        thrown += Number(error instanceof Deno.errors.NotCapable && ioq.size === 0);
      }
    }
    console.log(thrown);
  `;
  assertEquals(await lines([], [], script), ["4"]);
});

Deno.test("a permission that is revoked is gone at once", async () => {
  const script = `
    console.log(await outcome(() => ioq.stat("/")));
    Deno.permissions.revokeSync({ name: "read" });
    console.log(await outcome(() => ioq.stat("/")));
  `;
  const [before, after] = await lines(["--allow-read"], [], script);
  assertEquals(before, "ok");
  assert(NO_READ.test(after!), after);
});

Deno.test("what is in /proc, /sys and /dev needs all permissions, as it does for Deno", async () => {
  const paths = ["/proc/self/environ", "//proc/cpuinfo", "/tmp/../proc/cpuinfo", "/sys/kernel"];
  const allowed = ["/dev/null", "/dev/../etc/passwd", "/etc/passwd"];
  const script = `
    for (const path of Deno.args) {
      const ours = await outcome(() => ioq.stat(path));
      const theirs = await outcome(() => Deno.stat(path));
      console.log(ours.replace(/ to .*/, "") === theirs.replace(/ to .*/, "") ? ours : ours + " / " + theirs);
    }
    const root = await ioq.run(op.openDir("/"));
    console.log(await outcome(() => ioq.stat("proc/self/environ", { at: root })));
    console.log(await outcome(() => ioq.stat("etc/passwd", { at: root })));
    await ioq.run(op.close(root));
  `;
  const found = await lines(["--allow-read"], [...paths, ...allowed], script);
  assertEquals(
    found.map((line) => line.includes("Requires all access") ? "refused" : line),
    [...paths.map(() => "refused"), ...allowed.map(() => "ok"), "refused", "ok"],
  );
});

/** Calls that change something. */
const CHANGES = [
  "writeFile",
  "remove",
  "rename",
  "link",
  "symlink",
  "copyFile",
  "mkdir",
  "mkdirAll",
  "truncate",
  "chmod",
  "chown",
  "utime",
];

Deno.test("with --allow-read alone nothing is changed", async () => {
  using dir = new TempDir();
  const path = dir.file("file", "text");
  const results = await compare(["--allow-read"], CHANGES.map((name) => [name, path]));
  assertOutcomes(results, CHANGES.map(() => /^NotCapable: /));
  assertEquals([...Deno.readDirSync(dir.path)].length, 1);
  assertEquals(Deno.readTextFileSync(path), "text");
});

Deno.test("with --allow-write alone nothing is read, renamed or linked", async () => {
  using dir = new TempDir();
  const path = dir.file("file", "text");
  const calls = ["readFile", "readLink", "realPath", "rename", "link", "symlink", "copyFile"];
  // The library itself has to be found
  const permissions = ["--allow-write", `--allow-read=${LIBRARY}`];
  const results = await compare(permissions, calls.map((name) => [name, path]));
  assertOutcomes(results, calls.map(() => /^NotCapable: /));
  assertEquals([...Deno.readDirSync(dir.path)].length, 1);
});

Deno.test("a symbolic link needs all of reading and writing", async () => {
  using dir = new TempDir();
  const scoped = [`--allow-read=${dir.path}`, `--allow-write=${dir.path}`];
  const results = await compare(scoped, [["symlink", dir.at("link")]]);
  assertOutcomes(results, [/^NotCapable: /]);
});

Deno.test("a recursive mkdir makes nothing above what may be written", async () => {
  using dir = new TempDir();
  // Deno looks at the last directory alone, and makes those above it all the same
  const { stdout, stderr } = await runDeno(
    `${CALLS}
    const [, ours] = calls.mkdirAll(Deno.args[0]);
    console.log(await outcome(ours));
    await ioq.close();`,
    {
      flags: [FFI, "--allow-read", `--allow-write=${dir.at("a/b")}`],
      args: [dir.at("a/b/c")],
    },
  );
  assertEquals(stderr, "");
  const message = `Requires write access to "${dir.at("a")}"`;
  assert(stdout.startsWith(`NotCapable: ${message}`), stdout);
  assertEquals([...Deno.readDirSync(dir.path)], []);
});
