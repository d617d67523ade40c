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
