import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { endOf, errorCodes, type ErrorCode } from '../../../src/common/error-codes.ts';
import type { CodeRow } from '../../../src/common/error-codes/end.ts';
import { endWith, UpgradeError } from '../../../src/common/errors.ts';

const codes = Object.values(errorCodes).flatMap((of) => Object.keys(of)) as ErrorCode[];
const sources = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !file.startsWith('common/error-codes'))
  .map((file) => readFileSync(path.join('src', file), 'utf8'))
  .join('\n');

const rows = Object.values(errorCodes).flatMap((of) => Object.entries<CodeRow>(of));

const withVerdict = (verdict: string) => codes.filter((code) => endOf(code).verdict === verdict).sort();

describe('the codes of errors', () => {
  test('belong to one class each', () => {
    expect(codes.filter((code, index) => codes.indexOf(code) !== index)).toEqual([]);
  });

  test('are known to the compiler: no other can be raised or compared with', () => {
    // @ts-expect-error there is no such code
    const error = new UpgradeError('no-such-code', 'It failed.', 'Look.');
    // @ts-expect-error there is no such code
    expect(error.code === 'lease-lots').toBe(false);
  });

  test.each(codes)('%s is one that the action raises', (code) => {
    // A refusal of the values file names its code without the beginning that all of them have.
    const names = [code, code.replace(/^values-/, '')];
    expect(names.some((name) => sources.includes(`'${name}'`))).toBe(true);
  });

  test.each(rows)('%s has a meaning and something to do, in sentences', (_, [, meaning, advice]) => {
    expect(meaning).toMatch(/^([A-Z`]|psql |pg_upgrade).{20,}[.)]$/);
    expect(advice).toMatch(/^[A-Z`].{8,}[.)`]$/);
    // A bare number is no name of a server.
    expect(`${meaning} ${advice}`.replaceAll(/PostgreSQL 1[24]|12-to-14/g, '')).not.toMatch(/\b1[24]\b/);
  });

  test('have a meaning each of its own', () => {
    const meanings = rows.map(([, [, meaning]]) => meaning);
    expect(meanings.filter((meaning, index) => meanings.indexOf(meaning) !== index)).toEqual([]);
  });

  test('stand in docs/troubleshooting.md', () => {
    const page = readFileSync('docs/troubleshooting.md', 'utf8');
    expect(codes.filter((code) => !page.includes(`| \`${code}\` |`))).toEqual([]);
  });

  test('say how a run ends', () => {
    expect(withVerdict('reverted')).toEqual(['reverted']);
    expect(withVerdict('interrupted')).toEqual([
      'before-applications-left',
      'image-changed',
      'job-still-runs',
      'lease-lost',
      'let-in-by-others',
      'node-silent',
      'statistics-pending',
    ]);
    expect(withVerdict('checks')).toEqual(Object.keys(errorCodes.PrecheckError).sort());
    expect(endWith(new UpgradeError('job-failed', 'It failed.', 'Look.')).verdict).toBe('failed');
    expect(endWith(new TypeError('x is undefined')).verdict).toBe('failed');
  });

  test('say that nothing is undone where another run has the server, or a Job may be at work', () => {
    // And where there is nothing to restore PostgreSQL 12 from.
    const left = ['before-applications-left', 'lease-lost', 'node-silent'];
    expect(codes.filter((code) => !endOf(code).undo).sort()).toEqual(left);
    expect(endWith(new TypeError('x is undefined')).undo).toBe(true);
  });
});
