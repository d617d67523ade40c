import { findMarked, marked, marker } from '../github/markers.ts';

const name = 'circleci-server-postgresql-upgrade';
const run = marker(name, 'run');

/** The part of a pull request's text that is ours. */
export interface Section {
  readonly title: string;
  readonly change: string;
  /** What the last upgrade did; later runs that upgrade nothing leave it. */
  readonly run: string;
}

/** The first marker holds the title that we gave, so that a title of people's is told from ours. */
export function render({ title, change, run: did }: Section): string {
  return marked(name, { title }, [change, '', run, did]);
}

/** A text with nothing between the markers, for people who open the pull request by a link; the next run fills it. */
export function emptySection(title: string): string {
  return marked(name, { title }, []);
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
  const found = findMarked(name, body);
  if (found === undefined) return undefined;
  const { before, after, text, data } = found;
  const { title } = (data ?? {}) as { title?: unknown };
  const at = text.indexOf(run);
  return {
    before,
    after,
    title: typeof title === 'string' ? title : '',
    text,
    run: at < 0 ? undefined : text.slice(at + run.length, -marker(name, 'end').length).trim(),
  };
}
