import { describe, expect, test } from '@jest/globals';
import { guardConsent, guardStart, startingEvents, type Start } from '../../../src/inputs/guards.ts';
import { inputs, namespace } from '../objects.ts';
import { thrownBy } from '../thrown.ts';

const upgrade = inputs({ mode: 'upgrade', confirm: namespace });
const precheck = inputs({ mode: 'precheck' });
const repository = { full_name: 'owner/server' };

function started(event: string, payload: unknown = { repository }): Start {
  return { event, isWorkflow: true, payload };
}

function after(run: object): Start {
  return started('workflow_run', { repository, workflow_run: run });
}

describe('what starts a run', () => {
  test.each(['workflow_dispatch', 'repository_dispatch', 'schedule'])('the event %s starts every mode', (event) => {
    for (const mode of ['precheck', 'rehearse', 'upgrade', 'status', 'rollback', 'cleanup', 'values'] as const)
      expect(() => {
        guardStart({ mode, dryRun: false }, started(event));
      }).not.toThrow();
  });

  test.each(['push', 'workflow_run', 'issue_comment', 'pull_request', 'workflow_call', 'toString', '__proto__', ''])(
    'the event "%s" starts no rehearsal, no upgrade, no rollback and no cleanup',
    async (event) => {
      for (const mode of ['rehearse', 'upgrade', 'rollback', 'cleanup'] as const) {
        const error = await thrownBy(() => {
          guardStart({ mode, dryRun: false }, started(event));
        });
        expect(error.code).toBe('event-refused');
        expect(error.message).toContain(event === '' ? 'an event without a name' : event);
        expect(error.remedy.text).toContain('workflow_dispatch');
      }
    },
  );

  test.each(['push', 'schedule'])('the event %s starts what changes nothing in the cluster', (event) => {
    for (const mode of ['precheck', 'status', 'values'] as const) {
      guardStart({ mode, dryRun: false }, started(event));
    }
    for (const mode of ['upgrade', 'cleanup'] as const) {
      guardStart({ mode, dryRun: true }, started(event));
    }
  });

  test.each(['issue_comment', 'pull_request_target', 'pull_request', 'fork', 'watch', ''])(
    'the event "%s" starts no precheck, and the remedy names those that do',
    async (event) => {
      const error = await thrownBy(() => {
        guardStart(precheck, started(event));
      });
      expect(error.code).toBe('event-refused');
      for (const one of Object.keys(startingEvents)) expect(error.remedy.text).toContain(one);
    },
  );

  test('a name that no event has is quoted', async () => {
    const error = await thrownBy(() => {
      guardStart(precheck, started(`push\n::error::${'x'.repeat(1000)}`));
    });
    expect(error.message).not.toContain('\n');
    expect(error.message.length).toBeLessThan(200);
  });

  test('outside of GitHub Actions no event is asked for', () => {
    expect(() => {
      guardStart(upgrade, { event: '', isWorkflow: false, payload: undefined });
    }).not.toThrow();
  });
});

describe('a precheck after another workflow', () => {
  test.each(['push', 'schedule', 'workflow_dispatch'])(
    'runs where %s started that one, for this repository',
    (event) => {
      expect(() => {
        guardStart(precheck, after({ event, head_repository: repository }));
      }).not.toThrow();
    },
  );

  test.each([
    ['of a fork', { event: 'pull_request', head_repository: { full_name: 'else/server' } }],
    ['of a fork that is gone', { event: 'pull_request', head_repository: null }],
    ['of nobody knows whom', { event: 'push' }],
  ])('does not run %s', async (_whose, run) => {
    const error = await thrownBy(() => {
      guardStart(precheck, after(run));
    });
    expect(error.code).toBe('fork-refused');
  });

  test.each(['pull_request', 'issue_comment', 'workflow_run', 'hasOwnProperty'])(
    'does not run where %s started that one',
    async (event) => {
      const error = await thrownBy(() => {
        guardStart(precheck, after({ event, head_repository: repository }));
      });
      expect(error.code).toBe('event-refused');
      expect(error.message).toContain(event);
    },
  );

  test.each([
    undefined,
    null,
    {},
    [],
    'text',
    { repository },
    { repository, workflow_run: null },
    { workflow_run: { event: 'push', head_repository: {} }, repository: {} },
    { workflow_run: { event: 'push', head_repository: { full_name: '' } }, repository: { full_name: '' } },
  ])('does not run with the payload %j, which says nothing', async (payload) => {
    const error = await thrownBy(() => {
      guardStart(precheck, { event: 'workflow_run', isWorkflow: true, payload });
    });
    expect(error.code).toBe('event-unreadable');
  });
});

describe('the consent to an upgrade', () => {
  test.each(['', 'yes', 'true', 'circleci', `${namespace}2`])('is not %j', async (confirm) => {
    const error = await thrownBy(() => {
      guardConsent(inputs({ mode: 'upgrade', confirm }));
    });
    expect(error.code).toBe('confirm-missing');
    expect(error.message).toContain(confirm === '' ? 'empty' : `"${confirm}"`);
    expect(error.remedy.text).toContain(`confirm: ${namespace}`);
  });

  test('to a rollback says when it begins, and how outside of GitHub', async () => {
    const { remedy } = await thrownBy(() => {
      guardConsent(inputs({ mode: 'rollback', confirm: '' }));
    });
    expect(remedy.text).toContain(`(outside of GitHub: \`--confirm ${namespace}\`)`);
    expect(remedy.text).toContain('the rollback first only says what you would lose. It changes nothing then.');
  });

  test('is the namespace', () => {
    expect(() => {
      guardConsent(upgrade);
    }).not.toThrow();
  });

  test('without a backup in the cluster is given twice', async () => {
    const error = await thrownBy(() => {
      guardConsent(inputs({ mode: 'upgrade', confirm: namespace, backup: 'external' }));
    });
    expect(error.code).toBe('external-backup-unconfirmed');
  });

  test.each(['upgrade', 'cleanup'])('is not asked for by a dry run of mode %s', (mode) => {
    expect(() => {
      guardConsent(inputs({ mode, 'dry-run': 'true', confirm: '', backup: 'external' }));
    }).not.toThrow();
  });

  test.each([
    ['confirm-missing', {}],
    ['confirm-missing', { confirm: `${namespace} without the journal` }],
    ['confirm-missing', { confirm: `${namespace} with image:12` }],
    ['external-backup-unconfirmed', { confirm: namespace, backup: 'external' }],
  ])('to a cleanup: %s for %j', async (code, given) => {
    const error = await thrownBy(() => {
      guardConsent(inputs({ mode: 'cleanup', ...given }));
    });
    expect(error.code).toBe(code);
    expect(error.remedy.text).toContain('the last copies of PostgreSQL 12');
  });

  test('to a cleanup is the namespace, and with a backup of your own it is given twice', () => {
    expect(() => {
      guardConsent(inputs({ mode: 'cleanup', confirm: namespace }));
      const external = { backup: 'external', 'confirm-external-backup': namespace };
      guardConsent(inputs({ mode: 'cleanup', confirm: namespace, ...external }));
    }).not.toThrow();
  });

  test.each(['rehearse', 'rollback', 'values'])(
    'a dry run of mode %s is refused: it would change something',
    (mode) => {
      const given = mode === 'values' ? { 'values-file': 'values.yaml', 'github-token': 'token' } : {};
      expect(() => {
        guardConsent(inputs({ mode, 'dry-run': 'true', ...given }));
      }).toThrow(expect.objectContaining({ code: 'dry-run-refused' }));
    },
  );
});
