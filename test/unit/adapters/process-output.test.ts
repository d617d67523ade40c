import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { expect, test } from '@jest/globals';

const adapter = path.resolve(import.meta.dirname, '../../../src/adapters/process-output.ts');

test('a pipe other than the log that breaks ends the run, and the log says so', () => {
  const script = `
    import { captureProcessOutput } from ${JSON.stringify(adapter)};
    captureProcessOutput({ info: (line) => process.stdout.write(line + '\\n') });
    setImmediate(() => { throw Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }); });`;
  const flags = ['--experimental-transform-types', '--no-warnings', '--input-type=module', '--eval', script];
  const { status, stdout, stderr } = spawnSync(process.execPath, flags, { encoding: 'utf8', timeout: 30_000 });
  expect([status, stderr, stdout.split('\n')[0]]).toEqual([1, '', 'Error: write EPIPE']);
});
