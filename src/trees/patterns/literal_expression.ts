// Copyright 2026 the ioq authors. MIT license.

/**
 * Regular expressions that stand for a few texts, as most of those do that name files:
 *
 *     /\.[jt]sx?$/              .js$ .jsx$ .ts$ .tsx$
 *     /(^|\/)(dist|out)$/       ^dist$ /dist$ ^out$ /out$
 *
 * What there is beyond literals, groups, alternatives, classes of a few characters and `?` makes an
 * expression one that only the engine can decide.
 *
 * @module
 */

/** Stands for the beginning of what is searched; no text has it. */
export const START = "\x02";
/** Stands for its end. */
export const END = "\x03";

/** What a backslash makes stand for itself. */
const PUNCTUATION = /^[!-/:-@[-`{-~ ]$/;
/** What names do not have, what stands for bytes that are no text, and what stands for ends. */
const NO_TEXT = `\0\ufffd${START}${END}`;

/** Texts that an expression may stand for. */
const TEXTS_MAX = 64;

/** Thrown inside when an expression is more than texts. */
class NotLiteral extends Error {}

class Parser {
  readonly #source: string;
  #at = 0;

  constructor(source: string) {
    this.#source = source;
  }

  /** All of it. */
  parse(): string[] {
    const texts = this.#alternatives();
    if (this.#at < this.#source.length) {
      throw new NotLiteral();
    }
    return texts;
  }

  #take(text: string): boolean {
    const isNext = this.#source.startsWith(text, this.#at);
    if (isNext) {
      this.#at += text.length;
    }
    return isNext;
  }

  #alternatives(): string[] {
    const texts = this.#sequence();
    while (this.#take("|")) {
      texts.push(...this.#sequence());
    }
    return checkCount(texts);
  }

  #sequence(): string[] {
    let texts = [""];
    while (this.#at < this.#source.length && !"|)".includes(this.#source[this.#at]!)) {
      const atom = this.#atom();
      const next = this.#source[this.#at];
      if (next !== undefined && "*+{".includes(next)) {
        throw new NotLiteral();
      }
      const parts = this.#take("?") ? ["", ...atom] : atom;
      texts = checkCount(texts.flatMap((text) => parts.map((part) => text + part)));
    }
    return texts;
  }

  #atom(): string[] {
    if (this.#take("(?:") || this.#take("(")) {
      const texts = this.#alternatives();
      if (!this.#take(")")) {
        throw new NotLiteral();
      }
      return texts;
    }
    if (this.#take("[")) {
      return this.#class();
    }
    if (this.#take("^")) {
      return [START];
    }
    if (this.#take("$")) {
      return [END];
    }
    if (".?*+{}".includes(this.#source[this.#at]!)) {
      throw new NotLiteral();
    }
    return [this.#character()];
  }

  /** A character that stands for itself. */
  #character(): string {
    const isEscaped = this.#take("\\");
    const character = this.#source[this.#at++] ?? "";
    const isText = isEscaped ? PUNCTUATION.test(character) : !NO_TEXT.includes(character);
    if (character === "" || !isText) {
      throw new NotLiteral();
    }
    return character;
  }

  #class(): string[] {
    const texts: string[] = [];
    while (!this.#take("]")) {
      if (texts.length === 0 && this.#take("^")) {
        throw new NotLiteral();
      }
      const first = this.#character();
      const last = this.#take("-") ? this.#character() : first;
      for (let code = first.charCodeAt(0); code <= last.charCodeAt(0); code++) {
        texts.push(String.fromCharCode(code));
        checkCount(texts);
      }
    }
    return texts;
  }
}

function checkCount(texts: string[]): string[] {
  if (texts.length > TEXTS_MAX) {
    throw new NotLiteral();
  }
  return texts;
}

/**
 * The texts one of which is somewhere in what an expression is found in, with {@linkcode START}
 * and {@linkcode END} for its ends; `undefined` if it is more than that.
 */
export function textsOf({ source, flags }: RegExp): string[] | undefined {
  if (/[imvy]/.test(flags)) {
    return undefined;
  }
  try {
    return new Parser(source).parse();
  } catch (error) {
    if (error instanceof NotLiteral) {
      return undefined;
    }
    throw error;
  }
}
