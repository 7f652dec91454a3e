// Copyright 2026 the ioq authors. MIT license.

/**
 * Trees copied and removed: one with all of its files in few directories, and one
 * whose directories are each in another. An operation is an entry.
 *
 * @module
 */

import { copyTree, removeTree } from "@ioq/ioq";
import { type Case, peer, subject } from "../../harness.ts";
import { runCommand } from "../walk/commands.ts";
import { effortOf, nodeSample, sampleOf, type Writers } from "./sample.ts";
import { copyByDeno } from "./trees_by_deno.ts";

const COPY_WIDE = "copy a wide tree, an entry";
const COPY_DEEP = "copy a deep tree, an entry";
const COPY_LARGE = "copy a tree of 30,000 entries, an entry";
const REMOVE_WIDE = "remove a wide tree, an entry";
const REMOVE_DEEP = "remove a deep tree, an entry";
const REMOVE_CHAIN = "remove a chain of 1,000 directories, each";
const REMOVE_LARGE = "remove a tree of 30,000 entries, an entry";

/** The tables, and the command that does the same. */
export const TREES: readonly { readonly group: string; readonly command: string }[] = [
  { group: COPY_WIDE, command: "cp -a" },
  { group: COPY_DEEP, command: "cp -a" },
  { group: REMOVE_WIDE, command: "rm -rf" },
  { group: REMOVE_DEEP, command: "rm -rf" },
  { group: REMOVE_CHAIN, command: "rm -rf" },
];
/** The same in memory only: on a disk it would take minutes. */
export const LARGE_TREES: typeof TREES = [
  { group: COPY_LARGE, command: "cp -a" },
  { group: REMOVE_LARGE, command: "rm -rf" },
];

const LENGTH = 2000;

/** How a tree is made. */
interface Shape {
  /** How many directories. */
  readonly directories: number;
  /** How many files in each. */
  readonly files: number;
  /** Whether each directory is in the one before. */
  readonly deep: boolean;
}

function makeTree(root: string, { directories, files, deep }: Shape): void {
  const bytes = new Uint8Array(LENGTH);
  let path = root;
  Deno.mkdirSync(root);
  for (let i = 0; i < directories; i++) {
    path = deep ? `${path}/d` : `${root}/d${i}`;
    Deno.mkdirSync(path);
    for (let j = 0; j < files; j++) {
      Deno.writeFileSync(`${path}/${j}`, bytes);
    }
  }
}

function copyCase(writers: Writers, group: string, shape: Shape): Case {
  const before = (at: string) => makeTree(`${at}/tree`, shape);
  const count = 1 + shape.directories * (1 + shape.files);
  const sample = (work: (from: string, to: string) => Promise<unknown>) =>
    sampleOf(writers, count, before, (at) => work(`${at}/tree`, `${at}/copy`));
  return {
    group: `${writers.place.name}: ${group}`,
    inFlight: 1,
    effort: effortOf(writers),
    runners: [
      subject("ioq", sample((from, to) => copyTree(from, to, { ioq: writers.ioq }))),
      subject(
        "ioq, preserve",
        sample((from, to) => copyTree(from, to, { ioq: writers.ioq, preserve: true })),
      ),
      peer("Deno", sample(copyByDeno)),
      peer("Node", nodeSample(writers, "copytree", 1, count, 0, before)),
      peer("cp -a", sample((from, to) => runCommand("cp", ["-a", from, to], 0))),
    ],
  };
}

function removeCase(writers: Writers, group: string, shape: Shape): Case {
  const before = (at: string) => makeTree(`${at}/tree`, shape);
  const count = 1 + shape.directories * (1 + shape.files);
  const sample = (work: (path: string) => Promise<unknown>) =>
    sampleOf(writers, count, before, (at) => work(`${at}/tree`));
  return {
    group: `${writers.place.name}: ${group}`,
    inFlight: 1,
    effort: effortOf(writers),
    runners: [
      subject("ioq", sample((path) => removeTree(path, { ioq: writers.ioq }))),
      peer("Deno", sample((path) => Deno.remove(path, { recursive: true }))),
      peer("Node", nodeSample(writers, "removetree", 1, count, 0, before)),
      peer("rm -rf", sample((path) => runCommand("rm", ["-rf", path], 0))),
    ],
  };
}

/** All of them. */
export function treeCases(writers: Writers): Case[] {
  const wide = writers.quick
    ? { directories: 4, files: 20, deep: false }
    : { directories: 20, files: 100, deep: false };
  const deep = { directories: writers.quick ? 20 : 400, files: 2, deep: true };
  const chain = { directories: writers.quick ? 20 : 1000, files: 0, deep: true };
  const large = writers.quick ? wide : { directories: 300, files: 99, deep: false };
  return [
    copyCase(writers, COPY_WIDE, wide),
    copyCase(writers, COPY_DEEP, deep),
    removeCase(writers, REMOVE_WIDE, wide),
    removeCase(writers, REMOVE_DEEP, deep),
    removeCase(writers, REMOVE_CHAIN, chain),
    ...(writers.place.keeps ? [] : [
      copyCase(writers, COPY_LARGE, large),
      removeCase(writers, REMOVE_LARGE, large),
    ]),
  ];
}
