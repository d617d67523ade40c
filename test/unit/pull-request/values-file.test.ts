import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { editValues } from '../../../src/values/edit-values.ts';
import type { Edit } from '../../../src/pull-request/settings.ts';
import { branch, path, Scene, values } from './scene.ts';

jest.setTimeout(30_000);

let scene: Scene;
beforeEach(async () => {
  scene = await Scene.open();
});
afterEach(async () => {
  await scene.close();
});

const image = { registry: 'cciserver.azurecr.io', repository: 'server-postgres', tag: '14.20' };
const edit: Edit = (source) => editValues(source, { file: path, path: 'postgresql.image', image });

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
