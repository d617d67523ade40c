import type { WantedImage } from './image.ts';
import type { Path } from './path.ts';

export interface EditOptions {
  /** As messages call the file. */
  readonly file: string;
  /** Keys that lead to the image; those of CircleCI Server's chart where it is missing. */
  readonly path?: Path;
  readonly image: WantedImage;
}

/** Something that is right to do, yet has to be known. */
export interface Warning {
  readonly code:
    | 'added'
    | 'digest-dropped'
    | 'duplicate-key'
    | 'global-registry'
    | 'not-deployed'
    | 'not-first-document'
    | 'other-bot'
    | 'other-document'
    | 'registry-added';
  readonly message: string;
  readonly line: number;
}

/** One value to be written. */
export interface Write {
  readonly path: Path;
  /** Undefined when it was missing or empty. */
  readonly before: string | undefined;
  readonly after: string;
  /** Where it stands now, or the key below which it is added. */
  readonly offset: number;
}

/** What is to be written where the image is a mapping (registry, repository and tag are keys of their own), or a string. */
export interface ShapePlan {
  readonly writes: readonly Write[];
  readonly edits: readonly Edit[];
  readonly warnings: readonly Warning[];
  /** Where each value that names the image stands, by its path. */
  readonly offsets: ReadonlyMap<string, number>;
}

export interface Plan extends ShapePlan {
  /** Of the document in the file, from 0. */
  readonly document: number;
}

/** Characters of a text, and what replaces them; nothing is replaced when both offsets are the same. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** The edits in the order of the file; those at one offset in the order given. */
export function ordered(edits: readonly Edit[]): Edit[] {
  return edits.toSorted((a, b) => a.start - b.start || a.end - b.end);
}

export function apply(text: string, edits: readonly Edit[]): string {
  let at = 0;
  let result = '';
  for (const edit of ordered(edits)) {
    result += text.slice(at, edit.start) + edit.text;
    at = edit.end;
  }
  return result + text.slice(at);
}
