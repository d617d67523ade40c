// When the applications are stopped and back, as somebody outside sees it, in the same way for every way to upgrade: from the
// first workload of the application layer that is told to stop until each of them has all of its replicas ready again.
import { spawn, type ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { environment } from '../../test/cluster/bench.ts';

interface Workload {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly generation: number };
  readonly spec: { readonly replicas: number };
  readonly status: { readonly observedGeneration?: number; readonly replicas?: number; readonly readyReplicas?: number };
}

export class Observer {
  private readonly watches: ChildProcess[];
  private readonly wanted = new Map<string, number>();
  private readonly missing = new Set<string>();
  private from: number | undefined;
  private to: number | undefined;

  private constructor(namespace: string) {
    this.watches = ['deployments', 'statefulsets'].map((resource) => this.watch(namespace, resource));
  }

  /** Watches once it has seen how everything is before. */
  static async start(namespace: string): Promise<Observer> {
    const observer = new Observer(namespace);
    const kinds = () => new Set([...observer.wanted.keys()].map((name) => name.split('/')[0]));
    while (kinds().size < observer.watches.length) await sleep(50);
    return observer;
  }

  /** When the first was told to stop, in milliseconds since 1970; undefined when none was. */
  get stopped(): number | undefined {
    return this.from;
  }

  /** When the last had all of its replicas again; undefined while one has not. */
  get back(): number | undefined {
    return this.to;
  }

  stop(): void {
    for (const watch of this.watches) watch.kill();
  }

  private watch(namespace: string, resource: string): ChildProcess {
    const args = ['-n', namespace, 'get', resource, '-l', 'layer=application', '--watch', '-o', 'json'];
    const child = spawn('kubectl', args, {
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString('utf8');
      // Each object ends with the only brace that stands at the beginning of a line.
      for (let end = text.indexOf('\n}\n'); end !== -1; end = text.indexOf('\n}\n')) {
        this.see(JSON.parse(text.slice(0, end + 3)) as Workload);
        text = text.slice(end + 3);
      }
    });
    return child;
  }

  private see({ kind, metadata, spec, status }: Workload): void {
    const name = `${kind}/${metadata.name}`;
    const wanted = this.wanted.get(name) ?? spec.replicas;
    this.wanted.set(name, wanted);
    const isKnown = (status.observedGeneration ?? 0) >= metadata.generation;
    const ready = Math.min(status.readyReplicas ?? 0, status.replicas ?? 0);
    const isUp = spec.replicas >= wanted && (wanted === 0 || (isKnown && ready >= wanted));
    const now = Date.now();
    if (!isUp) {
      if (spec.replicas < wanted) this.from ??= now;
      this.missing.add(name);
      this.to = undefined;
    } else if (this.missing.delete(name) && this.missing.size === 0) {
      this.to = now;
    }
  }
}
