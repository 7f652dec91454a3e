// Copyright 2026 the ioq authors. MIT license.

/**
 * Patterns as `fnmatch(3)` has them, as expressions that find them in paths.
 *
 * @module
 */

function escape(character: string): string {
  return character.replace(/[\\^$.*+?()[\]{}|/-]/, "\\$&");
}

const CLASSES: Readonly<Record<string, string>> = {
  alnum: "\\p{L}\\p{N}",
  alpha: "\\p{L}",
  blank: " \\t",
  cntrl: "\\p{Cc}",
  digit: "0-9",
  graph: "\\p{L}\\p{M}\\p{N}\\p{P}\\p{S}",
  lower: "\\p{Ll}",
  print: "\\p{L}\\p{M}\\p{N}\\p{P}\\p{S} ",
  punct: "\\p{P}\\p{S}",
  space: "\\s",
  upper: "\\p{Lu}",
  xdigit: "0-9A-Fa-f",
};

/** What stands between brackets, from the character after the first one on. */
function parseBrackets(glob: readonly string[], from: number): [source: string, next: number] {
  let i = from;
  let source = "";
  if (glob[i] === "!" || glob[i] === "^") {
    source = "^/";
    i++;
  }
  const first = i;
  while (i < glob.length && (glob[i] !== "]" || i === first)) {
    const rest = glob.slice(i, i + 10).join("");
    const named = /^\[:([a-z]+):\]/.exec(rest);
    if (named !== null && Object.hasOwn(CLASSES, named[1]!)) {
      source += CLASSES[named[1]!];
      i += named[0].length;
    } else {
      if (glob[i] === "\\" && i + 1 < glob.length) {
        i++;
      }
      const isRange = glob[i + 1] === "-" && glob[i + 2] !== undefined && glob[i + 2] !== "]";
      source += escape(glob[i]!) + (isRange ? `-${escape(glob[i + 2]!)}` : "");
      i += isRange ? 3 : 1;
    }
  }
  // Without its end it is a bracket
  return i < glob.length ? [`[${source}]`, i + 1] : ["\\[", from];
}

/**
 * An expression that finds the paths whose name matches a pattern; or the paths
 * that match, if the pattern has a slash.
 *
 * @throws {SyntaxError} If it has a range from a later to an earlier character.
 */
export function globToPathExpression(glob: string): RegExp {
  const characters = [...glob];
  let source = "";
  for (let i = 0; i < characters.length;) {
    const character = characters[i++]!;
    if (character === "*") {
      source += "[^/]*";
    } else if (character === "?") {
      source += "[^/]";
    } else if (character === "[") {
      const [brackets, next] = parseBrackets(characters, i);
      source += brackets;
      i = next;
    } else {
      const escaped = character === "\\" && i < characters.length ? characters[i++]! : character;
      source += escape(escaped);
    }
  }
  // Only what is given on the command line can end in slashes
  return new RegExp(`${glob.includes("/") ? "^" : "(?:^|/)"}${source}/*$`, "u");
}
