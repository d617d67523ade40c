import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { expect, test } from '@jest/globals';

const script = path.resolve('src/job/other-upgrade.sh');

/** What a function of other-upgrade.sh prints, on a volume where these are the directories. */
function printed(call: string, data: string): string {
  const volume = `DATA=$1 FROM=12 TO=14 KEPT=$1-12.preupgrade NEW=$1-14; source ${script}; ${call}`;
  return execFileSync('bash', ['-c', volume, 'bash', data], { encoding: 'utf8' });
}

test.each([
  '/bitnami/postgresql/data',
  '/a b/data',
  "/it's/data",
  '/x;id/data',
  '/$(id)/data',
  '/`id`/data',
  '/a\\b/data',
])('the commands of other-upgrade.sh name %j, whatever a shell would make of it', (data) => {
  const words = printed('shell_words "$DATA" "$NEW"', data);
  expect(execFileSync('sh', ['-c', `printf '%s\\n' ${words}`], { encoding: 'utf8' })).toBe(`${data}\n${data}-14\n`);
});

test('a path that a terminal would act on is in none of them', () => {
  expect(printed('shell_words "$DATA"', '/x\ntouch made')).toBe('PATH-WITH-CONTROL-CHARACTERS');
});
