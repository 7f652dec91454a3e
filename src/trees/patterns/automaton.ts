// Copyright 2026 the ioq authors. MIT license.

/**
 * Deciding expressions in time that is linear in what is matched, whatever the expression.
 *
 *     expression ──▶ states with edges ──▶ sets of states, made as they are met
 *
 * A regular expression of JavaScript's goes back and tries again: `*a*a*a*a*b` against a
 * name of a hundred `a` takes it minutes. Here all ways are gone at once. A set of states
 * that was met is kept with its successors, so that a byte costs one look-up. No more
 * than some thousand sets are kept. Beyond, they are made anew, each in time that the size of
 * the pattern bounds.
 *
 * A negation needs all sets of what it negates beforehand. There may be exponentially many:
 * beyond a limit the pattern is refused.
 *
 * @module
 */

import { type ByteSet, DOT, type Expression, SLASH } from "./expression.ts";

/** States of one automaton, at the most. */
const STATES_MAX = 1 << 16;
/** Sets of states that are kept, at the most. */
const SETS_MAX = 2048;
/** Sets of states of what is negated, at the most. */
const NEGATED_MAX = 512;

/** One byte of a set leads from here to there. */
const BYTE = 0;
/** To both. */
const SPLIT = 1;
/** To there, if no dot comes next. */
const NO_DOT = 2;
/** The end. */
const ACCEPT = 3;
/** Nowhere. */
const DEAD = 4;

/** What stands for the byte after the last one. */
const END = -1;

/** Sets of states by what they may come to. */
export interface StateSet {
  /** The states, in order, as they are before what takes no byte. */
  readonly states: Int32Array;
  /** By byte; made when it is needed. */
  readonly next: (StateSet | undefined)[];
  /** The labels of what has matched if nothing comes any more: a bit each. */
  readonly accepts: number;
}

/** An expression, and what it is called by: a bit of {@linkcode StateSet.accepts}. */
export interface Labelled {
  readonly label: number;
  readonly expression: Expression;
}

/** The pattern is larger than what may be decided. */
function tooComplex(): RangeError {
  return new RangeError("The pattern is too complex");
}

const encoder = new TextEncoder();

/** Decides expressions. */
export class Automaton {
  readonly #kinds: number[] = [];
  /** The next state; of {@linkcode ACCEPT}, the label. */
  readonly #to: number[] = [];
  /** The other one of a {@linkcode SPLIT}. */
  readonly #other: number[] = [];
  readonly #sets: (ByteSet | undefined)[] = [];
  readonly #known = new Map<string, StateSet>();
  readonly #start: readonly number[];
  /** By state, when it was last added to what is being gathered. */
  readonly #seen: Int32Array;
  #round = 0;
  #first: StateSet | undefined;

  /** @throws {RangeError} If the expressions are too complex. */
  constructor(expressions: readonly Labelled[]) {
    this.#start = expressions.map(({ label, expression }) =>
      this.#build(expression, this.#add(ACCEPT, label))
    );
    this.#seen = new Int32Array(this.#kinds.length);
  }

  /** Where it begins. */
  get start(): StateSet {
    return this.#first ??= this.#setOf([...this.#start].sort((a, b) => a - b));
  }

  /** Where a byte leads. */
  step(from: StateSet, byte: number): StateSet {
    return from.next[byte] ??= this.#follow(from, byte);
  }

  /** Where a text leads, which is taken as UTF-8. */
  advance(from: StateSet, text: string): StateSet {
    let set = from;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code >= 0x80) {
        return this.advanceBytes(set, encoder.encode(text.slice(i)));
      }
      set = set.next[code] ?? this.step(set, code);
    }
    return set;
  }

  /** Where bytes lead. */
  advanceBytes(from: StateSet, bytes: Uint8Array): StateSet {
    let set = from;
    for (const byte of bytes) {
      set = set.next[byte] ?? this.step(set, byte);
    }
    return set;
  }

  /** The labels of what matches a text as a whole. */
  match(text: string | Uint8Array): number {
    return typeof text === "string"
      ? this.advance(this.start, text).accepts
      : this.advanceBytes(this.start, text).accepts;
  }

  /**
   * All sets that there are, the first first, each with its successors.
   *
   * @param most How many there may be.
   * @returns `undefined` if there are more.
   */
  table(most: number): { sets: StateSet[]; next: Int32Array } | undefined {
    const numbers = new Map<string, number>();
    const sets: StateSet[] = [];
    const numberOf = (set: StateSet): number => {
      const key = keyOf(set.states);
      let number = numbers.get(key);
      if (number === undefined) {
        number = sets.length;
        numbers.set(key, number);
        sets.push(set);
      }
      return number;
    };
    numberOf(this.start);
    const rows: Int32Array[] = [];
    for (let i = 0; i < sets.length; i++) {
      const row = new Int32Array(256);
      for (let byte = 0; byte < 256; byte++) {
        row[byte] = numberOf(this.step(sets[i]!, byte));
        if (sets.length > most) {
          return undefined;
        }
      }
      rows.push(row);
    }
    const next = new Int32Array(rows.length * 256);
    rows.forEach((row, i) => next.set(row, i * 256));
    return { sets, next };
  }

  #add(kind: number, to: number, other = -1, set?: ByteSet): number {
    if (this.#kinds.length >= STATES_MAX) {
      throw tooComplex();
    }
    this.#to.push(to);
    this.#other.push(other);
    this.#sets.push(set);
    return this.#kinds.push(kind) - 1;
  }

  /** Make the states of an expression. Returns where it begins. */
  #build(expression: Expression, after: number): number {
    switch (expression.kind) {
      case "byte":
        return this.#add(BYTE, after, -1, expression.set);
      case "sequence":
        return expression.items.reduceRight((next, item) => this.#build(item, next), after);
      case "either": {
        if (expression.items.length === 0) {
          return this.#add(DEAD, -1);
        }
        const begins = expression.items.map((item) => this.#build(item, after));
        return begins.reduceRight((other, begin) => this.#add(SPLIT, begin, other));
      }
      case "repeat": {
        if (expression.most === 1) {
          return this.#add(SPLIT, this.#build(expression.item, after), after);
        }
        const loop = this.#add(SPLIT, -1, after);
        const begin = this.#build(expression.item, loop);
        this.#to[loop] = begin;
        return expression.least === 0 ? loop : begin;
      }
      case "noDot":
        return this.#add(NO_DOT, after);
      case "not":
        return this.#buildNegation(expression.item, after);
    }
  }

  /** Make the states of whatever an expression does not match. */
  #buildNegation(item: Expression, after: number): number {
    const table = new Automaton([{ label: 0, expression: item }]).table(NEGATED_MAX);
    if (table === undefined) {
      throw tooComplex();
    }
    const { sets, next } = table;
    const begins = sets.map(() => this.#add(SPLIT, -1, -1));
    const dead = this.#add(DEAD, -1);
    sets.forEach((set, i) => {
      const classes = new Map<number, ByteSet>();
      for (let byte = 0; byte < 256; byte++) {
        if (byte !== SLASH) {
          const to = next[i * 256 + byte]!;
          let bytes = classes.get(to);
          if (bytes === undefined) {
            classes.set(to, bytes = new Uint8Array(256));
          }
          bytes[byte] = 1;
        }
      }
      let edges = dead;
      for (const [to, bytes] of classes) {
        edges = this.#add(SPLIT, this.#add(BYTE, begins[to]!, -1, bytes), edges);
      }
      this.#to[begins[i]!] = edges;
      this.#other[begins[i]!] = set.accepts !== 0 ? dead : after;
    });
    return begins[0]!;
  }

  /** The set of some states. */
  #setOf(states: readonly number[]): StateSet {
    const key = keyOf(states);
    let set = this.#known.get(key);
    if (set === undefined) {
      if (this.#known.size >= SETS_MAX) {
        this.#forget();
      }
      set = { states: Int32Array.from(states), next: new Array(256), accepts: 0 };
      let accepts = 0;
      this.#reach(set.states, END, (state) => {
        if (this.#kinds[state] === ACCEPT) {
          accepts |= 1 << this.#to[state]!;
        }
      });
      set = { ...set, accepts };
      this.#known.set(key, set);
    }
    return set;
  }

  /** Forget all sets, also those that others lead to. */
  #forget(): void {
    for (const set of this.#known.values()) {
      set.next.fill(undefined);
    }
    this.#known.clear();
    this.#first = undefined;
  }

  #follow(from: StateSet, byte: number): StateSet {
    const found: number[] = [];
    this.#reach(from.states, byte, (state) => {
      if (this.#kinds[state] === BYTE && this.#sets[state]![byte] === 1) {
        found.push(this.#to[state]!);
      }
    });
    return this.#setOf([...new Set(found)].sort((a, b) => a - b));
  }

  /** Go from states to all that no byte is taken for, knowing which one comes next. */
  #reach(states: Int32Array, byte: number, visit: (state: number) => void): void {
    const round = ++this.#round;
    const stack = [...states];
    for (let state = stack.pop(); state !== undefined; state = stack.pop()) {
      if (this.#seen[state] === round) {
        continue;
      }
      this.#seen[state] = round;
      const kind = this.#kinds[state];
      if (kind === SPLIT) {
        stack.push(this.#to[state]!, this.#other[state]!);
      } else if (kind === NO_DOT) {
        if (byte !== DOT) {
          stack.push(this.#to[state]!);
        }
      } else {
        visit(state);
      }
    }
  }
}

function keyOf(states: Iterable<number>): string {
  return String.fromCharCode(...states);
}
