// Copyright 2026 the ioq authors. MIT license.

/**
 * Files written, created, appended to and renamed.
 *
 * @module
 */

import { type Case, peer, subject } from "../../harness.ts";
import { type Before, effortOf, many, nodeSample, sampleOf, type Writers } from "./sample.ts";

const KIBIBYTE = 1024;
const MEBIBYTE = KIBIBYTE * KIBIBYTE;
const SMALL_LENGTH = 2000;
const SMALL_IN_FLIGHT = 64;
const LARGE_LENGTH = 64 * MEBIBYTE;

const SMALL = "write a file of 2 kB";
const OVERWRITE = "write over a file of 2 kB";
const LARGE = "write a file of 64 MiB";
const CREATE = "create and close a file";
const RENAME = "rename";
const APPEND = "append 1 KiB, one after the other";
const SINGLE = "write 4 KiB, one after the other";

/** The tables, for goals. */
export const MANY: readonly { readonly group: string; readonly inFlight: number }[] = [
  ...[SMALL, OVERWRITE, CREATE, RENAME].map((group) => ({ group, inFlight: SMALL_IN_FLIGHT })),
  ...[LARGE, APPEND, SINGLE].map((group) => ({ group, inFlight: 1 })),
];

/** So many files, named by their numbers. */
function makeFiles(at: string, count: number, bytes: Uint8Array): void {
  for (let i = 0; i < count; i++) {
    Deno.writeFileSync(`${at}/${i}`, bytes);
  }
}

/** Whole files, side by side. */
function writeCase(
  writers: Writers,
  group: string,
  inFlight: number,
  count: number,
  length: number,
  before?: Before,
): Case {
  const { ioq } = writers;
  const bytes = new Uint8Array(length).fill(0x61);
  return {
    group: `${writers.place.name}: ${group}`,
    inFlight,
    effort: effortOf(writers),
    runners: [
      subject(
        "ioq",
        sampleOf(writers, count, before, (at) =>
          many(inFlight, count, async (take) => {
            for (let i; (i = take()) !== undefined;) {
              await ioq.writeFile(`${at}/${i}`, bytes);
            }
          })),
      ),
      peer(
        "Deno",
        sampleOf(writers, count, before, (at) =>
          many(inFlight, count, async (take) => {
            for (let i; (i = take()) !== undefined;) {
              await Deno.writeFile(`${at}/${i}`, bytes);
            }
          })),
      ),
      peer(
        "Deno, sync",
        sampleOf(writers, count, before, (at) => makeFiles(at, count, bytes)),
      ),
      peer("Node", nodeSample(writers, "write", inFlight, count, length, before)),
    ],
  };
}

function createCase(writers: Writers, inFlight: number, count: number): Case {
  const { ioq } = writers;
  return {
    group: `${writers.place.name}: ${CREATE}`,
    inFlight,
    effort: effortOf(writers),
    runners: [
      subject(
        "ioq",
        sampleOf(writers, count, undefined, (at) =>
          many(inFlight, count, async (take) => {
            for (let i; (i = take()) !== undefined;) {
              const file = await ioq.openFile(`${at}/${i}`, { write: true, createNew: true });
              await file.close();
            }
          })),
      ),
      peer(
        "Deno",
        sampleOf(writers, count, undefined, (at) =>
          many(inFlight, count, async (take) => {
            for (let i; (i = take()) !== undefined;) {
              (await Deno.open(`${at}/${i}`, { write: true, createNew: true })).close();
            }
          })),
      ),
      peer(
        "Deno, sync",
        sampleOf(writers, count, undefined, (at) => {
          for (let i = 0; i < count; i++) {
            Deno.openSync(`${at}/${i}`, { write: true, createNew: true }).close();
          }
        }),
      ),
      peer("Node", nodeSample(writers, "create", inFlight, count, 0)),
    ],
  };
}

function renameCase(writers: Writers, inFlight: number, count: number): Case {
  const { ioq } = writers;
  const before = (at: string) => makeFiles(at, count, new Uint8Array(1));
  return {
    group: `${writers.place.name}: ${RENAME}`,
    inFlight,
    effort: effortOf(writers),
    runners: [
      subject(
        "ioq",
        sampleOf(writers, count, before, (at) =>
          many(inFlight, count, async (take) => {
            for (let i; (i = take()) !== undefined;) {
              await ioq.rename(`${at}/${i}`, `${at}/renamed_${i}`);
            }
          })),
      ),
      peer(
        "Deno",
        sampleOf(writers, count, before, (at) =>
          many(inFlight, count, async (take) => {
            for (let i; (i = take()) !== undefined;) {
              await Deno.rename(`${at}/${i}`, `${at}/renamed_${i}`);
            }
          })),
      ),
      peer(
        "Deno, sync",
        sampleOf(writers, count, before, (at) => {
          for (let i = 0; i < count; i++) {
            Deno.renameSync(`${at}/${i}`, `${at}/renamed_${i}`);
          }
        }),
      ),
      peer("Node", nodeSample(writers, "rename", inFlight, count, 0, before)),
    ],
  };
}

/** One write after the other into a file, at its end or from its beginning. */
function singleCase(
  writers: Writers,
  group: string,
  append: boolean,
  count: number,
  length: number,
): Case {
  const { ioq } = writers;
  const bytes = new Uint8Array(length).fill(0x61);
  const options = { create: true, ...(append ? { append } : { write: true }) };
  return {
    group: `${writers.place.name}: ${group}`,
    inFlight: 1,
    effort: effortOf(writers),
    runners: [
      subject(
        "ioq",
        sampleOf(writers, count, undefined, async (at) => {
          await using file = await ioq.openFile(`${at}/file`, options);
          for (let i = 0; i < count; i++) {
            await file.write(bytes);
          }
        }),
      ),
      subject(
        "ioq, writeSync",
        sampleOf(writers, count, undefined, async (at) => {
          await using file = await ioq.openFile(`${at}/file`, options);
          for (let i = 0; i < count; i++) {
            file.writeSync(bytes);
          }
        }),
      ),
      peer(
        "Deno",
        sampleOf(writers, count, undefined, async (at) => {
          using file = await Deno.open(`${at}/file`, options);
          for (let i = 0; i < count; i++) {
            await file.write(bytes);
          }
        }),
      ),
      peer(
        "Deno, sync",
        sampleOf(writers, count, undefined, async (at) => {
          using file = await Deno.open(`${at}/file`, options);
          for (let i = 0; i < count; i++) {
            file.writeSync(bytes);
          }
        }),
      ),
      peer("Node", nodeSample(writers, append ? "append" : "single", 1, count, length)),
    ],
  };
}

/** All of them. */
export function fileCases(writers: Writers): Case[] {
  const small = writers.quick ? 200 : 5000;
  // On a disk, what is not timed takes longer than what is
  const count = writers.place.keeps ? Math.min(small, 1000) : small;
  const large = writers.quick ? MEBIBYTE : LARGE_LENGTH;
  const bytes = new Uint8Array(SMALL_LENGTH);
  return [
    writeCase(writers, SMALL, SMALL_IN_FLIGHT, small, SMALL_LENGTH),
    writeCase(
      writers,
      OVERWRITE,
      SMALL_IN_FLIGHT,
      count,
      SMALL_LENGTH,
      (at) => makeFiles(at, count, bytes),
    ),
    writeCase(writers, LARGE, 1, 1, large),
    createCase(writers, SMALL_IN_FLIGHT, count),
    renameCase(writers, SMALL_IN_FLIGHT, count),
    singleCase(writers, APPEND, true, count, KIBIBYTE),
    singleCase(writers, SINGLE, false, count, 4 * KIBIBYTE),
  ];
}
