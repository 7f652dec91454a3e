// Copyright 2026 the ioq authors. MIT license.

/**
 * The plan of the house, held against the house: a room imports from those rooms that
 * `docs/architecture.md` names, and from no others.
 */

import { assert, assertEquals } from "@std/assert";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../", import.meta.url));

/** A row of the plan. */
interface Room {
  readonly name: string;
  readonly imports: readonly string[];
}

/** The files of `src/` that stand in no folder, by the name that the plan has for them. */
const groups = new Map<string, string>();

function readPlan(): Room[] {
  const text = Deno.readTextFileSync(`${ROOT}docs/architecture.md`);
  const [, section] = /^## Rooms\n([^]*?)^`native\/` has/m.exec(text)!;
  return [...section!.matchAll(/^\| `([^`]+)`([^|]*)\|([^|]*)\|([^|]*)\|$/gm)]
    .map(([, folder, note, what, imports]) => {
      const group = /\((\w+)\)/.exec(note!)?.[1];
      if (group !== undefined) {
        for (const [, file] of what!.matchAll(/`(\w+\.ts)`/g)) {
          groups.set(file!, group);
        }
      }
      return {
        name: group ?? folder!,
        imports: imports!.split(",").map((it) => it.trim().replaceAll("`", "")).filter(Boolean),
      };
    });
}

/** The room of a file, given by its path from the root. */
function roomOf(path: string): string {
  const [top, second] = path.split("/");
  return top === "src" ? groups.get(second!) ?? `src/${second}` : top!;
}

function* sources(folder: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(ROOT + folder)) {
    if (isDirectory) {
      yield* sources(`${folder}/${name}`);
    } else if (name.endsWith(".ts")) {
      yield `${folder}/${name}`;
    }
  }
}

Deno.test("rooms import from those that the plan names", () => {
  const plan = readPlan();
  const names = plan.map(({ name }) => name);
  assert(names.length > 8, names.join());
  for (const { name, imports } of plan) {
    assertEquals(imports.filter((it) => !names.includes(it)), [], `${name}: rooms not in the plan`);
  }
  for (const path of sources("src")) {
    const room = plan.find(({ name }) => name === roomOf(path));
    if (room === undefined) {
      throw new Error(`${path} is in no room of the plan`);
    }
    const text = Deno.readTextFileSync(ROOT + path).replaceAll(/\/\*[^]*?\*\//g, "");
    for (const [, specifier] of text.matchAll(/(?:from |import\()"(\.[^"]+)"/g)) {
      const target = new URL(specifier!, `file://${ROOT}${path}`);
      const other = roomOf(fileURLToPath(target).slice(ROOT.length));
      assert(
        other === room.name || room.imports.includes(other),
        `${path} imports from ${other}, which docs/architecture.md does not name for ${room.name}`,
      );
    }
  }
});
