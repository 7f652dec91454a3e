// Copyright 2026 the ioq authors. MIT license.

/**
 * One process of the differential test: under the permissions that it was started with it
 * makes each call in each way, first by Deno and then by us, and says where they differ.
 * Whoever started it makes the tree anew and tells what a call has changed: it writes a
 * line for that, and reads one.
 */

import { Ioq, type IoqOptions, type IoqRequest, op } from "../../mod.ts";
import { LANE } from "../../src/backends/open_backend.ts";
import {
  type Bench,
  type Call,
  CALLS,
  type Form,
  FORMS,
  type Spot,
  SPOTS,
  type Subject,
} from "./calls.ts";

/** What a process is to do. */
export interface Task {
  readonly library: string;
  /** The folder that paths are relative to. */
  readonly good: string;
  /** Permissions to revoke first. */
  readonly revoke: readonly Deno.PermissionDescriptor[];
  /** Rows by name. */
  readonly rows: readonly string[];
  /** Each so many-eth case, beginning with the last one. */
  readonly every: number;
  readonly first: number;
}

/** What it finds. */
export interface Report {
  /** Cases that were compared. */
  readonly count: number;
  /** Of these, what Deno refused. */
  readonly refused: number;
  /** Where we differ. */
  readonly differences: readonly string[];
}

const ROWS: Readonly<Record<string, IoqOptions>> = {
  "uring": { backend: "uring" },
  "threads": { backend: "threads" },
  "worker": { backend: "worker" },
  "worker without library": { backend: "worker", library: "/nonexistent/libioq.so" },
  "main thread": { backend: "worker", [LANE]: null } as IoqOptions,
  "main thread without library": {
    backend: "worker",
    library: "/nonexistent/libioq.so",
    [LANE]: null,
  } as IoqOptions,
};

/** All rows. */
export const ROW_NAMES: readonly string[] = Object.keys(ROWS);

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Say a line to whoever started this, and hear one. */
function ask(line: string): string {
  const bytes = encoder.encode(`${line}\n`);
  for (let at = 0; at < bytes.length;) {
    at += Deno.stdout.writeSync(bytes.subarray(at));
  }
  let answer = "";
  const buffer = new Uint8Array(4096);
  while (!answer.endsWith("\n")) {
    const count = Deno.stdin.readSync(buffer);
    if (count === null) {
      throw new Error("nobody answers");
    }
    answer += decoder.decode(buffer.subarray(0, count), { stream: true });
  }
  return answer.slice(0, -1);
}

/** What came of a call: a value or a class of error, and what it changed. */
interface Outcome {
  readonly said: string;
  readonly message: string;
  readonly changed: string;
}

/** A text without the figures that change all the time. */
function stillText(text: string): string {
  return text.replaceAll(/some avg10=.*? total=\d+\\\\?n"?/g, "pressure");
}

async function outcomeOf(run: () => unknown): Promise<Outcome> {
  let said;
  let message = "";
  try {
    said = `ok ${JSON.stringify(await run()) ?? ""}`;
  } catch (error) {
    said = (error as Error).name;
    message = (error as Error).message;
  }
  return { said: stillText(said), message, changed: stillText(ask("look")) };
}

/** Whether a call may be made at a spot. */
function isHarmless(call: Call, { machine, keep, readOnly, endless }: Spot): boolean {
  return !(endless && call.toEnd) && !(readOnly && (call.destroys || call.reaches)) &&
    !(machine && call.reaches) &&
    !(keep && call.destroys);
}

/** The path of a spot as text. */
function textOf({ name }: Spot, good: string): string {
  return name === "" || name.startsWith("/") ? name : `${good}/${name}`;
}

/** A path in a form, or nothing if it has none. */
function subjectOf(spot: Spot, form: Form, call: Call, bench: Bench): Subject | undefined {
  const text = textOf(spot, bench.good);
  switch (form) {
    case "text":
      return { text, path: text, options: {} };
    case "bytes":
      return { text, path: encoder.encode(text), options: {} };
    case "url": {
      const url = new URL(`file://${text.replaceAll(" ", "%20")}`);
      // A URL has no ".." any more
      return decodeURIComponent(url.pathname) === text
        ? { text, path: url, options: {} }
        : undefined;
    }
    case "at": {
      const { name } = spot;
      return call.at && bench.at !== undefined && name !== "" && !name.startsWith("/")
        ? { text, path: name, options: { at: bench.at } }
        : undefined;
    }
  }
}

/** By the stream. */
async function streamed(ioq: Ioq, request: IoqRequest): Promise<unknown> {
  ioq.submit(request);
  for await (const completion of ioq) {
    if (!completion.ok) {
      throw completion.error;
    }
    return completion.value;
  }
  return undefined;
}

/** What is not as Deno does it on purpose, and why. */
function isStricter(name: string, spot: Spot, deno: Outcome, ours: Outcome): boolean {
  // Deno looks where a link leads when it copies from it, not when it copies to it, nor
  // when a file takes its name
  const special = ["null", "full", "tty", "environ", "pressure/cpu", "shm", "shm-missing"];
  if ((name === "copy to" || name === "writeFile atomic") && special.includes(spot.name)) {
    return ours.said === "NotCapable" && ours.changed === "" && deno.said !== "NotCapable";
  }
  // Of what may not be written to and what is missing it tells the one first, we the other
  const fails = [deno, ours].every(({ said, changed }) => !said.startsWith("ok") && changed === "");
  return name === "copy from" && fails ||
    // Nothing may be written there: it says so when it sets the mode, we when we write
    name === "copy to" && spot.name === "environ" && fails ||
    // It has the class for this, and gives it to none of its files' errors
    ours.said === "Busy" && deno.said === "Error" && fails ||
    // It empties a directory, also one that a link leads to, and then cannot remove it
    name === "remove recursive" && (spot.name === "sub/." && ours.said === "ok " ||
        /^sub\/\.$|^link-.*\/$/.test(spot.name) && ours.said === deno.said && ours.changed === "");
}

/** Whether a row lacks the operation, which is no matter of permissions. */
function isLacking({ said, message }: Outcome, deno: Outcome, form: Form, row: string): boolean {
  // Without the library nobody can tell where a descriptor leads
  return form === "at" && row.endsWith("without library") && said === "NotCapable" ||
    deno.said !== "NotCapable" && (said === "NotSupported" ||
        // Several of the runtime's calls stand for one, and look first what something is
        message.includes("without the native library") || message.includes("Deno's own call"));
}

async function main(task: Task): Promise<Report> {
  for (const descriptor of task.revoke) {
    Deno.permissions.revokeSync(descriptor);
  }
  const { good } = task;
  let count = 0;
  let refused = 0;
  let index = task.first;
  const differences: string[] = [];
  for (const row of task.rows) {
    const ioq = await Ioq.open({ library: task.library, ...ROWS[row] });
    const at = await ioq.run(op.openDir(good)).catch(() => undefined);
    const bench: Bench = { ioq, good, at };
    for (const [name, call] of Object.entries(CALLS)) {
      for (const spot of SPOTS) {
        if (!isHarmless(call, spot)) {
          continue;
        }
        let deno: Outcome | undefined;
        for (const form of FORMS) {
          const subject = subjectOf(spot, form, call, bench);
          for (const way of ["promise", "request", "stream"] as const) {
            const has = way === "promise" ? call.promise : call.request;
            if (subject === undefined || has === undefined || index++ % task.every !== 0) {
              continue;
            }
            deno ??= await outcomeOf(() => call.deno(subject.text, bench));
            const ours = await outcomeOf(() =>
              way === "promise"
                ? call.promise!(subject, bench)
                : way === "request"
                ? ioq.run(call.request!(subject, bench))
                : streamed(ioq, call.request!(subject, bench))
            );
            if (isLacking(ours, deno, form, row)) {
              continue;
            }
            count++;
            refused += Number(deno.said === "NotCapable");
            const values = way === "promise" && !call.alike;
            const same = call.alike
              ? (ours.said === "NotCapable") === (deno.said === "NotCapable")
              : (values || !ours.said.startsWith("ok")
                ? ours.said === deno.said
                : deno.said.startsWith("ok")) && ours.changed === deno.changed;
            if (!same && !isStricter(name, spot, deno, ours)) {
              differences.push(
                `${name} '${spot.name}' (${form}, ${way}, ${row}): ` +
                  `Deno ${deno.said} [${deno.changed}] ${deno.message}, ` +
                  `we ${ours.said} [${ours.changed}] ${ours.message}`,
              );
            }
          }
        }
      }
    }
    if (at !== undefined) {
      await ioq.run(op.closeDir(at));
    }
    await ioq.close();
  }
  return { count, refused, differences };
}

if (import.meta.main) {
  const report = await main(JSON.parse(Deno.args[0]!));
  ask(`report ${JSON.stringify(report)}`);
}
