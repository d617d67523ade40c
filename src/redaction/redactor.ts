import type { SecretOptions, UnmaskedSecret } from '../ports/runner.ts';
import { escapePattern, formsOf, shortest } from './forms.ts';
import { shapesIn } from './shapes.ts';
import { compact, readings, type Range } from './view.ts';

/** What stands in the place of what was taken out. */
const mask = '***';

/** Lines of a key or certificate that tell nothing. */
const armor = /^-----(BEGIN|END) /;
/** A line of a longer text has to be so long to be one that is not met elsewhere. */
const shortestLine = 16;
/** So often at most a text is gone through until nothing changes any more. */
const mostPasses = 4;

/** Knows the secrets of the run, as they become known, and takes them out of texts, together with all that looks like a secret. Decision: docs/decisions/0027-secrets.md */
export class Redactor {
  /** Secrets that could not be masked. */
  readonly unmasked: UnmaskedSecret[] = [];
  private readonly known = new Set<string>();
  private readonly literal = new Set<string>();
  private readonly read = new Set<string>();
  private patterns: { readonly literal: RegExp | undefined; readonly read: RegExp | undefined } | undefined;

  /** @param vocabulary texts that any run tells, in lower case: a secret that is one, or a part of one, can't be masked */
  constructor(private readonly vocabulary: readonly string[]) {}

  /**
   * Takes this secret out of everything from here on; each line of it by itself where it has several.
   * @returns the lines that are masked from now on, and were not before
   */
  add(secret: string, { name, among = [] }: SecretOptions = {}): readonly string[] {
    const lines = secret
      .split(/[\r\n]+/)
      .map((line) => line.trim())
      .filter((line, _at, all) => line !== '' && !armor.test(line) && (all.length < 3 || line.length >= shortestLine));
    return lines.filter((line) => this.addLine(line, name, among));
  }

  /**
   * The text without secrets. Redacted again, it stays as it is.
   * Time is linear in the text's length.
   */
  redact(text: string): string {
    let [before, after] = [text, this.once(text)];
    for (let pass = 1; after !== before && pass < mostPasses; pass++) [before, after] = [after, this.once(after)];
    return after;
  }

  /** The same for Markdown: nothing is taken out over the end of a line or of a table's cell. */
  redactMarkdown(text: string): string {
    return text
      .split('\n')
      .map((line) =>
        line.startsWith('|')
          ? line
              .split(/(?<!\\)\|/)
              .map((cell) => this.redact(cell.replaceAll('\\|', '|')).replaceAll('|', '\\|'))
              .join('|')
          : this.redact(line),
      )
      .join('\n');
  }

  private addLine(line: string, name: string | undefined, among: readonly string[]): boolean {
    if (this.known.has(line)) return false;
    const why = isShort(line) ? 'short' : this.isCommon(line, among) ? 'common' : undefined;
    if (why !== undefined) {
      if (name !== undefined && !this.unmasked.some((one) => one.name === name)) this.unmasked.push({ name, why });
      return false;
    }
    this.known.add(line);
    const { literal, read } = formsOf(line);
    for (const form of literal) this.literal.add(form);
    for (const form of read) this.read.add(form);
    this.patterns = undefined;
    return true;
  }

  /** Whether a secret is a word, or a part of one, that is told anyway. */
  private isCommon(secret: string, among: readonly string[]): boolean {
    const lower = secret.toLowerCase();
    return (
      this.vocabulary.some((text) => text.includes(lower)) || among.some((name) => name.toLowerCase().includes(lower))
    );
  }

  private once(text: string): string {
    this.patterns ??= {
      literal: patternOf([...this.literal].map(escapePattern)),
      read: patternOf([...this.read]),
    };
    const { literal, read } = this.patterns;
    const found: Range[][] = [];
    for (const view of readings(text)) {
      found.push(view.original(shapesIn(view.text)), view.original(matches(view.text, literal)));
      if (read === undefined) continue;
      const dense = compact(view.text);
      found.push(view.original(dense.original(matches(dense.text, read))));
    }
    return masked(text, found);
  }
}

/** A number of a few digits is met in every log. */
function isShort(secret: string): boolean {
  return secret.length < shortest || /^\d{1,7}$/.test(secret) || /^\*+$/.test(secret);
}

function patternOf(sources: readonly string[]): RegExp | undefined {
  if (sources.length === 0) return undefined;
  return new RegExp([...sources].sort((a, b) => b.length - a.length || (a < b ? -1 : 1)).join('|'), 'g');
}

/** Also those that overlap. */
function matches(text: string, pattern: RegExp | undefined): Range[] {
  const found: Range[] = [];
  if (pattern === undefined) return found;
  pattern.lastIndex = 0;
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    found.push([match.index, match.index + match[0].length]);
    pattern.lastIndex = match.index + 1;
  }
  return found;
}

function masked(text: string, ranges: readonly (readonly Range[])[]): string {
  const sorted = ranges.flat().sort(([a], [b]) => a - b);
  const parts: string[] = [];
  let at = 0;
  for (let next = 0; next < sorted.length;) {
    const [start = 0, first = 0] = sorted[next] ?? [];
    let end = first;
    for (next++; next < sorted.length && (sorted[next]?.[0] ?? 0) <= end; next++)
      end = Math.max(end, sorted[next]?.[1] ?? 0);
    if (end <= start) continue;
    parts.push(text.slice(at, start), mask);
    at = end;
  }
  return parts.join('') + text.slice(at);
}
