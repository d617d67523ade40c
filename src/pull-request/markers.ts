/** GitHub takes no longer text. */
export const longestBody = 65_536;

const name = 'circleci-server-postgresql-upgrade';
const end = `<!-- ${name} end -->`;
const run = `<!-- ${name} run -->`;
/** Holds the title that we gave, so that a title of people's is told from ours. */
const begin = new RegExp(`<!-- ${name} begin (\\{[^\\n]*?\\}) -->`);

/** The part of a pull request's text that is ours. */
export interface Section {
  readonly title: string;
  readonly change: string;
  /** What the last upgrade did; later runs that upgrade nothing leave it. */
  readonly run: string;
}

export function render({ title, change, run: did }: Section): string {
  return [openingOf(title), change, '', run, did, end].join('\n');
}

/** A text with nothing between the markers, for people who open the pull request by a link; the next run fills it. */
export function emptySection(title: string): string {
  return `${openingOf(title)}\n${end}`;
}

export interface Found {
  readonly before: string;
  readonly after: string;
  /** The title that we gave last. */
  readonly title: string;
  readonly text: string;
  readonly run: string | undefined;
}

/** Our part of a text, and what people wrote around it; undefined when a marker is gone. */
export function find(body: string): Found | undefined {
  const opening = begin.exec(body);
  if (opening === null) return undefined;
  const from = opening.index;
  const to = body.indexOf(end, from);
  if (to < 0) return undefined;
  // People's edits in the browser turn line ends into CRLF, in our part too.
  const text = body.slice(from, to + end.length).replaceAll('\r\n', '\n');
  const at = text.indexOf(run);
  return {
    before: body.slice(0, from),
    after: body.slice(to + end.length),
    title: titleIn(opening[1] ?? ''),
    text,
    run: at < 0 ? undefined : text.slice(at + run.length, -end.length).trim(),
  };
}

function openingOf(title: string): string {
  const json = JSON.stringify({ title }).replace(
    /[<>-]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return `<!-- ${name} begin ${json} -->`;
}

function titleIn(json: string): string {
  try {
    const { title } = JSON.parse(json) as { title?: unknown };
    return typeof title === 'string' ? title : '';
  } catch {
    return '';
  }
}
