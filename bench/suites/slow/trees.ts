// Copyright 2026 the ioq authors. MIT license.

/**
 * Whole trees on a slow mount: walked, copied and removed. An operation is a tree.
 *
 * @module
 */

import { copyTree, type Ioq, removeTree } from "@ioq/ioq";
import { mountFuse } from "../../../tests/storm/mount.ts";
import { type Case, type Effort, peer, type Run, type Runner, subject } from "../../harness.ts";
import {
  denoWalk,
  listPaths,
  oursWalk,
  type PathPeers,
  threadsName,
  type TreeKind,
} from "../../path_runners.ts";
import { isHere } from "../../peers.ts";
import { runCommand } from "../walk/commands.ts";
import { copyByDeno } from "../write/trees_by_deno.ts";

const WALK = "slow mount: walk";
const WALK_STAT = "slow mount: walk and stat";
const COPY = "slow mount: copy a tree";
const REMOVE = "slow mount: remove a tree";

const EFFORT: Effort = { rounds: 2, sampleMs: 0, warmRuns: 0, verifyOperations: 1 };
const SLOW_EFFORT: Effort = { ...EFFORT, verifyOperations: 0 };
/** As many threads as pay for a tree of this size. */
const THREADS = 64;

/** Something that is made for each run before the clock runs, and goes after it. */
function prepared(
  before: () => Promise<void>,
  work: () => Promise<unknown>,
  after: () => Promise<void>,
): Run {
  return async (count) => {
    let ms = 0;
    for (let i = 0; i < count; i++) {
      await before();
      const start = performance.now();
      await work();
      ms += performance.now() - start;
      await after();
    }
    return { ms, sum: count };
  };
}

/** A command that prints as many lines as there are entries. */
function walkCommand(command: string, args: string[], entries: number): Run {
  return async (count) => {
    for (let i = 0; i < count; i++) {
      await runCommand(command, args);
    }
    return entries * count;
  };
}

/** The cases, on a mount of their own. */
export async function treeCases(
  ioq: Ioq,
  peers: PathPeers,
  directory: string,
  stack: AsyncDisposableStack,
  quick: boolean,
): Promise<Case[]> {
  const tree = quick
    ? { directories: 3, files: 2, bytes: 2048, fan: 2 }
    : { directories: 12, files: 5, bytes: 2048, fan: 3 };
  const fs = stack.use(
    await mountFuse({ latencyUs: { lookup: 2000, readdir: 45_000 }, noFlush: true, tree }),
  );
  const root = fs.at("d0");
  const entries = tree.directories * (1 + tree.files);
  const list = listPaths(`${directory}/root`, [root]);
  const fd = await isHere("fdfind") ? "fdfind" : "fd";
  const command = async (name: string, args: string[]): Promise<Runner["run"]> =>
    await isHere(name) ? walkCommand(name, args, entries) : { missing: `there is no ${name} here` };

  const copy = fs.at("copy");
  const plain = async (path: string) => {
    await fs.tell({ latencyUs: { lookup: 0, readdir: 0 } });
    await Deno.remove(path, { recursive: true }).catch(() => {});
  };
  const late = () => fs.tell({ latencyUs: { lookup: 2000, readdir: 45_000 } });
  const copying = (work: () => Promise<unknown>) =>
    prepared(late, work, () => plain(copy).then(late));
  const removing = (work: () => Promise<unknown>) =>
    prepared(
      async () => {
        await plain(copy);
        await copyByDeno(root, copy);
        await late();
      },
      work,
      () => plain(copy).then(late),
    );

  const nodeList = listPaths(`${directory}/from_to`, [root, copy]).list;
  const copyList = listPaths(`${directory}/copy`, [copy]).list;
  const walkRunners = async (kind: TreeKind): Promise<Runner[]> => {
    const stat = kind === "walkstat";
    return [
      subject("ioq", oursWalk(ioq, root, stat)),
      peer("Deno", denoWalk(root, stat)),
      peer("Node, recursive", peers.node(kind, list, 1)),
      peer("find", await command("find", stat ? [root, "-size", "-1000k"] : [root])),
      ...(stat ? [] : [peer("fd", await command(fd, ["-u", ".", root]))]),
      peer("bfs", await command("bfs", stat ? [root, "-size", "-1000k"] : [root])),
      peer(threadsName(THREADS), peers.threads(kind, list, THREADS)),
    ];
  };
  return [
    { group: WALK, inFlight: 1, effort: EFFORT, runners: await walkRunners("walk") },
    { group: WALK_STAT, inFlight: 1, effort: EFFORT, runners: await walkRunners("walkstat") },
    {
      group: COPY,
      inFlight: 1,
      effort: SLOW_EFFORT,
      runners: [
        subject("copyTree", copying(() => copyTree(root, copy, { ioq }))),
        peer("Deno", copying(() => copyByDeno(root, copy))),
        peer(
          "Node, cp",
          peers.nodeIsHere === true
            ? copying(() => peers.nodeOnce("copytree", nodeList))
            : peers.nodeIsHere,
        ),
        peer("cp -a", copying(() => runCommand("cp", ["-a", root, copy], 0))),
      ],
    },
    {
      group: REMOVE,
      inFlight: 1,
      effort: SLOW_EFFORT,
      runners: [
        subject("removeTree", removing(() => removeTree(copy, { ioq }))),
        peer("Deno", removing(() => Deno.remove(copy, { recursive: true }))),
        peer(
          "Node, rm",
          peers.nodeIsHere === true
            ? removing(() => peers.nodeOnce("removetree", copyList))
            : peers.nodeIsHere,
        ),
        peer("rm -rf", removing(() => runCommand("rm", ["-rf", copy], 0))),
      ],
    },
  ];
}
