/** GitHub takes no longer text. */
export const longestBody = 65_536;

/** The part of a text at GitHub that is ours, and what people wrote around it. */
export interface Marked {
  readonly before: string;
  readonly after: string;
  /** What the first marker holds; undefined where that is not JSON. */
  readonly data: unknown;
  /** Ours, with its markers. */
  readonly text: string;
}

/** An HTML comment that nobody sees, with data that can't end it. */
export function marker(name: string, word: string, data?: object): string {
  if (data === undefined) return `<!-- ${name} ${word} -->`;
  const json = JSON.stringify(data).replace(/[<>-]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return `<!-- ${name} ${word} ${json} -->`;
}

/** What the first marker of this name and word holds; undefined where there is none, or its data is not JSON. */
export function markerData(name: string, word: string, text: string): unknown {
  return parsed(pattern(name, word).exec(text)?.[1]);
}

/** Lines between two markers of this name. */
export function marked(name: string, data: object, lines: readonly string[]): string {
  return [marker(name, 'begin', data), ...lines, marker(name, 'end')].join('\n');
}

/** Our part of a text; undefined when a marker is gone. */
export function findMarked(name: string, body: string): Marked | undefined {
  const opening = pattern(name, 'begin').exec(body);
  if (opening === null) return undefined;
  const end = marker(name, 'end');
  const from = opening.index;
  const to = body.indexOf(end, from);
  if (to < 0) return undefined;
  return {
    before: body.slice(0, from),
    after: body.slice(to + end.length),
    data: parsed(opening[1]),
    // People's edits in the browser turn line ends into CRLF, in our part too.
    text: body.slice(from, to + end.length).replaceAll('\r\n', '\n'),
  };
}

function pattern(name: string, word: string): RegExp {
  return new RegExp(`<!-- ${name} ${word} (\\{[^\\n]*?\\}) -->`);
}

function parsed(json: string | undefined): unknown {
  try {
    return json === undefined ? undefined : (JSON.parse(json) as unknown);
  } catch {
    return undefined;
  }
}
