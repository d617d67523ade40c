import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { valuesUpdate } from '../../../src/pull-request/values-update.ts';
import { inputs } from '../objects.ts';
import { thrownBy } from '../thrown.ts';
import { branch, path, Scene, values } from './scene.ts';

jest.setTimeout(30_000);

let scene: Scene;
beforeEach(async () => {
  scene = await Scene.open();
});
afterEach(async () => {
  await scene.close();
});

const image = {
  registry: 'cciserver.azurecr.io',
  repository: 'server-postgres',
  tag: '14.20',
  reference: 'cciserver.azurecr.io/server-postgres:14.20',
};
const edit = settingsFor({ 'values-file': path }).edit;

function settingsFor(given: Record<string, string>) {
  const settings = valuesUpdate(inputs(given), image, 'https://github.example/run/1');
  if (settings === undefined) throw new Error('no settings');
  return settings;
}

// Quoted, since 14.20 alone is a number to a YAML reader.
it('takes the edit of the values file as it is, once', async () => {
  expect((await scene.publish({ edit })).operation).toBe('created');
  expect(scene.git.file(branch, path)).toBe(values('"14.20"'));
  expect(scene.pull.body).toContain('-    tag: 12.16 # by hand\n+    tag: "14.20" # by hand');
  scene.forget();
  expect((await scene.publish({ edit })).operation).toBe('none');
  expect(scene.double.attempts).toEqual([]);
});

it('tells before the downtime what the edit refuses', async () => {
  scene.git.commitOn('main', { [path]: 'postgresql:\n  image: &a\n    tag: 12\nother: *a\n' }, 'Anchor');
  const [fact] = await scene.probe({ edit });
  expect(fact).toMatchObject({ id: 'values-file', status: 'failed' });
  expect(fact?.evidence.join()).toContain(path);
});

it('is off without a values file', () => {
  expect(valuesUpdate(inputs(), image, '')).toBeUndefined();
});

it('takes every input, and the image, as they are', () => {
  const settings = settingsFor({
    'values-file': path,
    'pull-request-base': 'release',
    'pull-request-branch': 'postgresql',
    'pull-request-draft': 'true',
    labels: 'database, needs review',
    assignees: 'ada',
    reviewers: 'grace\nlinus',
    'team-reviewers': 'dba',
  });
  expect(settings).toEqual({
    path,
    edit: expect.any(Function),
    image: image.reference,
    tag: '14.20',
    namespace: 'circleci-server',
    base: 'release',
    branch: 'postgresql',
    draft: true,
    labels: ['database', 'needs review'],
    assignees: ['ada'],
    reviewers: ['grace', 'linus'],
    teamReviewers: ['dba'],
    runUrl: 'https://github.example/run/1',
  });
});

it('tells what is about the file, with its line, but stands in no way', async () => {
  const text = `${values('12.16')}global:\n  imageRegistry: registry.example.com\n`;
  scene.git.commitOn('main', { [path]: text }, 'Set a registry');
  const [fact] = await scene.probe({ edit });
  expect(fact).toMatchObject({ id: 'values-file', status: 'warning' });
  expect(fact?.evidence[0]).toMatch(/^environments\/production\/values.yaml, line 8: global.imageRegistry is/);
  expect((await scene.publish({ edit })).warnings).toEqual([fact?.evidence[0]]);
});

it.each([
  ['values-file', '../values.yaml', 'values-file-path'],
  ['values-path', 'postgresql..image', 'values-path-invalid'],
  ['pull-request-base', 'a..b', 'branch-name-invalid'],
  ['pull-request-branch', 'refs/heads/x', 'branch-name-invalid'],
])('refuses %s: %s before anything is looked at', async (input, value, code) => {
  const error = await thrownBy(() => settingsFor({ 'values-file': path, [input]: value }));
  expect(error).toMatchObject({ code });
});
