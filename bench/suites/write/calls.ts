// Copyright 2026 the ioq authors. MIT license.

/**
 * Calls that take several operations each, beside what Deno's calls make of them.
 *
 * @module
 */

import { type Case, peer, subject } from "../../harness.ts";
import { effortOf, many, sampleOf, type Writers } from "./sample.ts";

const IN_FLIGHT = 64;

/** The tables, for goals. */
export const CALLS: readonly { readonly group: string; readonly inFlight: number }[] = [
  { group: "make a temporary file", inFlight: IN_FLIGHT },
  { group: "make a directory that is missing", inFlight: IN_FLIGHT },
  { group: "move a file", inFlight: IN_FLIGHT },
  { group: "empty a directory, a file", inFlight: 1 },
];

/** So many files in a directory. */
function makeFiles(at: string, count: number): void {
  for (let i = 0; i < count; i++) {
    Deno.writeTextFileSync(`${at}/${i}`, "text");
  }
}

/** All of them. */
export function callCases(writers: Writers): Case[] {
  const { ioq, place, quick } = writers;
  const count = quick ? 100 : 1000;
  const effort = effortOf(writers);
  const table = (index: number) => ({
    group: `${place.name}: ${CALLS[index]!.group}`,
    inFlight: CALLS[index]!.inFlight,
    effort,
  });
  /** The same call again and again, side by side. */
  const each = (
    call: (at: string, i: number) => Promise<unknown>,
    before?: (at: string) => void,
  ) =>
    sampleOf(writers, count, before, (at) =>
      many(IN_FLIGHT, count, async (take) => {
        for (let i; (i = take()) !== undefined;) {
          await call(at, i);
        }
      }));
  const files = (at: string) => makeFiles(at, count);
  return [
    {
      ...table(0),
      runners: [
        subject("ioq", each((dir) => ioq.makeTempFile({ dir }))),
        peer("Deno", each((dir) => Deno.makeTempFile({ dir }))),
      ],
    },
    {
      ...table(1),
      runners: [
        subject("ioq", each((at, i) => ioq.ensureDir(`${at}/${i}`))),
        peer(
          "Deno",
          each(async (at, i) => {
            // As @std/fs
            await Deno.stat(`${at}/${i}`).catch(() => {});
            await Deno.mkdir(`${at}/${i}`, { recursive: true });
          }),
        ),
      ],
    },
    {
      ...table(2),
      runners: [
        subject("ioq", each((at, i) => ioq.move(`${at}/${i}`, `${at}/to_${i}`), files)),
        peer(
          "Deno",
          each(async (at, i) => {
            // As @std/fs: look at both, then rename
            await Deno.stat(`${at}/${i}`);
            await Deno.lstat(`${at}/to_${i}`).catch(() => {});
            await Deno.rename(`${at}/${i}`, `${at}/to_${i}`);
          }, files),
        ),
      ],
    },
    {
      ...table(3),
      runners: [
        subject("ioq", sampleOf(writers, count, files, (at) => ioq.emptyDir(at))),
        peer(
          "Deno",
          sampleOf(writers, count, files, async (at) => {
            const names = (await Array.fromAsync(Deno.readDir(at))).map(({ name }) => name);
            await Promise.all(
              names.map((name) => Deno.remove(`${at}/${name}`, { recursive: true })),
            );
          }),
        ),
      ],
    },
  ];
}
