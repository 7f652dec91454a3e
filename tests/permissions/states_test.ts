// Copyright 2026 the ioq authors. MIT license.

/**
 * Permissions that change while a program runs, that others have, or that somebody else
 * decides on. Deno's own calls say what is right.
 */

import { assert, assertEquals } from "@std/assert";
import { LIBRARY, LOOP_MOD, MOD, runDeno, TempDir } from "../fixtures.ts";

const FFI = `--allow-ffi=${LIBRARY}`;

/** The beginning of each script: a queue, and what came of a call. */
const BEGIN = `
  import { Ioq, op } from "${MOD}";
  const open = (backend = "threads") => Ioq.open({ library: "${LIBRARY}", backend });
  const outcome = async (run) => {
    try {
      await run();
      return "ok";
    } catch (error) {
      return error.name;
    }
  };
  const say = (...words) => console.log(words.join(" "));
`;

/** What a script said, line by line. */
async function lines(
  script: string,
  options: { flags: string[]; args?: string[]; env?: Record<string, string> },
): Promise<string[]> {
  const { code, stdout, stderr } = await runDeno(BEGIN + script, options);
  assertEquals([stderr.replace(/^Warning.*experimental feature\n/, ""), code], ["", 0]);
  return stdout.trimEnd().split("\n");
}

Deno.test("a check adds nothing to what is granted", async () => {
  using dir = new TempDir();
  dir.file("file");
  const script = `
    const [dir] = Deno.args;
    await using ioq = await open();
    const both = async (path) =>
      say(await outcome(() => ioq.stat(path)), await outcome(() => Deno.stat(path)));
    await both(dir + "/file");
    await both(dir);
    Deno.permissions.revokeSync({ name: "read", path: dir });
    await both(dir + "/file");
    await both(dir);
  `;
  const flags = [FFI, `--allow-read=${dir.path}`];
  assertEquals(
    await lines(script, { flags, args: [dir.path] }),
    ["ok ok", "ok ok", "NotCapable NotCapable", "NotCapable NotCapable"],
  );
});

Deno.test("what is revoked is gone at once, also within a turn", async () => {
  using dir = new TempDir();
  const file = dir.file("file");
  const script = `
    await using ioq = await open();
    const first = outcome(() => ioq.stat(Deno.args[0]));
    Deno.permissions.revokeSync({ name: "read" });
    const second = outcome(() => ioq.stat(Deno.args[0]));
    say(await first, await second);
  `;
  assertEquals(await lines(script, { flags: ["-A"], args: [file] }), ["ok NotCapable"]);
});

Deno.test("what the main thread revokes is gone in its Workers", async () => {
  using dir = new TempDir();
  const file = dir.file("file");
  const worker = dir.file(
    "worker.ts",
    `${BEGIN}
    const ioq = await open();
    self.onmessage = async ({ data }) => {
      self.postMessage([
        await outcome(() => ioq.readFile(data)),
        await outcome(() => Deno.readFile(data)),
        await outcome(() => ioq.writeFile(data, new Uint8Array(1))),
        await outcome(() => Deno.writeFile(data, new Uint8Array(1))),
      ].join(" "));
    };
    self.postMessage("ready");`,
  );
  const script = `
    const worker = new Worker("file://" + Deno.args[1], { type: "module" });
    const next = () => new Promise((resolve) => worker.onmessage = ({ data }) => resolve(data));
    await next();
    const ask = () => {
      const answer = next();
      worker.postMessage(Deno.args[0]);
      return answer;
    };
    say(await ask());
    Deno.permissions.revokeSync({ name: "write" });
    say(await ask());
    Deno.permissions.revokeSync({ name: "read" });
    say(await ask());
    worker.terminate();
  `;
  assertEquals(await lines(script, { flags: ["-A"], args: [file, worker] }), [
    "ok ok ok ok",
    "ok ok NotCapable NotCapable",
    "NotCapable NotCapable NotCapable NotCapable",
  ]);
});

Deno.test("a test with fewer permissions has fewer, and the next one has all again", async () => {
  using dir = new TempDir();
  const file = dir.file("file");
  const other = dir.file("other");
  const test = dir.file(
    "narrow_test.ts",
    `${BEGIN}
    const ioq = await open();
    const both = async () => {
      for (const path of [${JSON.stringify(file)}, ${JSON.stringify(other)}]) {
        say("said", await outcome(() => ioq.stat(path)), await outcome(() => Deno.stat(path)));
      }
    };
    Deno.test("all", both);
    Deno.test({ name: "one", permissions: { read: [${JSON.stringify(file)}] }, fn: both });
    Deno.test({ name: "none", permissions: "none", fn: both });
    Deno.test("all again", async () => { await both(); await ioq.close(); });`,
  );
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", "--no-check", "--no-config", "--no-lock", test],
    env: { NO_COLOR: "1" },
  }).output();
  const text = new TextDecoder().decode(stdout);
  const said = [...text.matchAll(/^said (.*)$/gm)].map(([, line]) => line);
  assertEquals(said, [
    "ok ok",
    "ok ok",
    "ok ok",
    "NotCapable NotCapable",
    "NotCapable NotCapable",
    "NotCapable NotCapable",
    "ok ok",
    "ok ok",
  ], text + new TextDecoder().decode(stderr));
});

Deno.test("a Worker with fewer permissions cannot use its parent's descriptors", async () => {
  using dir = new TempDir();
  const file = dir.file("file", "secret");
  const worker = dir.file(
    "worker.ts",
    `${BEGIN}
    const ioq = await open();
    self.onmessage = async ({ data: fd }) => {
      self.postMessage([
        await outcome(() => ioq.run(op.read(fd, 6, 0))),
        await outcome(() => ioq.run(op.write(fd, new Uint8Array(1), 0))),
        await outcome(() => ioq.run(op.fstat(fd))),
        await outcome(() => ioq.run(op.close(fd))),
        await outcome(() => ioq.stat("file", { at: fd })),
      ].join(" "));
    };
    self.postMessage("ready");`,
  );
  const script = `
    await using ioq = await open();
    const fd = await ioq.run(op.open(Deno.args[0], { read: true, write: true }));
    const worker = new Worker("file://" + Deno.args[1], {
      type: "module",
      deno: { permissions: { ffi: true, read: [Deno.args[1]], write: false } },
    });
    const next = () => new Promise((resolve) => worker.onmessage = ({ data }) => resolve(data));
    await next();
    const answer = next();
    worker.postMessage(fd);
    say(await answer);
    worker.terminate();
    say(new TextDecoder().decode(await ioq.run(op.read(fd, 6, 0))));
    await ioq.run(op.close(fd));
  `;
  const flags = ["-A", "--unstable-worker-options"];
  assertEquals(await lines(script, { flags, args: [file, worker] }), [
    "NotCapable NotCapable NotCapable NotCapable NotCapable",
    "secret",
  ]);
});

Deno.test("what is open for reading is not changed without the permission to write", async () => {
  using dir = new TempDir();
  const file = dir.file("file");
  const script = `
    const [path] = Deno.args;
    for (const backend of ["threads", "worker"]) {
      await using ioq = await open(backend);
      const file = await ioq.openFile(path);
      using denos = Deno.openSync(path);
      say(await outcome(() => denos.utimeSync(1, 1)), await outcome(() => file.utime(1, 1)),
        await outcome(() => file.utimeSync(1, 1)));
      const fd = await ioq.run(op.open(path));
      for (const request of [
        op.utime(fd, 1, 1), op.chmod(fd, 0o600), op.chown(fd, 0, 0),
        op.setXattr(fd, "user.x", new Uint8Array(1)), op.removeXattr(fd, "user.x"),
      ]) {
        say(await outcome(() => ioq.run(request)));
      }
      await ioq.run(op.close(fd));
      await file.close();
    }
  `;
  const said = await lines(script, { flags: [FFI, `--allow-read=${dir.path}`], args: [file] });
  const refused = ["NotCapable NotCapable NotCapable", ...Array(5).fill("NotCapable")];
  assertEquals(said, [...refused, ...refused]);
});

Deno.test("exchanging two files takes reading both", async () => {
  using dir = new TempDir();
  const a = dir.file("a");
  const b = dir.file("b");
  const script = `
    await using ioq = await open();
    say(await outcome(() => ioq.rename(Deno.args[0], Deno.args[1], { exchange: true })));
  `;
  const flags = [FFI, `--allow-write=${dir.path}`, `--allow-read=${a}`];
  assertEquals(await lines(script, { flags, args: [a, b] }), ["NotCapable"]);
  assertEquals(
    await lines(script, { flags: [...flags.slice(0, 2), `--allow-read=${a},${b}`], args: [a, b] }),
    ["ok"],
  );
});

Deno.test("a pipe that a shell passes is opened, and standard input is not", async () => {
  using dir = new TempDir();
  const main = dir.file(
    "main.ts",
    `${BEGIN}
    await using ioq = await open();
    say(await ioq.readTextFile("/dev/fd/9"), await outcome(() => ioq.readTextFile("/dev/fd/0")));`,
  );
  const flags = [FFI, "--allow-read", "--no-prompt", "--no-config", "--no-lock", "--quiet"];
  const { stdout } = await new Deno.Command("bash", {
    args: ["-c", `exec "$0" run ${flags.join(" ")} ${main} 9< <(echo -n piped)`, Deno.execPath()],
  }).output();
  assertEquals(new TextDecoder().decode(stdout), "piped NotCapable\n");
});

Deno.test("tasks in Workers may do what their test may, and not what another one may", async () => {
  using dir = new TempDir();
  const file = dir.file("file");
  const task = dir.file(
    "task.ts",
    "export default (io, path) => io.readTextFile(path).then(() => 'ok', ({ name }) => name);",
  );
  const compute = dir.file(
    "compute.ts",
    `export default (path) => {
      try { Deno.readTextFileSync(path); return "ok"; } catch ({ name }) { return name; }
    };`,
  );
  const test = dir.file(
    "pools_test.ts",
    `import { EventLoop } from "${LOOP_MOD}";
    const path = ${JSON.stringify(file)};
    const loop = await EventLoop.open({ library: "${LIBRARY}", backend: "threads", workers: 1 });
    const both = async () => {
      const ask = () => [
        loop.concurrent("file://${task}", [path]), loop.offload("file://${compute}", [path]),
      ];
      console.log("said", ...await Promise.all([...ask(), ...ask()]));
    };
    const permissions = {
      read: ["${task}", "${compute}", "${new URL(".", MOD).pathname}"], ffi: true,
    };
    const lax = { sanitizeResources: false, sanitizeOps: false };
    Deno.test({ name: "all", ...lax, fn: both });
    Deno.test({ name: "some", ...lax, permissions, fn: both });
    Deno.test({ name: "all again", ...lax, async fn() { await both(); await loop.close(); } });`,
  );
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", "--no-check", "--no-config", "--no-lock", test],
    env: { NO_COLOR: "1" },
  }).output();
  const text = new TextDecoder().decode(stdout);
  assertEquals(
    [...text.matchAll(/^said (.*)$/gm)].map(([, line]) => line),
    ["ok ok ok ok", "NotCapable NotCapable NotCapable NotCapable", "ok ok ok ok"],
    text + new TextDecoder().decode(stderr),
  );
});

/** A permission broker that denies what has "denied" in its path, and what it was asked. */
function serveBroker(path: string): { asked: string[]; end: () => Promise<void> } {
  const listener = Deno.listen({ transport: "unix", path });
  const asked: string[] = [];
  const encoder = new TextEncoder();
  const serve = async (connection: Deno.Conn) => {
    using _ = connection;
    let rest = "";
    const decoder = new TextDecoder();
    const buffer = new Uint8Array(4096);
    for (let count; (count = await connection.read(buffer)) !== null;) {
      const parts = (rest + decoder.decode(buffer.subarray(0, count))).split("\n");
      rest = parts.pop()!;
      for (const part of parts) {
        const { id, permission, value } = JSON.parse(part);
        asked.push(`${permission} ${value}`);
        const result = String(value).includes("denied") ? "deny" : "allow";
        await connection.write(encoder.encode(`${JSON.stringify({ id, result })}\n`));
      }
    }
  };
  const served = (async () => {
    const connections = [];
    for await (const connection of listener) {
      connections.push(serve(connection));
    }
    await Promise.all(connections);
  })();
  return {
    asked,
    end: async () => {
      listener.close();
      await served;
    },
  };
}

Deno.test("a permission broker is asked for each path, whatever the flags are", async () => {
  using dir = new TempDir();
  dir.file("file", "text");
  dir.file("denied", "secret");
  const { asked, end } = serveBroker(dir.at("socket"));
  const script = `
    const [dir] = Deno.args;
    for (const backend of ["threads", "worker"]) {
      await using ioq = await open(backend);
      for (const name of ["/file", "/denied"]) {
        const path = dir + name;
        say(
          await outcome(() => ioq.readTextFile(path)), await outcome(() => Deno.readTextFile(path)),
          await outcome(() => ioq.chmod(path, 0o600)), await outcome(() => Deno.chmod(path, 0o600)),
        );
      }
    }
  `;
  for (const flags of [["-A"], [FFI]]) {
    asked.length = 0;
    const said = await lines(script, {
      flags,
      args: [dir.path],
      env: { DENO_PERMISSION_BROKER_PATH: dir.at("socket") },
    });
    const both = ["ok ok ok ok", "NotCapable NotCapable NotCapable NotCapable"];
    assertEquals(said, [...both, ...both]);
    for (const what of ["read", "write"]) {
      // Ours and Deno's, on each of two backends
      for (const name of ["file", "denied"]) {
        const times = asked.filter((line) => line === `${what} ${dir.at(name)}`).length;
        assert(times >= 4, `${what} ${name}: ${times}`);
      }
    }
  }
  await end();
});
