// Copyright 2026 the ioq authors. MIT license.

/**
 * Draws the results as bars, for light and for dark pages.
 *
 * A case is drawn if one of its suite's goals that are headlines is about it: of each
 * such group the one with the most operations in flight, and of our own forms in it
 * those that goals are about. Bars are rates: twice as long is twice as fast. Peers that are
 * missing are named, with the reason.
 *
 * @module
 */

import type { CaseResult, Result } from "./harness.ts";
import { OTHERS_BUSY_MAX } from "./machine.ts";
import { formatTime } from "./report.ts";
import type { BenchResults, SuiteResult } from "./results.ts";

/** Colours of a page. */
interface Theme {
  readonly text: string;
  readonly faint: string;
  readonly subject: string;
  readonly peer: string;
}

/** The themes, by name. The background is the page's. */
export const THEMES = {
  light: { text: "#1f2328", faint: "#59636e", subject: "#0969da", peer: "#b7bfc8" },
  dark: { text: "#e6edf3", faint: "#9198a1", subject: "#4493f8", peer: "#57606a" },
} as const satisfies Record<string, Theme>;

const WIDTH = 840;
const NAME_WIDTH = 190;
const VALUE_WIDTH = 100;
const ROW_HEIGHT = 20;
const BAR_HEIGHT = 13;
const TITLE_HEIGHT = 34;
const FOOT_LINE_HEIGHT = 16;
/** What is left for a bar: the value stands behind it. */
const BAR_WIDTH = WIDTH - NAME_WIDTH - VALUE_WIDTH;

/** Where a theme's chart is. */
export function chartUrl(theme: keyof typeof THEMES): URL {
  return new URL(`./chart-${theme}.svg`, import.meta.url);
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

/** The cases of a suite that are drawn, with those of their runners that are. */
export function headlines({ cases, goals }: SuiteResult): CaseResult[] {
  const chosen = new Map<string, CaseResult>();
  for (const { group } of goals.filter(({ headline }) => headline)) {
    for (const item of cases.filter((it) => it.group === group)) {
      if (item.inFlight >= (chosen.get(group)?.inFlight ?? 0)) {
        chosen.set(group, item);
      }
    }
  }
  return [...chosen.values()].map((item) => ({
    ...item,
    results: item.results.filter(({ role, name }) =>
      role === "peer" || goals.some((it) => it.group === item.group && it.subject === name)
    ),
  }));
}

/** The share of the machine that others used during the worst suite. */
function worstDisturbance(suites: readonly SuiteResult[]): number {
  return Math.max(0, ...suites.map((it) => it.othersBusy));
}

/** A drawing from the top down. */
class Drawing {
  readonly #theme: Theme;
  readonly #parts: string[] = [];
  #y = 0;

  constructor(theme: Theme) {
    this.#theme = theme;
  }

  #text(x: number, y: number, text: string, attributes: string): void {
    this.#parts.push(`<text x="${x}" y="${y}" ${attributes}>${escape(text)}</text>`);
  }

  title(text: string): void {
    this.#y += TITLE_HEIGHT;
    this.#text(0, this.#y - 10, text, `fill="${this.#theme.text}" font-weight="600"`);
  }

  row({ name, role, ns, missing }: Result, fastest: number): void {
    const { text, faint, subject, peer } = this.#theme;
    const middle = this.#y + ROW_HEIGHT / 2;
    const color = role === "subject" ? text : faint;
    const label = role === "subject" ? `ioq, ${name}` : name;
    this.#text(NAME_WIDTH - 10, middle + 4, label, `fill="${color}" text-anchor="end"`);
    if (missing === undefined) {
      const width = Math.max(1, BAR_WIDTH * fastest / ns.median);
      const top = middle - BAR_HEIGHT / 2;
      this.#parts.push(
        `<rect x="${NAME_WIDTH}" y="${top}" width="${width.toFixed(1)}" height="${BAR_HEIGHT}" ` +
          `rx="2" fill="${role === "subject" ? subject : peer}"/>`,
      );
      const x = Number((NAME_WIDTH + width + 6).toFixed(1));
      this.#text(x, middle + 4, formatTime(ns.median), `fill="${color}"`);
    } else {
      const shown = missing.length > 80 ? `${missing.slice(0, 79)}…` : missing;
      this.#text(
        NAME_WIDTH,
        middle + 4,
        `missing: ${shown}`,
        `fill="${faint}" font-style="italic"`,
      );
    }
    this.#y += ROW_HEIGHT;
  }

  foot(text: string): void {
    this.#y += FOOT_LINE_HEIGHT;
    this.#text(0, this.#y, text, `fill="${this.#theme.faint}" font-size="11"`);
  }

  gap(height: number): void {
    this.#y += height;
  }

  toString(): string {
    const height = this.#y + 8;
    return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" ` +
      `width="${WIDTH}" height="${height}" role="img" font-size="12" ` +
      `font-family="-apple-system, BlinkMacSystemFont, 'Segoe UI', 'Noto Sans', sans-serif">\n` +
      `<title>Benchmarks of ioq beside its peers</title>\n${this.#parts.join("\n")}\n</svg>\n`;
  }
}

/** Draw a chart, as SVG. */
export function drawChart(results: BenchResults, theme: keyof typeof THEMES): string {
  const drawing = new Drawing(THEMES[theme]);
  for (const suite of results.suites) {
    for (const { group, inFlight, results: runners } of headlines(suite)) {
      const note = suite.notes[group];
      drawing.title(
        `${suite.name}: ${group}${inFlight === 1 ? "" : `, ${inFlight} in flight`}` +
          (note === undefined ? "" : ` (${note})`),
      );
      const measured = runners.filter((it) => it.missing === undefined);
      const fastest = Math.min(...measured.map((it) => it.ns.median));
      for (const runner of runners) {
        drawing.row(runner, fastest);
      }
    }
  }
  const { machine, peers } = results;
  drawing.gap(12);
  const disturbance = worstDisturbance(results.suites);
  drawing.foot("Time of one operation, median; bars are rates: longer is faster.");
  drawing.foot(
    `Measured ${results.date.slice(0, 10)}, all runners of a case in turns` +
      (disturbance > OTHERS_BUSY_MAX
        ? `, while others used up to ${Math.round(disturbance * 100)} % of the machine.`
        : "."),
  );
  drawing.foot(
    `${machine.cpu ?? "unknown processor"}, ${machine.cores} cores, Linux ${machine.kernel} ` +
      `${machine.arch}, Deno ${machine.deno}, liburing ${machine.liburing ?? "of unknown version"}`,
  );
  const [present, absent] = [true, false].map((wanted) =>
    Object.entries(peers).filter(([, version]) => (version !== null) === wanted)
  );
  drawing.foot(
    `Peers: ${present!.map(([name, version]) => `${name} ${version}`).join(", ") || "none"}` +
      (absent!.length > 0 ? `; not here: ${absent!.map(([name]) => name).join(", ")}` : ""),
  );
  return drawing.toString();
}

/** Draw results in all themes and write the files. */
export async function writeCharts(results: BenchResults): Promise<void> {
  for (const theme of Object.keys(THEMES) as (keyof typeof THEMES)[]) {
    await Deno.writeTextFile(chartUrl(theme), drawChart(results, theme));
  }
}
