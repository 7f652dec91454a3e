// Copyright 2026 the ioq authors. MIT license.

/**
 * Commands from their start to their end, with nobody reading what they print.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { peer, type Run, type Runner, subject } from "../../harness.ts";
import { isHere, type Missing } from "../../peers.ts";

const CLI = fileURLToPath(new URL("../../../cli.ts", import.meta.url));

/** A command from its start to its end. A status above `codeMax` is an error. */
export async function runCommand(command: string, args: string[], codeMax = 1): Promise<void> {
  const { code } = await new Deno.Command(command, {
    args,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).output();
  if (code > codeMax) {
    throw new Error(`${command} ended with ${code}`);
  }
}

/** How many paths a command prints, or why it does not. */
async function countPaths(command: string, args: string[]): Promise<number | Missing> {
  try {
    const { stdout } = await new Deno.Command(command, { args, stderr: "null" }).output();
    return stdout.reduce((sum, byte) => sum + Number(byte === 0), 0);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      return { missing: `there is no ${command} here` };
    }
    throw error;
  }
}

/**
 * Run a command that prints paths, each with a NUL.
 *
 * @param expected How many; fewer by one for what does not print the root.
 */
async function commandRun(
  [command, ...args]: readonly [string, ...string[]],
  expected: number,
): Promise<Run | Missing> {
  const found = await countPaths(command, args);
  if (typeof found !== "number") {
    return found;
  }
  if (found !== expected && found !== expected - 1) {
    return { missing: `${command} finds ${found} instead of ${expected}` };
  }
  return async (count) => {
    for (let i = 0; i < count; i++) {
      await runCommand(command, args);
    }
    return count * expected;
  };
}

/** What Deno takes to start and to end with an empty file: no command on it can be faster. */
export function floorRun(empty: string): Run {
  return async (count) => {
    for (let i = 0; i < count; i++) {
      await runCommand(Deno.execPath(), ["run", "-A", "--quiet", empty]);
    }
    return count;
  };
}

/** The commands, as they print everything below a root, of so many entries. */
export async function commandRunners(
  root: string,
  expected: number,
): Promise<Runner[]> {
  const ioqFind = ["run", "-A", "--quiet", CLI, "find", "--print0", root] as const;
  const fd = await isHere("fdfind") ? "fdfind" : "fd";
  const run = (...command: [string, ...string[]]) => commandRun(command, expected);
  return [
    subject("ioq find", await run(Deno.execPath(), ...ioqFind)),
    peer("find", await run("find", root, "-print0")),
    peer("fd -u", await run(fd, "-u", "-0", ".", root)),
    peer("bfs", await run("bfs", root, "-print0")),
  ];
}
