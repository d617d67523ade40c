// The cluster of the unit tests, with its controllers, behind the double of the API server: so the bundle can go through a whole upgrade.
import { isRunError } from '../../src/common/errors.ts';
import { resources, type PatchOperation, type ResourceName, type ResourceTypes } from '../../src/ports/cluster.ts';
import type { FakeCluster } from '../unit/fake-cluster.ts';
import { statusOf, type Call } from './api-server.ts';
import type { Program } from './exec-channel.ts';
import type { Place } from './object-store.ts';

export class ServedCluster {
  constructor(private readonly cluster: FakeCluster) {}

  /** What runs in the containers of a pod. */
  programIn({ namespace, name }: Place, query: URLSearchParams): Program {
    return async ({ command, input }) => {
      const { exitCode, stdout, stderr } = await this.cluster.exec(
        ...([namespace, name, query.get('container') ?? ''] as const),
        ...([command, input, 0] as const),
      );
      return { exitCode, stdout, stderr };
    };
  }

  async answer(place: Place, call: Call, body: unknown): Promise<[number, unknown]> {
    try {
      return await this.answerWhole(place, call, body);
    } catch (error) {
      // As the adapter of the unit tests' cluster would have made it of an answer.
      const [, status] = /\(HTTP (\d+)\)/.exec(isRunError(error) ? error.message : '') ?? [];
      if (status === undefined) throw error;
      return statusOf(Number(status), 'Refused', (error as Error).message);
    }
  }

  private async answerWhole(place: Place, { method, query }: Call, body: unknown): Promise<[number, unknown]> {
    const { cluster } = this;
    const { resource, namespace, name } = place;
    const whole = (object: object) => ({ ...typeOf(resource), ...object });
    switch (method) {
      case 'POST': {
        const options = { namespace, dryRun: query.get('dryRun') === 'All' };
        return [201, whole(await cluster.create(resource, body as ResourceTypes[ResourceName], options))];
      }
      case 'PATCH':
        return [200, whole(await cluster.patch(resource, name, namespace, body as PatchOperation[]))];
      case 'DELETE': {
        await cluster.delete(resource, name, namespace, body ?? {});
        return [200, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success' }];
      }
      default:
        return await this.read(place, query);
    }
  }

  private async read(place: Place, query: URLSearchParams): Promise<[number, unknown]> {
    const { cluster } = this;
    const { resource, namespace, name, subresource } = place;
    if (subresource === 'log')
      return [200, await cluster.podLog(namespace, name, query.get('container') ?? '', query.get('sinceTime') ?? '')];
    if (name === '') {
      const items = await cluster.list(resource, {
        ...(namespace === '' ? {} : { namespace }),
        ...Object.fromEntries(
          ['labelSelector', 'fieldSelector'].flatMap((key) => {
            const value = query.get(key);
            return value === null ? [] : [[key, value]];
          }),
        ),
      });
      return [200, { kind: 'List', apiVersion: 'v1', metadata: { resourceVersion: '1' }, items }];
    }
    const found: object | undefined = await cluster.find(resource, name, namespace);
    return found === undefined
      ? statusOf(404, 'NotFound', `${resource} "${name}" not found`)
      : [200, { ...typeOf(resource), ...found }];
  }
}

function typeOf(resource: ResourceName): { readonly apiVersion: string; readonly kind: string } {
  const { group, version, kind } = resources[resource];
  return { apiVersion: group === '' ? version : `${group}/${version}`, kind };
}
