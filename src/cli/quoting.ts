// Copyright 2026 the ioq authors. MIT license.

/**
 * Names as terminals and JSON may show them. A name can be anything but a slash and NUL:
 * what moves the cursor, switches colours or turns the direction of text would have a
 * terminal show what is not there, or do what nobody asked for.
 *
 * @module
 */

/** The same, of all that is text. Joiners are not, which are in the middle of emoji. */
const UNSAFE = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}]/gu;
const UNSAFE_RUN = /((?:(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}])+)/u;

/** What a shell takes for something else than a part of a word. */
const SPECIAL = /[\s"'`$\\!*?[\](){}<>|&;^]|^[#~=]|^$/;
/** What it does in double quotes, too. */
const SPECIAL_QUOTED = /["`$\\!]/;

/** Escapes that have a letter. */
const LETTERS: Readonly<Record<number, string>> = {
  7: "\\a",
  8: "\\b",
  9: "\\t",
  10: "\\n",
  11: "\\v",
  12: "\\f",
  13: "\\r",
};

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A message on one line, without what could do more than show. */
export function harmless(text: string): string {
  return text.replace(UNSAFE, "?");
}

/** JSON with `\u` escapes for what could do more than show. */
export function safeJson(value: unknown): string {
  return JSON.stringify(value).replace(
    UNSAFE,
    (character) =>
      Array.from(
        { length: character.length },
        (_, i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, "0")}`,
      ).join(""),
  );
}

/** Bytes as escapes of a shell. */
function escapeBytes(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => LETTERS[byte] ?? `\\${byte.toString(8).padStart(3, "0")}`)
    .join("");
}

/** Parts of a name: what may be shown, and between those what is escaped. */
function quoteParts(parts: readonly (string | { readonly escaped: string })[]): string {
  let quoted = "'";
  let open = true;
  for (const part of parts) {
    if (typeof part === "string") {
      quoted += (open ? "" : "'") + part.replaceAll("'", "'\\''");
      open = true;
    } else {
      quoted += `${open ? "'" : ""}$'${part.escaped}'`;
      open = false;
    }
  }
  return open ? `${quoted}'` : quoted;
}

/** What of a text may be shown, and the rest as escapes. */
function partsOf(text: string): (string | { escaped: string })[] {
  return text.split(UNSAFE_RUN)
    .map((part, i) => i % 2 === 0 ? part : { escaped: escapeBytes(encoder.encode(part)) })
    .filter((part) => part !== "");
}

/** How many bytes at a place are a character of UTF-8, or 0. */
function characterLength(bytes: Uint8Array, at: number): number {
  const lead = bytes[at]!;
  const length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  try {
    decoder.decode(bytes.subarray(at, at + length));
    return length;
  } catch {
    return 0;
  }
}

/** The same of bytes that are not UTF-8. */
function partsOfBytes(bytes: Uint8Array): (string | { escaped: string })[] {
  const parts: (string | { escaped: string })[] = [];
  let start = 0;
  let at = 0;
  const flush = () => {
    parts.push(...partsOf(decoder.decode(bytes.subarray(start, at))));
  };
  while (at < bytes.length) {
    const length = characterLength(bytes, at);
    if (length === 0) {
      flush();
      parts.push({ escaped: escapeBytes(bytes.subarray(at, at + 1)) });
      start = ++at;
    } else {
      at += length;
    }
  }
  flush();
  // Escapes that follow each other are one
  return parts.reduce<(string | { escaped: string })[]>((joined, part) => {
    const last = joined.at(-1);
    if (typeof part === "object" && typeof last === "object") {
      last.escaped += part.escaped;
    } else {
      joined.push(part);
    }
    return joined;
  }, []);
}

/**
 * A path for a terminal: quoted for a shell where that matters, as `ls` does it, with
 * what could do more than show as escapes.
 */
export function quote(path: string | Uint8Array): string {
  if (typeof path !== "string") {
    return quoteParts(partsOfBytes(path));
  }
  if (UNSAFE_RUN.test(path)) {
    return quoteParts(partsOf(path));
  }
  if (!SPECIAL.test(path)) {
    return path;
  }
  return path.includes("'") && !SPECIAL_QUOTED.test(path) ? `"${path}"` : quoteParts([path]);
}
