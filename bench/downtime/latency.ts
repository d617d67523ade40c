// A network that takes time: what kubectl, helm and the action say to the API server, and hear from it, comes later.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net, { type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { dump, load } from 'js-yaml';
import { environment } from '../../test/cluster/bench.ts';

interface Kubeconfig {
  readonly clusters: readonly { readonly name: string; readonly cluster: Readonly<Record<string, string>> }[];
}

export class Latency {
  private constructor(
    private readonly server: net.Server,
    private readonly directory: string,
    /** The path of a kubeconfig of the bench's administrator that leads through it. */
    readonly kubeconfig: string,
  ) {}

  /** @param milliseconds each way */
  static async begin(milliseconds: number): Promise<Latency> {
    const given = load(readFileSync(environment['KUBECONFIG'] ?? '', 'utf8')) as Kubeconfig;
    const url = new URL(given.clusters[0]?.cluster['server'] ?? '');
    const server = net.createServer((inside) => {
      // The handshake of TCP is a round trip, too, which a proxy on this machine hides.
      setTimeout(() => {
        join(inside, net.connect(Number(url.port || '443'), url.hostname), milliseconds);
      }, 2 * milliseconds);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const directory = mkdtempSync(path.join(tmpdir(), 'latency-'));
    const kubeconfig = path.join(directory, 'kubeconfig');
    const address = `https://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
    const clusters = given.clusters.map(({ name, cluster }) => ({
      name,
      cluster: { ...cluster, server: address, 'tls-server-name': cluster['tls-server-name'] ?? url.hostname },
    }));
    writeFileSync(kubeconfig, dump({ ...given, clusters }), { mode: 0o600 });
    return new Latency(server, directory, kubeconfig);
  }

  async end(): Promise<void> {
    await new Promise((resolve) => this.server.close(resolve));
    rmSync(this.directory, { recursive: true });
  }
}

/** What goes over comes in its order, each part later by the same time. */
function join(inside: Socket, outside: Socket, milliseconds: number): void {
  for (const [from, to] of [
    [inside, outside],
    [outside, inside],
  ] as const) {
    from.on('data', (part) => setTimeout(() => to.writable && to.write(part), milliseconds));
    from.on('end', () => setTimeout(() => to.end(), milliseconds));
    from.on('error', () => to.destroy());
    from.on('close', () => setTimeout(() => to.destroy(), milliseconds));
  }
}
