// A small file that one other uses is a file more to open: it is joined to that one, or stands here with the reason why it is not.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from '@jest/globals';

/** Lines below which a file is small. */
const small = 40;

const reasons: Readonly<Record<string, string>> = {
  'src/common/error-codes/cleanup.ts': 'the codes of a cleanup that had begun: upgrade.ts is long enough',
  'src/common/error-codes/gates-and-hooks.ts': 'the codes of gates and hooks: upgrade.ts is long enough',
  'src/inputs/accounts.ts': 'the grammar of names on GitHub, beside the other grammars',
  'src/inputs/limit-inputs.ts': 'the table of inputs is long enough',
  'src/issue/within-budget.ts': 'pure, with a test of its own',
  'src/redaction/redacted-github.ts':
    'the port GitHub with secrets taken out, as redacted-runner.ts is the port Runner',
  'src/target/application-start.ts': 'pure, with a test of its own',
  'src/upgrade/server/detached.ts': 'which node has the volume: stop-postgresql.ts is long enough',
  'src/vocabulary.ts': 'words that redaction keeps, gathered from all tables',
};

/** One check, hazard, step, mode, port or adapter a file, whoever uses it. */
const isOneOfAKind = (file: string) =>
  /^src\/(adapters|hazards|modes|ports|prechecks\/checks|upgrade\/steps)\//.test(file);

const files = readdirSync('src', { recursive: true, withFileTypes: true })
  .filter((entry) => entry.name.endsWith('.ts'))
  .map((entry) => path.join(entry.parentPath, entry.name));
const texts = new Map(files.map((file) => [file, readFileSync(file, 'utf8')]));

const importers = new Map<string, Set<string>>();
for (const [file, text] of texts)
  for (const [, module = ''] of text.matchAll(/from '(\.[^']+)'/g)) {
    const imported = path.join(path.dirname(file), module);
    importers.set(imported, (importers.get(imported) ?? new Set()).add(file));
  }

test('each small file that one other uses has a reason to be one, and nothing else is listed', () => {
  const found = files.filter(
    (file) =>
      importers.get(file)?.size === 1 && !isOneOfAKind(file) && (texts.get(file) ?? '').split('\n').length - 1 < small,
  );
  expect(found.sort()).toEqual(Object.keys(reasons).sort());
});
