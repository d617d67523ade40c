import { describe, expect, test } from '@jest/globals';
import { withoutDigest } from '../../../src/common/image.ts';
import { compareImages, pinned } from '../../../src/target/image-digests.ts';

const [a, b] = ['a', 'b'].map((digit) => `sha256:${digit.repeat(64)}`) as [string, string];
const image = 'cciserver.azurecr.io/server-postgres-upgrade';
const seen = (imageId: string, node = 'node-1', platform = 'amd64 containerd') => ({ imageId, node, platform });

describe('an image by tag', () => {
  test.each([
    ['as a node tells it', `${image}:12-14`, `${image}@${a}`, `${image}:12-14@${a}`],
    ['by dockershim', `${image}:12-14`, `docker-pullable://${image}@${a}`, `${image}:12-14@${a}`],
    ['of Docker Hub', 'circleci/x:1', `docker.io/circleci/x@${a}`, `circleci/x:1@${a}`],
    ['of a registry with a port', 'localhost:5000/x:1', `localhost:5000/x@${a}`, `localhost:5000/x:1@${a}`],
    ['without a tag', 'circleci/x', `docker.io/circleci/x@${a}`, `circleci/x@${a}`],
  ])('%s is pinned to its digest', (_name, reference, imageId, wanted) => {
    expect(pinned(reference, seen(imageId))).toBe(wanted);
    expect(withoutDigest(wanted)).toBe(reference);
  });

  test.each([
    ['has a digest already', `${image}:12-14@${b}`, `${image}@${a}`],
    ['is of another repository, a mirror for example', `${image}:12-14`, `mirror.example.com/x@${a}`],
    ['was never pulled', `${image}:12-14`, a],
    ['is none', `${image}:12-14`, `${image}@sha256:short`],
    ['would be a command', `${image}:12-14`, `${image}@${a}\nevil`],
  ])('stays as it is where what was seen %s', (_name, reference, imageId) => {
    expect(pinned(reference, seen(imageId))).toBe(reference);
  });

  test('stays as it is where nothing was seen', () => {
    expect(pinned(`${image}:12-14`, undefined)).toBe(`${image}:12-14`);
  });
});

describe('two images', () => {
  test.each([
    ['same', 'of one digest', seen(`${image}@${a}`), seen(`${image}@${a}`, 'node-2', '')],
    ['same', 'of one digest under two names', seen(`${image}@${a}`), seen(`mirror.example.com/x@${a}`)],
    ['same', 'that nobody pulled', seen(a), seen(a)],
    ['another', 'on one node', seen(`${image}@${a}`), seen(`${image}@${b}`, 'node-1', '')],
    ['another', 'on nodes of one platform', seen(`${image}@${a}`), seen(`${image}@${b}`, 'node-2')],
    ['unknown', 'on another platform', seen(`${image}@${a}`), seen(`${image}@${b}`, 'node-2', 'arm64 containerd')],
    [
      'unknown',
      'on nodes that can not be read',
      seen(`${image}@${a}`, 'node-1', ''),
      seen(`${image}@${b}`, 'node-2', ''),
    ],
    ['unknown', 'of two repositories', seen(`${image}@${a}`), seen(`mirror.example.com/x@${b}`)],
    ['unknown', 'of which one was never pulled', seen(a), seen(`${image}@${b}`)],
    ['unknown', 'of which one is not told', seen(`${image}@${a}`), seen('')],
  ] as const)('%s: %s', (answer, _name, then, now) => {
    expect(compareImages(then, now)).toBe(answer);
  });
});
