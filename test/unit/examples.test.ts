// What the example workflows must have in common, besides that they run (test/workflow).
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';

const folder = '.github/workflows/examples';
const read = (file: string) => readFileSync(file, 'utf8');
const examples = new Map(readdirSync(folder).map((file) => [file, read(path.join(folder, file))]));
const texts = [...examples.values()];
const used = (text: string) =>
  [...text.matchAll(/^ *#? *(?:- )?uses: (\S+)(?: # (.*))?$/gm)].map(([, uses = '', comment = '']) => ({
    uses,
    comment,
  }));
const pages = readdirSync('docs').flatMap((file) => (file.endsWith('.md') ? [read(`docs/${file}`)] : []));

const oursIn = (text: string) => used(text).filter(({ uses }) => !uses.startsWith('actions/'));
const [{ uses: name } = { uses: '' }] = texts.flatMap(oursIn);

test('this action has one name in all examples', () => {
  expect(texts.flatMap(oursIn).map(({ uses }) => uses)).toEqual(texts.map(() => name));
  expect(name).toMatch(/^(OWNER\/REPOSITORY@COMMIT|[\w.-]+\/[\w.-]+@[0-9a-f]{40})$/);
});

test('and in all pages', () => {
  const [repository = ''] = name.split('@');
  const named = [read('README.md'), ...pages]
    .flatMap(oursIn)
    .map(({ uses }) => uses)
    .filter((uses) => [repository, 'OWNER/REPOSITORY'].includes(uses.split('@')[0] ?? ''));
  expect(named.length).toBeGreaterThan(0);
  expect(named).toEqual(named.map(() => name));
});

test('an action of others is pinned by the same commit everywhere, with its version', () => {
  const others = [...texts, read('.github/workflows/ci.yml')]
    .flatMap(used)
    .filter(({ uses }) => uses.startsWith('actions/'));
  const pins = new Map<string, Set<string>>();
  for (const { uses, comment } of others) {
    expect(`${uses} # ${comment}`).toMatch(/^actions\/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
    const [action = '', commit = ''] = uses.split('@');
    pins.set(action, (pins.get(action) ?? new Set()).add(commit));
  }
  for (const [action, commits] of pins) expect([action, commits.size]).toEqual([action, 1]);
});

describe.each([...examples])('%s', (_file, text) => {
  test('keeps the report whatever becomes of the run', () => {
    expect(text).toMatch(/if: always\(\) && steps\.\w+\.outputs\.report != ''\n +uses: actions\/upload-artifact@/);
  });

  test('takes the values file of the namespace, never one for all', () => {
    const path = /^ +values-file: (.*)$/m.exec(text)?.[1] ?? 'environments/${{ inputs.namespace }}/values.yaml';
    expect(path).toBe('environments/${{ inputs.namespace }}/values.yaml');
  });
});

test('what is for a GitHub App stands in the same words where a pull request is opened', () => {
  const blocks = texts
    .filter((text) => text.includes('values-file:'))
    .map((text) => text.slice(text.indexOf('# No workflow starts'), text.indexOf('- id: ', text.indexOf('#  with'))));
  expect(blocks).toHaveLength(2);
  expect(new Set(blocks).size).toBe(1);
});

test('no upgrade waits for a rehearsal: both start in the same workflow, but in another group', () => {
  const groupOf = (file: string) => /^concurrency:\n +group: (.*)$/m.exec(examples.get(file) ?? '')?.[1];
  const shared = 'postgresql-upgrade-${{ inputs.namespace }}';
  expect(groupOf('upgrade.yml')).toBe(`${shared}\${{ inputs.mode == 'rehearse' && '-rehearsal' || '' }}`);
  // Of two rehearsals one waits, whatever started them.
  expect(groupOf('rehearse.yml')).toBe('postgresql-upgrade-circleci-server-rehearsal');
  expect(examples.get('cleanup.yml')).toContain('group: postgresql-upgrade-');
});
