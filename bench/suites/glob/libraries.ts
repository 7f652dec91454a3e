// Copyright 2026 the ioq authors. MIT license.

/**
 * The packages of npm's that find files by patterns, which are installed for as long as the suite
 * runs.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { peer, type Run, type Runner } from "../../harness.ts";
import { isHere, LineProgram, type Missing } from "../../peers.ts";

/** The versions that are compared with. */
export const VERSIONS = { tinyglobby: "0.2.17", "fast-glob": "3.3.3", globby: "16.2.4" } as const;

/** One of them. */
export type Library = keyof typeof VERSIONS;

/** Finds paths. */
type Find = (patterns: readonly string[], options: object) => Promise<string[]>;

/** What a library is told. */
export interface Question {
  readonly patterns: readonly string[];
  readonly options: object;
}

/** The libraries, in this process and in Node. */
export interface Libraries extends AsyncDisposable {
  /** Their runners for a question, as far as a library answers it. */
  runners(questions: Partial<Record<Library, Question>>): Runner[];
}

/** Have npm install them into a directory; where they are. */
async function install(directory: string): Promise<string | Missing> {
  const packages = Object.entries(VERSIONS).map(([name, version]) => `${name}@${version}`);
  const prefix = `${directory}/npm`;
  Deno.mkdirSync(prefix);
  try {
    const { success, stderr } = await new Deno.Command("npm", {
      args: ["install", "--silent", "--no-audit", "--no-fund", "--prefix", prefix, ...packages],
      signal: AbortSignal.timeout(30_000),
    }).output();
    const reason = new TextDecoder().decode(stderr).trim().split("\n")[0];
    return success
      ? `${prefix}/node_modules`
      : { missing: `npm cannot install ${packages.join(", ")}: ${reason}` };
  } catch (error) {
    return { missing: `npm cannot install them: ${(error as Error).message}` };
  }
}

/** Load them into this process: Deno has its own way to install them. */
async function load(): Promise<Record<Library, Find>> {
  const { glob } = await import("npm:tinyglobby@0.2.17");
  const { default: fastGlob } = await import("npm:fast-glob@3.3.3");
  const { globby } = await import("npm:globby@16.2.4");
  const whole = { expandDirectories: false };
  return {
    tinyglobby: (patterns, options) => glob(patterns, { ...whole, ...options }),
    "fast-glob": (patterns, options) => fastGlob([...patterns], options),
    globby: (patterns, options) => globby(patterns, { ...whole, ...options }),
  };
}

/** Install and load them. */
export async function openLibraries(directory: string): Promise<Libraries> {
  const modules = await install(directory);
  const loaded = await load();
  const program = fileURLToPath(new URL("../../peers/glob.mjs", import.meta.url));
  const node: LineProgram | Missing = typeof modules !== "string"
    ? modules
    : await isHere("node")
    ? new LineProgram("node", [program, modules])
    : { missing: "there is no node here" };
  return {
    runners(questions) {
      return Object.entries(questions).flatMap(([name, question]) => {
        const library = name as Library;
        const onDeno: Run = async (count) => {
          let sum = 0;
          for (let i = 0; i < count; i++) {
            sum += (await loaded[library](question.patterns, question.options)).length;
          }
          return sum;
        };
        const onNode: Run | Missing = node instanceof LineProgram
          ? (count) => node.ask(JSON.stringify({ library, ...question, count }))
          : node;
        return [peer(`${library}, Deno`, onDeno), peer(`${library}, Node`, onNode)];
      });
    },
    async [Symbol.asyncDispose]() {
      if (node instanceof LineProgram) {
        await node[Symbol.asyncDispose]();
      }
    },
  };
}
