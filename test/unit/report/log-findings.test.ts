import { describe, expect, test } from '@jest/globals';
import type { Finding, Status } from '../../../src/findings/finding.ts';
import { countsText } from '../../../src/report/counts.ts';
import { logFindings } from '../../../src/report/log-findings.ts';
import { shellRemedy } from '../../../src/text/remedy.ts';
import { FakeLog } from '../fake-runner.ts';
import { finding } from '../issue/scene.ts';

/** Lines of the log; those in a group have a bar before them, and its title a plus. */
class FoldedLog extends FakeLog {
  private depth = 0;

  override info(line: string): void {
    super.info(`${'| '.repeat(this.depth)}${line}`);
  }

  override async group<T>(title: string, body: () => Promise<T>): Promise<T> {
    this.info(`+ ${title}`);
    this.depth++;
    const result = await super.group(title, body);
    this.depth--;
    return result;
  }
}

async function logged(findings: readonly Finding[], seconds: Readonly<Record<string, number>> = {}): Promise<string[]> {
  const log = new FoldedLog();
  await logFindings(findings, seconds, 'namespace circleci in cluster https://k8s.example', log);
  return log.lines;
}

describe('the findings in the log', () => {
  test('begin with the counts; what did not pass can be read without unfolding, the worst first; what passed is folded', async () => {
    const images = finding('images', 'passed', { evidence: ['12 and 14', 'imageID x'] });
    const findings = [images, finding('clients', 'warning'), finding('majors'), finding('applications', 'passed')];
    const titles = findings.map(({ title }) => title);
    expect(await logged(findings, { images: 1.23, majors: 0.5 })).toEqual([
      'Checked namespace circleci in cluster https://k8s.example: 2 ✓ passed, 1 ✗ failed, 1 ! warning',
      '',
      `✗ ${titles[2] ?? ''} (majors: failed, 0.5 s)`,
      '    majors was seen',
      'What to do: See to majors.',
      'More about it: docs/checks.md#majors',
      '',
      `! ${titles[1] ?? ''} (clients: warning, 0.0 s)`,
      '    clients was seen',
      'What to do: See to clients.',
      'More about it: docs/checks.md#clients',
      '',
      '+ 2 checks passed',
      '| ✓ PostgreSQL versions of both images (images, 1.2 s): 12 and 14 (1 more in the report)',
      `| ✓ ${titles[3] ?? ''} (applications, 0.0 s): applications was seen`,
    ]);
  });

  test('have the reason why one is ignored, and commands that no indent breaks', async () => {
    const remedy = shellRemedy('Grant it.', "kubectl apply -f - <<'EOF'\nkind: Role\nEOF");
    const lines = await logged([finding('permissions', 'failed', { ignored: 'another account upgrades', remedy })]);
    expect(lines.slice(0, 1)).toEqual([expect.stringMatching(/: 1 ✗ failed \(1 ignored\)$/)]);
    expect(lines.slice(2).join('\n').split('\n')).toEqual([
      "✗ Permissions of the kubeconfig's user (permissions: failed, ignored, 0.0 s)",
      '    permissions was seen',
      'What to do: Grant it.',
      'In a shell:',
      "kubectl apply -f - <<'EOF'",
      'kind: Role',
      'EOF',
      'Ignored: another account upgrades',
      'More about it: docs/checks.md#permissions',
    ]);
  });

  test('show the beginning of long evidence, and all of it in a group below', async () => {
    const evidence = Array.from({ length: 30 }, (_, index) => `pod ${String(index)}`);
    const lines = await logged([finding('volume-users', 'failed', { evidence })]);
    expect(lines.slice(3, 25)).toEqual([
      ...evidence.slice(0, 20).map((line) => `    ${line}`),
      '    … and 10 more lines, in the group below',
      'What to do: See to volume-users.',
    ]);
    expect(lines.slice(26)).toEqual([
      '+ All of it: volume-users',
      ...evidence.map((line) => `|     ${line}`),
      '| What to do: See to volume-users.',
      '| More about it: docs/checks.md#volume-users',
    ]);
  });

  test('show what waits for one cause once', async () => {
    const cause = { reason: 'psql: too many clients' };
    const more = { cause, evidence: ['circle: psql: too many clients'] };
    const lines = await logged(['majors', 'clients'].map((check) => finding(check, 'unknown', more)));
    expect(lines.slice(2)).toEqual([
      '? 2 checks without an answer (unknown)',
      '    psql: too many clients',
      '    The checks: majors, clients',
      'What to do: See to majors.',
      'More about it: docs/checks.md',
    ]);
  });
});

test('the counts name only what there is', () => {
  const of = (...statuses: Status[]) => countsText(statuses.map((status) => finding('majors', status)));
  expect(of('passed', 'passed')).toBe('2 ✓ passed');
  expect(of('warning', 'unknown', 'failed', 'passed')).toBe('1 ✓ passed, 1 ✗ failed, 1 ? unknown, 1 ! warning');
});
