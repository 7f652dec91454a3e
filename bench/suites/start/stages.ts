// Copyright 2026 the ioq authors. MIT license.

/**
 * A program that tells what the stages of starting take it, in milliseconds.
 *
 *     deno run -A stages.ts MOD
 *
 * @module
 */

const [mod] = Deno.args;

const times: number[] = [];
let last = performance.now();
const stage = () => {
  const now = performance.now();
  times.push(now - last);
  last = performance.now();
};

const { Ioq } = await import(mod!) as typeof import("../../../mod.ts");
stage();
const ioq = await Ioq.open();
stage();
await ioq.stat("/etc/hosts");
stage();
const second = await Ioq.open();
stage();
console.log(JSON.stringify(times));
await second.close();
await ioq.close();
