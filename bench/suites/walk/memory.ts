// Copyright 2026 the ioq authors. MIT license.

/**
 * The memory that a walk takes.
 *
 * @module
 */

const MOD = new URL("../../../mod.ts", import.meta.url).href;

/** The most memory that a script has held at a time, in MiB. */
async function peakMemory(script: string): Promise<number> {
  const tell =
    `console.log(Deno.readTextFileSync("/proc/self/status").match(/VmHWM:\\s*(\\d+)/)[1])`;
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--quiet", `${script};${tell}`],
    stderr: "null",
  }).output();
  return Number(new TextDecoder().decode(stdout)) / 1024;
}

/** The most memory that a walk holds at a time beyond what an empty Deno does, in MiB. */
export async function peakMemoryOfWalk(root: string): Promise<number> {
  const empty = await peakMemory("0");
  const walking = await peakMemory(
    `const { walk } = await import("${MOD}"); for await (const _ of walk("${root}"));`,
  );
  return walking - empty;
}
