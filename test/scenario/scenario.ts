import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { jest } from '@jest/globals';
import { dump } from 'js-yaml';
import { startAction, type ActionEnd, type Circumstances, type InputValues, type RunningAction } from './action.ts';
import { ApiServer } from './api-server.ts';
import { makeCertificates } from './certificates.ts';
import { Postgresql } from './postgresql.ts';
import { install, namespace } from './release.ts';

// A process takes a third of a second; on a busy machine it may be many times that.
jest.setTimeout(60_000);

const certificates = makeCertificates();

export interface Kubeconfig {
  readonly clusters: readonly { readonly name: string; readonly cluster: Readonly<Record<string, unknown>> }[];
  readonly contexts: readonly object[];
  readonly users: readonly { readonly name: string; readonly user: Readonly<Record<string, unknown>> }[];
  readonly [key: string]: unknown;
}

/** A cluster with a healthy release of CircleCI Server, and the action that is let loose on it. */
export class Scenario {
  readonly postgresql = new Postgresql();
  private readonly directory = mkdtempSync(path.join(tmpdir(), 'scenario-'));

  private constructor(readonly api: ApiServer) {}

  static async begin(): Promise<Scenario> {
    const scenario = new Scenario(await ApiServer.start(certificates));
    install(scenario.api, scenario.postgresql.password);
    scenario.api.program = scenario.postgresql.program;
    return scenario;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.api.stop();
    rmSync(this.directory, { recursive: true });
  }

  /** A kubeconfig for the API server with a token; parts of its cluster and user may be others. */
  kubeconfig(parts: { cluster?: Record<string, unknown>; user?: Record<string, unknown> } = {}): Kubeconfig {
    const cluster = parts.cluster ?? {
      server: this.api.address,
      'certificate-authority-data': btoa(certificates.authority),
    };
    return {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'server', cluster }],
      users: [{ name: 'upgrader', user: parts.user ?? { token: this.api.token } }],
      contexts: [{ name: 'production', context: { cluster: 'server', user: 'upgrader' } }],
      'current-context': 'production',
    };
  }

  clientCertificate(): Record<string, string> {
    return {
      'client-certificate-data': btoa(certificates.client.certificate),
      'client-key-data': btoa(certificates.client.key),
    };
  }

  /** Writes a file that lives as long as the scenario; answers its path. */
  file(name: string, content: Kubeconfig | string): string {
    const file = path.join(this.directory, name);
    writeFileSync(file, typeof content === 'string' ? content : dump(content));
    return file;
  }

  /** Starts the action with the kubeconfig and without probes, unless the inputs say otherwise. */
  start(inputs: InputValues = {}, circumstances: Circumstances = {}): RunningAction {
    const kubeconfig = this.file('kubeconfig', this.kubeconfig());
    const { end, ...running } = startAction({ namespace, kubeconfig, probes: 'none', ...inputs }, circumstances);
    return { ...running, end: end.then((e) => this.withoutSecrets(e)) };
  }

  async run(inputs?: InputValues, circumstances?: Circumstances): Promise<ActionEnd> {
    return await this.start(inputs, circumstances).end;
  }

  /** Holds for every run, whatever happens in it: no secret shows up where somebody could read it. */
  private withoutSecrets(end: ActionEnd): ActionEnd {
    const { password } = this.postgresql;
    const log = end.stdout.split('\n').filter((line) => !line.startsWith('::add-mask::'));
    const calls = this.api.calls.map(({ path, query }) => `${path}?${[...query.values()].join('&')}`);
    const places = {
      log,
      calls,
      outputs: Object.values(end.outputs),
      report: [end.reportText],
      summary: [end.summary],
    };
    const key = certificates.client.key.split('\n')[1] ?? '';
    const secrets = [password, this.api.token, key].flatMap((s) => [
      s,
      btoa(s).replace(/=+$/, ''),
      encodeURIComponent(s),
    ]);
    for (const [place, texts] of Object.entries(places)) {
      const shown = texts.find((text) => secrets.some((s) => text.includes(s)));
      if (shown !== undefined) throw new Error(`a secret is in the ${place}: ${shown}`);
    }
    return end;
  }
}
