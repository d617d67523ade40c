import { isDeepStrictEqual } from 'node:util';
import { afterAll, describe, test } from '@jest/globals';
import { isWhole } from '../../choice.ts';
import fc from '../../fast-check.ts';
import { CORE_SCHEMA, defineScalarTag, loadAll, mergeTag } from 'js-yaml';
import { isRunError } from '../../../src/common/errors.ts';
import { editValues, makePlan, type EditedValues } from '../../../src/values/edit-values.ts';
import type { EditOptions } from '../../../src/values/plan.ts';
import { readSource } from '../../../src/values/source.ts';
import { generatedFile } from './generated-file.ts';
import { picks } from './picks.ts';
import { wantedImage } from './wanted-image.ts';

type Tree = Record<string, unknown>;

const files = isWhole ? 10_000 : 2_000;
const counts = new Map<string, number>();
const count = (outcome: string) => counts.set(outcome, (counts.get(outcome) ?? 0) + 1);

const awkwardTags = [
  '14.20',
  '1e5',
  '1_000',
  '0o14',
  '0x1F',
  '29111998',
  'yes',
  'NO',
  'null',
  'on',
  'y',
  '014',
  '2001-12-14',
  'v14',
];

describe('a generated values.yaml', () => {
  test(`${String(files)} of them are edited or refused, and never changed anywhere else`, () => {
    fc.assert(
      fc.property(picks, (pick) => {
        const { text, expected, kind } = generatedFile(pick);
        const image = pick.rarely(3) ? { ...wantedImage, tag: pick.one(awkwardTags) } : wantedImage;
        const options = { file: 'values.yaml', image };
        const holds = (what: string, is: boolean) => {
          if (!is) throw new Error(`${kind}, ${what}:\n${text}\n${JSON.stringify(text)}`);
        };
        let result: EditedValues;
        try {
          result = editValues(text, options);
        } catch (error) {
          if (!isRunError(error)) throw error;
          holds(`refused, yet nothing is wrong with it: ${error.message}`, expected === 'refused');
          holds(`code ${error.code}`, !/unproven|unreadable|invalid-yaml/.test(error.code));
          holds('no place in the message', /^values\.yaml(:\d+:\d+:| has )/.test(error.message));
          count('refused');
          return;
        }
        holds(`not refused, but ${result.operation}:\n${result.text}\n`, result.operation === expected);
        holds('changed elsewhere', outside(text, result, options));
        const now = trees(result.text);
        holds('another tree', isDeepStrictEqual(now, withChanges(trees(text), now, result)));
        const reference = `${image.registry}/${image.repository}:${image.tag}`.replace(/^docker\.io\//, '');
        holds(`names ${effectiveImage(now)}`, effectiveImage(now) === reference);
        for (const { path, line, after } of result.changes) {
          holds(`line ${String(line)} has no ${path}`, result.text.split('\n')[line - 1]?.includes(after) === true);
        }
        const again = editValues(result.text, options);
        holds('changed again', again.operation === 'none' && again.text === result.text);
        count('edited');
      }),
      { numRuns: files, seed: 20_261_122 },
    );
  });

  afterAll(() => {
    const told = [...counts].map(([outcome, times]) => `${String(times)} ${outcome}`).join(', ');
    process.stderr.write(`${String(files)} generated files: ${told}\n`);
  });
});

const localTag = defineScalarTag<string>('!local', { resolve: (text) => text, identify: () => false });
const schema = CORE_SCHEMA.withTags(mergeTag, localTag);

function trees(text: string): Tree[] {
  return loadAll(text, { schema }) as Tree[];
}

/** The old documents, with what the result says has changed. */
function withChanges(documents: Tree[], now: Tree[], { changes }: EditedValues): Tree[] {
  const changed = (documents.length === 0 ? [{}] : documents) as (Tree | null)[];
  const index = now.findIndex((document) => (document as Tree | null)?.['postgresql'] !== undefined);
  for (const { path, after } of changes) {
    const keys = path.split('.');
    let at: Tree = (changed[index] ??= {});
    for (const key of keys.slice(0, -1)) at = (at[key] ??= {}) as Tree;
    at[keys.at(-1) ?? ''] = after;
  }
  return changed as Tree[];
}

/** Every replaced part is one scalar on one line, and everything before, between and after those is the same. */
function outside(given: string, result: EditedValues, options: EditOptions): boolean {
  const { text } = readSource(given, options.file);
  const edits = makePlan(readSource(given, options.file), ['postgresql', 'image'], options)
    .edits.toSorted((a, b) => a.start - b.start)
    .concat({ start: text.length, end: text.length, text: '' });
  let now = result.text.slice(given.length - text.length);
  let from = 0;
  for (const { start, end, text: added } of edits) {
    if (!/^ *("[^"\n]*"|'[^'\n]*'|[^\s"'#{},]*)$/.test(text.slice(start, end))) return false;
    const kept = text.slice(from, start) + added;
    if (!now.startsWith(kept)) return false;
    now = now.slice(kept.length);
    from = end;
  }
  return now === '';
}

/** What a container runtime would pull. */
function effectiveImage(documents: Tree[]): string {
  const image = documents
    .map((document) => (document as Tree | null)?.['postgresql'] as Tree | undefined)
    .find((postgresql) => postgresql !== undefined)?.['image'] as string | Record<string, string | null>;
  if (typeof image === 'string') return image.replace(/^docker\.io\//, '');
  const { registry, repository, tag, digest } = image;
  if (digest) return digest;
  return `${registry ? `${registry}/` : ''}${String(repository)}:${String(tag)}`.replace(/^docker\.io\//, '');
}
