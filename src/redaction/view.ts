/** A part of a text: where it begins, and the place after its end. */
export type Range = readonly [start: number, end: number];

/** Another reading of a text. */
export interface View {
  readonly text: string;
  /** The parts of the original text for which these parts of the view stand; none is empty. */
  original(ranges: readonly Range[]): Range[];
}

/** A part of the original text that reads in another way, and what it reads as. */
interface Reading {
  readonly end: number;
  readonly text: string;
}

const special = /[\\%&\u00ad\u200b-\u200f\u2060-\u2064\ufeff]/g;
const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', f: '\f', v: '\v' };
const escape = /\\+(?:u([0-9a-f]{4})|x([0-9a-f]{2})|([nrtbfv]))?/iy;
const byte = /%(?:25)*([0-9a-f]{2})/iy;
const entity = /&(?:amp;)*(?:(lt|gt|quot|apos|nbsp);|#([0-9]{1,7});|#x([0-9a-f]{1,6});)?/iy;
const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ' };

/** How many layers of different kinds of escapes are resolved; layers of the same kind are one. */
const layers = 2;

/**
 * The text, and as it was before it was escaped, layer by layer. A secret may look escaped itself: where it is read in the same ways, one of its
 * readings is found in one of the text's.
 */
export function readings(text: string): View[] {
  const views: View[] = [same(text)];
  for (let layer = 0; layer < layers; layer++) {
    const last = views.at(-1) ?? same(text);
    const next = unescaped(last.text);
    if (next.text === last.text) break;
    views.push({ text: next.text, original: (ranges) => last.original(next.original(ranges)) });
  }
  return views;
}

/**
 * The text as it was before it was escaped, however often: backslashes (JSON, SQL, shell, Markdown), percent signs (addresses), entities
 * (HTML), and without characters that nobody sees.
 */
function unescaped(text: string): View {
  const read: ReadAnew[] = [];
  const parts: string[] = [];
  let [at, length] = [0, 0];
  special.lastIndex = 0;
  for (let found = special.exec(text); found !== null; found = special.exec(text)) {
    const start = found.index;
    const reading = readingAt(text, start);
    parts.push(text.slice(at, start), reading.text);
    length += start - at;
    read.push({ at: length, length: reading.text.length, start, end: reading.end });
    length += reading.text.length;
    special.lastIndex = at = reading.end;
  }
  return parts.length === 0 ? same(text) : new ChangedText(parts.join('') + text.slice(at), () => read);
}

const dropped = /[\s\p{Cc}"'`]+/gu;

/** What is left of a text without white space, quotes and control characters: line breaks and quoting differ from place to place. */
export function compact(text: string): View {
  return new ChangedText(text.replace(dropped, ''), () => {
    let gone = 0;
    return Array.from(text.matchAll(dropped), ({ 0: { length }, index }): ReadAnew => {
      const part = { at: index - gone, length: 0, start: index, end: index + length };
      gone += length;
      return part;
    });
  });
}

function same(text: string): View {
  return { text, original: (ranges) => ranges.filter(([start, end]) => start < end) };
}

/** Where a view differs from its text: what is at `at` there came from `start` to `end`. */
interface ReadAnew {
  readonly at: number;
  readonly length: number;
  readonly start: number;
  readonly end: number;
}

class ChangedText implements View {
  private changes: readonly ReadAnew[] | undefined;

  /** @param find the changes in their order; asked for only when something was found */
  constructor(
    readonly text: string,
    private readonly find: () => readonly ReadAnew[],
  ) {}

  original(ranges: readonly Range[]): Range[] {
    return ranges
      .filter(([start, end]) => start < end)
      .map(([start, end]): Range => [this.origin(start)[0], this.origin(end - 1)[1]]);
  }

  /** Of one character. */
  private origin(at: number): Range {
    this.changes ??= this.find();
    let [low, high] = [0, this.changes.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.changes[middle]?.at ?? 0) <= at) low = middle + 1;
      else high = middle;
    }
    const before = this.changes[low - 1];
    if (before === undefined) return [at, at + 1];
    const past = at - before.at - before.length;
    return past < 0 ? [before.start, before.end] : [before.end + past, before.end + past + 1];
  }
}

function readingAt(text: string, start: number): Reading {
  switch (text[start]) {
    case '\\':
      return readEscape(text, start);
    case '%':
      return readBytes(text, start);
    case '&':
      return readEntity(text, start);
    default:
      return { end: start + 1, text: '' };
  }
}

/** Any number of backslashes, and what they escape. A character that is escaped for its own sake is read as it stands. */
function readEscape(text: string, start: number): Reading {
  escape.lastIndex = start;
  const [all = '', unit, octet, letter = ''] = escape.exec(text) ?? [];
  const digits = unit ?? octet;
  const end = start + all.length;
  if (digits !== undefined) return { end, text: String.fromCharCode(parseInt(digits, 16)) };
  const escaped = escapes[letter];
  return escaped === undefined ? { end: end - letter.length, text: '' } : { end, text: escaped };
}

/** A character of one to four bytes, each `%41`, or `%2541` where it was escaped again; the percent sign itself where it escapes nothing. */
function readBytes(text: string, start: number): Reading {
  const first = readByte(text, start);
  if (first === undefined) return { end: start + 1, text: '%' };
  const alone = { end: first.end, text: String.fromCharCode(first.value) };
  const more = first.value >= 0xf0 ? 3 : first.value >= 0xe0 ? 2 : first.value >= 0xc2 ? 1 : 0;
  let point = more === 0 ? first.value : first.value & (0x3f >> more);
  let { end } = first;
  for (let left = more; left > 0; left--) {
    const next = readByte(text, end);
    if (next === undefined || next.value >> 6 !== 2) return alone;
    point = (point << 6) | (next.value & 0x3f);
    ({ end } = next);
  }
  return point > 0x10ffff ? alone : { end, text: String.fromCodePoint(point) };
}

function readByte(text: string, start: number): { readonly value: number; readonly end: number } | undefined {
  byte.lastIndex = start;
  const [all = '', digits] = byte.exec(text) ?? [];
  return digits === undefined ? undefined : { value: parseInt(digits, 16), end: start + all.length };
}

/** `&lt;`, also as `&amp;lt;`. */
function readEntity(text: string, start: number): Reading {
  entity.lastIndex = start;
  const [all = '&', name, decimal, hexadecimal] = entity.exec(text) ?? [];
  const end = start + all.length;
  if (name !== undefined) return { end, text: entities[name.toLowerCase()] ?? '' };
  const point = decimal === undefined ? parseInt(hexadecimal ?? '', 16) : Number(decimal);
  return { end, text: point <= 0x10ffff ? String.fromCodePoint(point) : '&' };
}
