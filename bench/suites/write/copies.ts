// Copyright 2026 the ioq authors. MIT license.

/**
 * Copies of files, from small to large.
 *
 * @module
 */

import { type Case, peer, subject } from "../../harness.ts";
import { runCommand } from "../walk/commands.ts";
import { effortOf, many, nodeSample, sampleOf, type Writers } from "./sample.ts";

const KIBIBYTE = 1024;
const MEBIBYTE = KIBIBYTE * KIBIBYTE;

/** How long, how many, and how many at once. */
export const COPY_LENGTHS: readonly {
  readonly group: string;
  readonly length: number;
  readonly count: number;
  readonly inFlight: number;
}[] = [
  { group: "copy 1 KiB", length: KIBIBYTE, count: 2000, inFlight: 64 },
  { group: "copy 64 KiB", length: 64 * KIBIBYTE, count: 500, inFlight: 64 },
  { group: "copy 1 MiB", length: MEBIBYTE, count: 64, inFlight: 16 },
  { group: "copy 16 MiB", length: 16 * MEBIBYTE, count: 4, inFlight: 1 },
  { group: "copy 256 MiB", length: 256 * MEBIBYTE, count: 1, inFlight: 1 },
  { group: "copy 1 GiB", length: 1024 * MEBIBYTE, count: 1, inFlight: 1 },
];
/** From here on a command's start does not matter. */
const COMMAND_LENGTH = 16 * MEBIBYTE;
const QUICK_LENGTH = MEBIBYTE;

/** All of them. */
export function copyCases(writers: Writers): Case[] {
  const { ioq, quick, place } = writers;
  const cases = COPY_LENGTHS.filter(({ length }) => !quick || length <= QUICK_LENGTH);
  return cases.map(({ group, length, inFlight, ...more }) => {
    const count = quick ? Math.min(more.count, inFlight) : more.count;
    const before = (at: string) => Deno.writeFileSync(`${at}/from`, new Uint8Array(length).fill(1));
    return {
      group: `${place.name}: ${group}`,
      inFlight,
      effort: effortOf(writers),
      runners: [
        subject(
          "ioq",
          sampleOf(writers, count, before, (at) =>
            many(inFlight, count, async (take) => {
              for (let i; (i = take()) !== undefined;) {
                await ioq.copyFile(`${at}/from`, `${at}/to_${i}`);
              }
            })),
        ),
        peer(
          "Deno",
          sampleOf(writers, count, before, (at) =>
            many(inFlight, count, async (take) => {
              for (let i; (i = take()) !== undefined;) {
                await Deno.copyFile(`${at}/from`, `${at}/to_${i}`);
              }
            })),
        ),
        peer(
          "Deno, sync",
          sampleOf(writers, count, before, (at) => {
            for (let i = 0; i < count; i++) {
              Deno.copyFileSync(`${at}/from`, `${at}/to_${i}`);
            }
          }),
        ),
        peer("Node", nodeSample(writers, "copy", inFlight, count, 0, before)),
        ...(length >= COMMAND_LENGTH
          ? [peer(
            "cp",
            sampleOf(writers, count, before, async (at) => {
              for (let i = 0; i < count; i++) {
                await runCommand("cp", [`${at}/from`, `${at}/to_${i}`], 0);
              }
            }),
          )]
          : []),
      ],
    };
  });
}
