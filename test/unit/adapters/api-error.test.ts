import { describe, expect, test } from '@jest/globals';
import { answerError, connectionError } from '../../../src/adapters/api-error.ts';
import { ClusterError } from '../../../src/common/errors.ts';

const status = (message: string) => JSON.stringify({ kind: 'Status', status: 'Failure', message });

describe('what the API server refused', () => {
  test.each([
    [401, 'unauthorized', 'credentials'],
    [403, 'forbidden', 'permission'],
    [404, 'not-found', 'namespace'],
    [409, 'conflict', 'Somebody else'],
    [422, 'invalid', 'field'],
    [429, 'too-many-requests', 'later'],
    [400, 'refused', 'log'],
    [405, 'refused', 'log'],
    [500, 'server-error', 'health'],
    [503, 'server-error', 'health'],
    [504, 'server-error', 'health'],
  ])('HTTP %i is %s', (http, code, remedy) => {
    const error = answerError('list pods', http, status('the reason'));
    expect(error).toBeInstanceOf(ClusterError);
    expect(error.code).toBe(code);
    expect(error.message).toContain("Can't list pods");
    expect(error.message).toContain('the reason');
    expect(error.message).toContain(`HTTP ${String(http)}`);
    expect(error.remedy.text).toContain(remedy);
  });

  test.each([
    ['a Status', status('pods is forbidden: User "ci" cannot list resource'), 'User "ci" cannot list resource'],
    ['a Status that ends with a full stop', status('No such pod.'), 'No such pod (HTTP'],
    ['a Status with a reason only', JSON.stringify({ reason: 'Forbidden' }), 'Forbidden'],
    ['text', 'Unauthorized\n', 'Unauthorized'],
    ['HTML of a proxy', '<html>\n<body>\n502 Bad Gateway</body></html>', '502 Bad Gateway'],
    ['nothing', '', 'no message'],
    ['an empty object', '{}', 'no message'],
    ['broken JSON', '{"message": "cut', '{"message": "cut'],
    ['null', 'null', 'null'],
  ])('says what is in %s, in one line', (_what, body, expected) => {
    const { message } = answerError('read Pod x', 403, body);
    expect(message).toContain(expected);
    expect(message).not.toContain('\n');
  });

  test.each([
    ['an object that is not there', status('pods "x" not found'), 'not-found'],
    ['an API that is not served', '404 page not found\n', 'not-served'],
    ["a proxy's page", '<html>404 Not Found</html>', 'refused'],
  ])('404 for %s', (_what, body, code) => {
    expect(answerError('read Pod x', 404, body).code).toBe(code);
  });

  test('a long body that is no Status is cut', () => {
    expect(answerError('read Pod x', 502, 'x'.repeat(10_000)).message.length).toBeLessThan(300);
  });
});

describe('a call without an answer', () => {
  test('names the address and the reason below it', () => {
    const cause = new Error('fetch failed', { cause: new Error('connect ECONNREFUSED 10.0.0.1:6443') });
    const error = connectionError('list pods', 'https://10.0.0.1:6443', cause);
    expect(error.code).toBe('unreachable');
    expect(error.message).toContain('https://10.0.0.1:6443');
    expect(error.message).toContain('ECONNREFUSED');
    expect(error.remedy.text).toContain('kubeconfig');
    expect(error.cause).toBe(cause);
  });
});
