import { describe, expect, test } from '@jest/globals';
import { guardUpgrade, isForkEvent } from '../../src/guards.ts';
import { inputs, namespace } from './objects.ts';
import { thrownBy } from './thrown.ts';

const upgrade = inputs({ mode: 'upgrade', confirm: namespace });
const allEvents = ['workflow_dispatch', 'schedule', 'push', 'workflow_call', 'workflow_run', 'repository_dispatch', ''];
const pullRequestEvents = ['pull_request', 'pull_request_target', 'pull_request_review', 'pull_request_review_comment'];

describe('the guard of an upgrade', () => {
  test.each(allEvents)('lets the event "%s" pass', (event) => {
    expect(() => {
      guardUpgrade(upgrade, event, false);
    }).not.toThrow();
  });

  test.each(pullRequestEvents)('refuses the event %s', async (event) => {
    const error = await thrownBy(() => {
      guardUpgrade(upgrade, event, false);
    });
    expect(error.code).toBe('event-refused');
    expect(error.message).toContain(event);
    expect(error.remedy).toContain('workflow_dispatch');
  });

  test('refuses a fork', async () => {
    const error = await thrownBy(() => {
      guardUpgrade(upgrade, 'workflow_dispatch', true);
    });
    expect(error.code).toBe('fork-refused');
  });

  test.each(['', 'yes', 'true', 'circleci', `${namespace}2`])('takes %j for no consent', async (confirm) => {
    const error = await thrownBy(() => {
      guardUpgrade(inputs({ mode: 'upgrade', confirm }), 'workflow_dispatch', false);
    });
    expect(error.code).toBe('confirm-missing');
    expect(error.message).toContain(confirm === '' ? 'empty' : `"${confirm}"`);
    expect(error.remedy).toContain(`confirm: ${namespace}`);
  });

  test.each([...allEvents, ...pullRequestEvents])('lets a precheck run on the event "%s", also of a fork', (event) => {
    expect(() => {
      guardUpgrade(inputs({ mode: 'precheck' }), event, true);
    }).not.toThrow();
  });
});

describe('an event speaks of a fork', () => {
  const repository = { full_name: 'owner/server' };

  test.each([
    ['a dispatch', { repository }],
    ['an empty payload', {}],
    [
      'a pull request of the repository',
      { repository, pull_request: { head: { repo: { full_name: 'owner/server' } } } },
    ],
    ['a workflow_run of the repository', { repository, workflow_run: { head_repository: repository } }],
  ])('not: %s', (_what, payload) => {
    expect(isForkEvent(payload)).toBe(false);
  });

  test.each([
    ['a pull request of a fork', { repository, pull_request: { head: { repo: { full_name: 'else/server' } } } }],
    ['a pull request of a deleted fork', { repository, pull_request: { head: { repo: null } } }],
    ['a pull request without a head', { repository, pull_request: {} }],
    ['a workflow_run of a fork', { repository, workflow_run: { head_repository: { full_name: 'else/server' } } }],
    ['a workflow_run without a head', { repository, workflow_run: {} }],
  ])('%s', (_what, payload) => {
    expect(isForkEvent(payload)).toBe(true);
  });
});

describe('a dry run', () => {
  test('of an upgrade needs no confirmation, whatever started the workflow', () => {
    const dry = inputs({ mode: 'upgrade', 'dry-run': 'true', confirm: '', backup: 'external' });
    expect(() => {
      guardUpgrade(dry, 'pull_request', true);
    }).not.toThrow();
  });

  test.each(['rollback', 'values'])('of mode %s is refused: it would change something', (mode) => {
    const given = mode === 'values' ? { 'values-file': 'values.yaml', 'github-token': 'token' } : {};
    expect(() => {
      guardUpgrade(inputs({ mode, 'dry-run': 'true', ...given }), 'workflow_dispatch', false);
    }).toThrow(expect.objectContaining({ code: 'dry-run-refused' }));
  });
});
