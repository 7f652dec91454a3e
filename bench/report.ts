// Copyright 2026 the ioq authors. MIT license.

/**
 * Results as tables for the reader.
 *
 * @module
 */

import type { BackendInfo } from "@ioq/ioq";
import type { CaseResult, Result } from "./harness.ts";
import type { Machine } from "./machine.ts";
import type { PeerVersions } from "./peer_versions.ts";
import type { Fact, GoalResult } from "./suite.ts";

const integer = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

/** A time with three digits that count. */
export function formatTime(ns: number): string {
  const [value, unit] = ns < 1e3 ? [ns, "ns"] : ns < 1e6 ? [ns / 1e3, "µs"] : [ns / 1e6, "ms"];
  return `${formatNumber(value)} ${unit}`;
}

function formatNumber(value: number): string {
  return value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : integer.format(value);
}

/** A ratio with three digits that count. */
export function formatRatio(value: number): string {
  return `${formatNumber(value)} ×`;
}

/** Lay rows out in columns: the first is left-aligned, the others right-aligned. */
function layOut(rows: readonly (readonly string[])[], left: number): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, i) => widths[i] = Math.max(widths[i] ?? 0, cell.length));
  }
  return rows.map((row) =>
    row.map((cell, i) => i === left ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))
      .join("  ").trimEnd()
  );
}

function resultRow(item: CaseResult, result: Result, index: number, peers: string[]): string[] {
  const depth = index === 0 ? String(item.inFlight) : "";
  if (result.missing !== undefined) {
    return [depth, result.name, "missing", result.missing];
  }
  const { median, min, max } = result.ns;
  return [
    depth,
    result.name,
    formatTime(median),
    `${formatTime(min)} – ${formatTime(max)}`,
    integer.format(result.operationsPerSecond),
    ...peers.map((peer) => {
      const ratio = result.role === "subject" ? result.ratios[peer] : undefined;
      return ratio === undefined ? "" : formatRatio(ratio);
    }),
  ];
}

/** The table of a group: its cases by number in flight, their runners below each other. */
export function formatGroup(cases: readonly CaseResult[], note: string | undefined): string {
  const { group, results } = cases[0]!;
  const peers = results.filter((result) => result.role === "peer").map((result) => result.name);
  const head = ["in flight", "", "each", "min – max", "per second"];
  const rows = cases.flatMap((item) =>
    item.results.map((result, i) => resultRow(item, result, i, peers))
  );
  const lines = layOut([[...head, ...peers.map((peer) => `vs ${peer}`)], ...rows], 1);
  return `${group}${note === undefined ? "" : ` (${note})`}\n${lines.join("\n")}\n`;
}

/** A goal in words: what it is about, what was measured, what it is, and what came of it. */
export interface GoalInWords {
  readonly about: string;
  readonly measured: string;
  readonly goal: string;
  /** `undefined`: it was not measured. */
  readonly reached: boolean | undefined;
}

function describeGoal(goal: GoalResult): GoalInWords {
  const format = (value: number) =>
    goal.asTime
      ? formatTime(1e9 / value)
      : goal.peer === undefined
      ? `${formatNumber(value / 1e6)} M/s`
      : formatRatio(value);
  const against = goal.peer === undefined ? "" : `, vs ${goal.peer}`;
  const deep = goal.inFlight.length > 1 || goal.inFlight[0] !== 1;
  return {
    about: `${goal.group}, ${goal.subject}` +
      `${deep ? `, ${goal.inFlight.join("/")} in flight` : ""}${against}`,
    measured: goal.measured === undefined ? "–" : format(goal.measured),
    goal: `${goal.asTime ? "≤" : "≥"} ${format(goal.atLeast)}`,
    reached: goal.measured === undefined ? undefined : goal.reached,
  };
}

function describeFact({ name, value, unit, atMost }: Fact): GoalInWords {
  return {
    about: name,
    measured: `${integer.format(value)} ${unit}`,
    goal: `≤ ${integer.format(atMost)} ${unit}`,
    reached: value <= atMost,
  };
}

/** All that a suite is to reach, in words. */
export function describeGoals(
  goals: readonly GoalResult[],
  facts: readonly Fact[],
): GoalInWords[] {
  return [...goals.map(describeGoal), ...facts.map(describeFact)];
}

/** The goals, and what came of them. */
export function formatGoals(goals: readonly GoalResult[], facts: readonly Fact[]): string {
  const rows = describeGoals(goals, facts).map((it) => [
    it.reached === undefined ? "not measured" : it.reached ? "reached" : "NOT REACHED",
    it.about,
    it.measured,
    `goal ${it.goal}`,
  ]);
  return `Goals (where several depths are listed, the slowest counts)\n${
    layOut(rows, 1).join("\n")
  }\n`;
}

/** Where it ran, in a line or two. */
export function formatMachine(machine: Machine): string {
  return `${machine.cpu ?? "unknown processor"}, ${machine.cores} cores, ` +
    `${Math.round(machine.memoryBytes / 2 ** 30)} GiB, Linux ${machine.kernel} ${machine.arch}\n` +
    `Deno ${machine.deno}, V8 ${machine.v8}, liburing ${machine.liburing ?? "of unknown version"}`;
}

/** The versions of peers in a line, and which are missing. */
export function formatPeers(peers: PeerVersions): string {
  return Object.entries(peers)
    .map(([name, version]) => version === null ? `no ${name}` : `${name} ${version}`)
    .join(", ");
}

/** A backend in a line. */
export function formatBackend(backend: BackendInfo): string {
  const { ring } = backend;
  const flags = ring === undefined ? "" : `, ring of ${ring.entries} (${ring.flags.join(", ")})`;
  const reason = backend.reason === undefined ? "" : `, because ${backend.reason}`;
  return `backend ${backend.kind}, ${backend.lanes} lanes${flags}${reason}`;
}
