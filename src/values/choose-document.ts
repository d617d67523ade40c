import { ConfigurationError } from '../errors.ts';
import type { ParsedDocument } from './documents.ts';
import { follow, type Place } from './locate.ts';
import { position } from './position.ts';
import type { Source } from './source.ts';

/**
 * Where the image is, or is to be, in a file of one or several documents.
 * @throws ConfigurationError unless exactly one document can be meant, and can be edited
 */
export function choosePlace(source: Source, documents: readonly ParsedDocument[], path: readonly string[]): Place {
  const followed = documents.map((document, index) => ({
    document,
    index,
    ...follow(source, document, index, path),
  }));
  const whole = followed.filter(({ depth }) => depth === path.length);
  const begun = followed.filter(({ depth }) => depth > 0);
  const filled = followed.filter(({ document }) => document.root !== undefined);
  const blocked = begun.filter(({ place }) => place instanceof ConfigurationError);
  const candidates =
    [[...new Set([...whole, ...blocked])], begun, documents.length === 1 ? followed : filled].find(
      ({ length }) => length > 0,
    ) ?? followed;
  const [only, other] = candidates;
  if (only === undefined || other !== undefined) {
    const lines = candidates.map(({ document, index }) => `${String(index + 1)} (line ${lineOf(source, document)})`);
    throw new ConfigurationError(
      'values-several-documents',
      begun.length > 0
        ? `${source.file} has ${path.join('.')} in more than one document: ${lines.join(', ')}.`
        : `${source.file} has several documents and ${path.join('.')} in none of them.`,
      'Leave one document in the file: Helm reads the first one only.',
    );
  }
  if (only.place instanceof ConfigurationError) throw only.place;
  return only.place;
}

function lineOf(source: Source, { root, document }: ParsedDocument): string {
  return String(position(source.text, (root ?? document).range?.[0] ?? 0).line);
}
