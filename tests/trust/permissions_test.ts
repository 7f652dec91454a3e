// Copyright 2026 the ioq authors. MIT license.

/**
 * Permissions: under each grant, each call on each path is made by Deno and by us.
 * Whatever Deno refuses to do we refuse, and of what Deno does we do nothing less,
 * but for what is listed as stricter on purpose.
 */

import { assert, assertEquals } from "@std/assert";
import { LIBRARY, MOD, runDeno, TempDir } from "../fixtures.ts";
import { times } from "./full.ts";

/** Calls by their name, each as Deno has it and as we have it. */
const CALLS = `
  import { Ioq, op } from "${MOD}";
  const ioq = await Ioq.open({ library: "${LIBRARY}", backend: Deno.args[0] });
  const opened = (path, options) => async () => {
    const fd = await ioq.run(op.open(path, options));
    await ioq.run(op.close(fd));
  };
  const modes = [{ read: true }, { write: true }, { append: true }, { read: true, write: true },
    { write: true, create: true }, { write: true, truncate: true }];
  const bytes = new Uint8Array(3);
  const calls = {
    stat: (p) => [() => Deno.statSync(p), () => ioq.stat(p)],
    lstat: (p) => [() => Deno.lstatSync(p), () => ioq.lstat(p)],
    readDir: (p) => [() => [...Deno.readDirSync(p)], () => ioq.readDir(p)],
    readFile: (p) => [() => Deno.readFileSync(p), () => ioq.readFile(p)],
    readTextFile: (p) => [() => Deno.readTextFileSync(p), () => ioq.readTextFile(p)],
    readLink: (p) => [() => Deno.readLinkSync(p), () => ioq.readLink(p)],
    realPath: (p) => [() => Deno.realPathSync(p), () => ioq.realPath(p)],
    chmod: (p) => [() => Deno.chmodSync(p, 0o700), () => ioq.chmod(p, 0o700)],
    chown: (p) => [() => Deno.chownSync(p, null, null), () => ioq.chown(p, null, null)],
    utime: (p) => [() => Deno.utimeSync(p, 1, 1), () => ioq.utime(p, 1, 1)],
    mkdir: (p) => [() => Deno.mkdirSync(p), () => ioq.mkdir(p)],
    symlink: (p) => [() => Deno.symlinkSync("x", p), () => ioq.symlink("x", p)],
    link: (p) => [() => Deno.linkSync(p, p + "2"), () => ioq.link(p, p + "2")],
    copyFrom: (p) => [() => Deno.copyFileSync(p, good + "/copy"), () => ioq.copyFile(p, good + "/copy")],
    copyTo: (p) => [() => Deno.copyFileSync(good + "/file", p), () => ioq.copyFile(good + "/file", p)],
    writeFile: (p) => [() => Deno.writeFileSync(p, bytes), () => ioq.writeFile(p, bytes)],
    ...Object.fromEntries(modes.map((options) => [
      "open " + Object.keys(options).join(),
      (p) => [() => Deno.openSync(p, options).close(), opened(p, options)],
    ])),
    truncate: (p) => [() => Deno.truncateSync(p, 1), () => ioq.truncate(p, 1)],
    rename: (p) => [() => Deno.renameSync(p, p + "3"), () => ioq.rename(p, p + "3")],
    remove: (p) => [() => Deno.removeSync(p), () => ioq.remove(p)],
  };
  const outcome = async (run) => {
    try {
      await run();
      return "ok";
    } catch (error) {
      return error.name;
    }
  };
`;

/** Paths as a script makes them, afresh for each call. */
const PATHS = {
  "file": "the file itself",
  "sub/file": "below",
  "../bad/file": "up and out, by '..'",
  "sub/../file": "down and up again",
  "out": "a link to a file outside",
  "outdir/file": "through a link to a directory outside",
  "outdir/../good/file": "out through a link, and back",
  "environ": "a link to /proc/self/environ",
  "device": "a link to /dev/full",
  "null": "a link to /dev/null",
  "missing": "nothing",
  "denied/file": "what is denied",
};

/** Grants, with the folder in place of DIR. */
const GRANTS: readonly (readonly string[])[] = [
  [],
  ["--allow-read=DIR/good"],
  ["--allow-write=DIR/good"],
  ["--allow-read=DIR/good", "--allow-write=DIR/good"],
  ["--allow-read=DIR/good", "--allow-write=DIR/good/sub"],
  ["--allow-read", "--allow-write=DIR/good"],
  ["--allow-read", "--allow-write"],
  ["--allow-read", "--allow-write", "--deny-read=DIR/good/denied", "--deny-write=DIR/good/denied"],
  ["--allow-read=DIR/good", "--allow-write=DIR/good", "--deny-write=DIR/good/denied"],
  ["--allow-read=DIR/good/file", "--allow-write=DIR/good/file"],
];

/** What we refuse although Deno does it, and why. */
function isStricter(call: string, path: string, granted: string): string | undefined {
  if (path.includes("/../") && granted !== "") {
    return "what '..' leads to is not known if a link comes before it";
  }
  if (call === "copyTo" && (path === "environ" || path === "device")) {
    return "Deno looks where a link leads when it opens and when it copies from, not when it copies to";
  }
  if (call === "link" || call === "rename" || call === "symlink") {
    return "two paths, or what a link opens a way to";
  }
  return undefined;
}

Deno.test("whatever Deno refuses is refused, and the other way round", async (t) => {
  const backends = ["threads", "uring"].slice(0, times(1, 2));
  for (const backend of backends) {
    for (const grant of GRANTS.filter((_, i) => i % times(4, 1) === 0)) {
      await t.step(`${backend} ${grant.join(" ")}`, async () => {
        using dir = new TempDir();
        // The tree is made anew by a process that may do everything
        const make = `
          rm -rf good bad && mkdir -p good/sub good/denied bad && cd good &&
          for f in file sub/file denied/file ../bad/file; do echo text > $f; done &&
          ln -s ../bad/file out && ln -s ../bad outdir && ln -s /proc/self/environ environ &&
          ln -s /dev/full device && ln -s /dev/null null`;
        using server = Deno.listen({ hostname: "127.0.0.1", port: 0 });
        const { port } = server.addr as Deno.NetAddr;
        const serve = async () => {
          for await (const connection of server) {
            const buffer = new Uint8Array(1);
            while (await connection.read(buffer) !== null) {
              new Deno.Command("sh", { args: ["-c", make], cwd: dir.path }).outputSync();
              await connection.write(buffer);
            }
            connection.close();
          }
        };
        const served = serve().catch(() => {});
        const script = `${CALLS}
          const [, good, paths, port] = Deno.args;
          const maker = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
          const remake = async () => {
            await maker.write(new Uint8Array(1));
            await maker.read(new Uint8Array(1));
          };
          const results = [];
          await remake();
          for (const [name, make] of Object.entries(calls)) {
            for (const path of JSON.parse(paths)) {
              const [denos, ours] = make(good + "/" + path);
              const theirs = await outcome(denos);
              if (theirs === "ok") await remake();
              const we = await outcome(ours);
              if (we === "ok") await remake();
              results.push([name, path, theirs, we]);
            }
          }
          console.log(JSON.stringify(results));
          maker.close();
          await ioq.close();
        `;
        const { stdout, stderr } = await runDeno(script, {
          flags: [
            `--allow-ffi=${LIBRARY}`,
            "--allow-net=127.0.0.1",
            ...grant.map((flag) => flag.replace("DIR", dir.path)),
          ],
          args: [backend, dir.at("good"), JSON.stringify(Object.keys(PATHS)), String(port)],
          seconds: 120,
        });
        server.close();
        await served;
        assertEquals(stderr, "");
        let refused = 0;
        const granted = grant.join(" ");
        for (const [call, path, theirs, ours] of JSON.parse(stdout)) {
          const what = `${call} ${path} (${granted}): Deno says ${theirs}, we say ${ours}`;
          if (theirs === "NotCapable") {
            refused++;
            assertEquals(ours, "NotCapable", what);
          } else if (ours === "NotCapable") {
            assert(isStricter(call, path, granted) !== undefined, what);
          }
        }
        assert(refused > 0 || grant.length >= 2, "nothing was refused");
      });
    }
  }
});
