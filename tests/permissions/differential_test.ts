// Copyright 2026 the ioq authors. MIT license.

/**
 * Permissions against Deno: under each grant, each call on each kind of path, in each
 * form and on each backend, has the same outcome as Deno's own call, refused or not, and
 * leaves the same on disk. `IOQ_TEST_FULL=1` compares all of it instead of a part.
 */

import { assertEquals, fail } from "@std/assert";
import { LIBRARY, TempDir } from "../fixtures.ts";
import { times } from "../trust/full.ts";
import { type Report, ROW_NAMES, type Task } from "./differential.ts";
import { Tree } from "./tree.ts";

/** What a process may do. */
interface Grant {
  /** Flags, with the tree's root in place of ROOT. */
  readonly flags: readonly string[];
  /** What it revokes first. */
  readonly revoke?: readonly Deno.PermissionDescriptor[];
}

const GOOD = "ROOT/good";
const DENIED = "ROOT/good/denied";

const GRANTS: readonly Grant[] = [
  { flags: [] },
  { flags: [`--allow-read=${GOOD}`] },
  { flags: [`--allow-write=${GOOD}`] },
  { flags: [`--allow-read=${GOOD}`, `--allow-write=${GOOD}`] },
  { flags: ["--allow-read=ROOT", `--allow-write=${GOOD}/sub`] },
  { flags: [`--allow-read=${GOOD}/file`, `--allow-write=${GOOD}/file`] },
  {
    flags: [
      `--allow-read=${GOOD}`,
      `--allow-write=${GOOD}`,
      `--deny-read=${DENIED}`,
      `--deny-write=${DENIED}`,
    ],
  },
  { flags: ["--allow-read", "--allow-write"] },
  { flags: ["--allow-read", `--allow-write=${GOOD}`] },
  {
    flags: [
      "--allow-read",
      "--allow-write",
      `--deny-read=${DENIED}`,
      `--deny-write=${DENIED}/secret`,
    ],
  },
  { flags: ["--allow-read", "--allow-write", `--ignore-read=${DENIED}`] },
  { flags: ["--allow-read", "--allow-write", `--deny-write=${GOOD}`] },
  {
    flags: [`--allow-read=${GOOD},ROOT/bad`, `--allow-write=${GOOD},ROOT/bad`],
    revoke: [{ name: "write", path: GOOD }, { name: "read", path: "ROOT/bad" }],
  },
  { flags: ["-A"], revoke: [{ name: "write" }] },
  { flags: ["-A"], revoke: [{ name: "net" }] },
  { flags: ["-A", "--deny-net=localhost"] },
  { flags: ["-A"] },
];

/** Run a process, and be the one who makes its tree. */
async function compare(grant: Grant, every: number, first: number): Promise<Report> {
  using dir = new TempDir();
  const root = dir.at("root");
  Deno.mkdirSync(root);
  const shm = `/dev/shm/${dir.path.split("/").pop()}`;
  const tree = new Tree({ root, shm });
  const inRoot = (text: string) => text.replaceAll("ROOT", root);
  const task: Task = {
    library: LIBRARY,
    good: inRoot(GOOD),
    revoke: JSON.parse(inRoot(JSON.stringify(grant.revoke ?? []))),
    rows: ROW_NAMES,
    every,
    first,
  };
  const script = new URL("differential.ts", import.meta.url).pathname;
  const flags = grant.flags.map(inRoot);
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--quiet",
      "--no-prompt",
      "--no-lock",
      ...(flags.includes("-A") ? [] : [`--allow-ffi=${LIBRARY}`]),
      ...flags,
      script,
      JSON.stringify(task),
    ],
    cwd: root,
    env: { NO_COLOR: "1", IOQ_BACKEND: "" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const errors = new Response(child.stderr).text();
  const writer = child.stdin.getWriter();
  const encoder = new TextEncoder();
  let report: Report | undefined;
  let rest = "";
  try {
    for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      for (const line of lines) {
        if (line.startsWith("report ")) {
          report = JSON.parse(line.slice(7));
        }
        await writer.write(encoder.encode(`${tree.changes()}\n`));
      }
    }
    await writer.close().catch(() => {});
    await child.status;
    assertEquals(await errors, "", grant.flags.join(" "));
  } finally {
    tree.remove();
  }
  return report ?? fail("it ended early");
}

Deno.test("under each grant, what Deno does is done and what it refuses is refused", async (t) => {
  const every = times(211, 1);
  let count = 0;
  let refused = 0;
  for (const [i, grant] of GRANTS.entries()) {
    const name = [...grant.flags, ...(grant.revoke ?? []).map((what) => `-${what.name}`)].join(" ");
    await t.step(name || "nothing granted", async () => {
      const report = await compare(grant, every, i * 7);
      count += report.count;
      refused += report.refused;
      assertEquals(report.differences, []);
    });
  }
  console.log(`      ${count} cases compared, of which Deno refuses ${refused}`);
});
