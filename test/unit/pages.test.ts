// What docs/troubleshooting.md and other pages quote is what the action says: lines of waits, ids of checks, codes of errors, images.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { errorCodes } from '../../src/common/error-codes.ts';
import { upgrade } from '../../src/common/versions.ts';
import { catalogue } from '../../src/prechecks/catalogue.ts';

const symptoms = readFileSync('docs/troubleshooting.md', 'utf8').split('<!-- codes: generated -->')[0] ?? '';
const all = (folder: string, end: string) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith(end))
    .map((file) => readFileSync(path.join(folder, file), 'utf8'))
    .join('\n');
const [sources, pages] = [all('src', '.ts'), all('docs', '.md')];
const found = (pattern: RegExp, text: string) => [
  ...new Set([...text.matchAll(pattern)].map(([, name]) => name ?? '')),
];

describe('docs/troubleshooting.md', () => {
  test.each(found(/`Waiting for ([^`]+)`/g, symptoms))('a run waits for %s', (what) => {
    const words = what.split('…').map((part) => part.replaceAll(/[()]/g, String.raw`\$&`));
    // From its beginning on: a string, or a template with names in it.
    expect(sources).toMatch(new RegExp(`[\`'"]${words.join('.*')}`));
  });
});

describe('the pages', () => {
  const codes: readonly string[] = Object.values(errorCodes).flatMap((of) => Object.keys(of));
  const ids: readonly string[] = catalogue.map(({ id }) => id);

  test.each(found(/\[`?([a-z0-9-]+)`?\]\(troubleshooting\.md#error-codes\)/g, pages))('%s is a code', (code) => {
    expect(codes).toContain(code);
  });

  test.each(found(/\bchecks? `([a-z0-9-]+)`/g, pages))('%s is a check', (id) => {
    expect(ids).toContain(id);
  });

  test.each(found(/\[([a-z]+(?:-[a-z0-9]+)+)\]\((?:\.\.\/)?checks\.md#/g, pages))(
    '%s is a check that is linked',
    (id) => {
      expect(ids).toContain(id);
    },
  );

  const text = readFileSync('docs/registries.md', 'utf8');
  const [tags, named] = [Object.values(upgrade.tags), found(/(?<!sha256):(\d[\w.-]*)(?=[\s`@;)])/g, text)];
  test.each(Object.entries(upgrade.images))('name the images of %s', (_, { registry, repository, upgradeImage }) => {
    expect(text).toContain(`\`${registry}/${repository}:TAG\``);
    expect(text).toContain(`\`${upgradeImage}\``);
  });

  test('name the tags, and no others', () => {
    expect(named.filter((tag) => tag !== '12-14' && !tags.includes(tag))).toEqual([]);
    expect(tags.filter((tag) => !named.includes(tag))).toEqual([]);
  });
});
