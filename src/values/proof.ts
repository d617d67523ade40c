import { YAMLException } from 'js-yaml';
import { ConfigurationError, describe } from '../errors.ts';
import { difference, equal, wantedTree } from './difference.ts';
import { ordered } from './edit.ts';
import type { Plan } from './plan.ts';
import { refusal } from './refusal.ts';
import { readings } from './second-reading.ts';
import type { Source } from './source.ts';

/**
 * Proves an edit before it is used, by what did not make it: another parser, and the bytes themselves.
 * @throws ConfigurationError when anything but the wanted values would change
 */
export function prove(source: Source, text: string, plan: Plan): void {
  const before = read(source, source.text, 'as it is');
  const after = read(source, text, 'as it would be');
  for (const [index, documents] of before.entries()) {
    const changed = after[index] ?? [];
    if (changed.length !== Math.max(1, documents.length)) throw unproven(source, 'the number of documents');
    for (const [number, document] of changed.entries()) {
      const found =
        number === plan.document
          ? difference(documents[number], document, wantedTree(plan.writes))
          : otherDocument(documents[number], document, number);
      if (found !== undefined) throw unproven(source, found);
    }
  }
  proveBytes(source, text, plan);
}

function otherDocument(before: unknown, after: unknown, number: number): string | undefined {
  return equal(before, after) ? undefined : `document ${String(number + 1)}`;
}

/** All bytes outside of the edits are where they were, or moved by what was added before them. */
function proveBytes(source: Source, text: string, plan: Plan): void {
  const encoder = new TextEncoder();
  const before = encoder.encode(source.text);
  const after = encoder.encode(text);
  const size = (part: string) => encoder.encode(part).length;
  let old = 0;
  let now = 0;
  const edits = ordered(plan.edits);
  for (const [index, edit] of [...edits, { start: source.text.length, end: source.text.length, text: '' }].entries()) {
    const from = edits[index - 1]?.end ?? 0;
    if (edit.start < from) throw unproven(source, 'edits overlap');
    for (let left = size(source.text.slice(from, edit.start)); left > 0; left--) {
      if (before[old++] !== after[now++]) throw unproven(source, 'bytes outside of the values');
    }
    old += size(source.text.slice(edit.start, edit.end));
    now += size(edit.text);
  }
  if (old !== before.length || now !== after.length) throw unproven(source, 'the number of bytes');
}

function read(source: Source, text: string, when: string): unknown[][] {
  try {
    return readings(text);
  } catch (error) {
    const { reason, mark } = error instanceof YAMLException ? error : { reason: describe(error), mark: undefined };
    throw refusal(
      { ...source, text },
      mark?.position ?? 0,
      'unreadable',
      `a second parser can't read the file ${when}: ${reason}`,
      'Correct the file there, or edit it by hand and set "values-file" to "".',
      { cause: error },
    );
  }
}

function unproven(source: Source, what: string): ConfigurationError {
  return new ConfigurationError(
    'values-unproven',
    `The edit of ${source.file} would change more than the image, or not what was meant (${what}); nothing was written.`,
    'Edit it by hand and set "values-file" to "". Please report this together with the file, without its secrets.',
  );
}
