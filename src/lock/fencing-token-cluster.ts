import { ClusterError, describe } from '../common/errors.ts';
import { isConflict, isUnanswered } from '../ports/cluster-answers.ts';
import type {
  Cluster,
  DeleteOptions,
  ExecResult,
  LeasedCluster,
  ListOptions,
  PatchOperation,
  PodWatch,
  ResourceName,
  ResourceTypes,
} from '../ports/cluster.ts';
import type { Log } from '../ports/runner.ts';
import {
  dropToken,
  fencingTokenLabel,
  fencingTokenOf,
  expectToken,
  isTestFailure,
  setToken,
} from '../objects/fencing-token.ts';
import type { HeldLease } from './lease.ts';

/** An object that the upgrade changes, in the server's namespace. */
export interface Changed {
  readonly resource: ResourceName;
  readonly name: string;
}

type Stored =
  | {
      metadata?: {
        uid?: string;
        resourceVersion?: string;
        labels?: Record<string, string>;
        deletionTimestamp?: unknown;
      };
    }
  | undefined;

/** Controllers write status all the time, so the version of an object may change between reading and writing. */
const attempts = 10;

/**
 * The cluster for the run that holds the Lease. A run may be paused at any
 * point (its machine sleeps, its network hangs) and continue when another one has
 * long taken over. What it can still do then:
 *
 * - change an object: nothing. Each patch tests the token on the object, which
 *   the new holder replaced before its own first change; the API server refuses it.
 * - claim an object: nothing. A claim reads the object, has the Lease
 *   confirmed, and then changes only what it has read; the new holder's claim,
 *   in between or before, makes one of the two fail.
 * - delete an object: nothing. It reads, has the Lease confirmed, and deletes only
 *   what it has read. What existed before, the new holder has claimed, so that it
 *   has another version; what came later has another UID.
 * - create an object, run a command in a pod: neither can carry a precondition.
 *   The Lease is renewed right before, so the new holder can't come until its whole
 *   duration is over: only a pause that is longer and begins exactly between the
 *   renewal and the request lets it through. Names are the same for every run, so
 *   a creation then finds the object of the new holder (409). A rehearsal's Lease is the
 *   exception: an upgrade takes it from a run that lives, and removes again what such a
 *   call has made (src/rehearsal/lease.ts).
 * - read: harmless, and refused too once the loss is known, which ends every wait.
 * Decision: docs/decisions/0010-one-run-at-a-time.md
 */
export class FencingTokenCluster implements LeasedCluster {
  readonly access = 'leased';

  constructor(
    private readonly cluster: Cluster,
    private readonly lease: HeldLease,
    private readonly namespace: string,
    private readonly log: Log,
    private readonly claimed = new Set<string>(),
  ) {}

  interruptedBy(signal: AbortSignal): FencingTokenCluster {
    const { cluster, lease, namespace, log, claimed } = this;
    return new FencingTokenCluster(cluster.interruptedBy(signal), lease, namespace, log, claimed);
  }

  get weaknesses(): readonly string[] {
    return this.cluster.weaknesses;
  }

  get address(): string {
    return this.cluster.address;
  }

  /**
   * Claims the objects that are there; those that come later carry the token from their creation.
   * @throws UpgradeError when the Lease is lost
   */
  async claim(objects: readonly Changed[]): Promise<void> {
    for (const { resource, name } of objects) await this.claimOne(resource, name);
  }

  /** Removes the token from what still carries it. A failure is a line in the log. */
  async giveBack(objects: readonly Changed[]): Promise<void> {
    const left = objects.filter(({ resource, name }) => this.claimed.has(keyOf(resource, name)));
    for (const { resource, name } of left) {
      try {
        const now = await this.find(resource, name, this.namespace);
        const operations = dropToken(now);
        if (operations.length > 0) await this.patch(resource, name, this.namespace, operations);
      } catch (error) {
        this.log.info(`Could not remove the label ${fencingTokenLabel} from ${resource}/${name}: ${describe(error)}`);
      }
    }
  }

  async patch<R extends ResourceName>(
    resource: R,
    name: string,
    namespace: string,
    operations: readonly PatchOperation[],
    options?: { subresource?: string },
  ): Promise<ResourceTypes[R]> {
    const { token } = this.lease;
    for (let attempt = 1; ; attempt++) {
      this.lease.expectHeld();
      if (!this.claimed.has(keyOf(resource, name))) await this.claimOne(resource, name);
      try {
        const conditional = [expectToken(token), ...operations];
        const changed = await this.cluster.patch(resource, name, namespace, conditional, options);
        if (fencingTokenOf(changed) !== token) this.claimed.delete(keyOf(resource, name));
        return changed;
      } catch (error) {
        if (attempt === attempts || !isTestFailure(error)) throw error;
        // Another operation was refused, or the token is missing: then somebody removed it, or holds the Lease now. Claiming shows which.
        if (fencingTokenOf(await this.cluster.find(resource, name, namespace)) === token) throw error;
        this.claimed.delete(keyOf(resource, name));
      }
    }
  }

  async create<R extends ResourceName>(
    resource: R,
    object: ResourceTypes[R],
    options: { namespace?: string; dryRun?: boolean } = {},
  ): Promise<ResourceTypes[R]> {
    const metadata: { name?: string; labels?: Record<string, string> } = object.metadata ?? {};
    const { name = '' } = metadata;
    const labelled = { ...metadata, labels: { ...metadata.labels, [fencingTokenLabel]: this.lease.token } };
    const isLasting = name !== '' && options.dryRun !== true;
    // Somebody else created an object that exists already, whatever label it carries by then.
    const before: Stored = isLasting ? await this.cluster.find(resource, name, options.namespace) : undefined;
    for (let attempt = 1; ; attempt++) {
      await this.lease.renew();
      try {
        const created = await this.cluster.create(resource, { ...object, metadata: labelled }, options);
        if (isLasting) this.claimed.add(keyOf(resource, name));
        return created;
      } catch (error) {
        if (!isLasting || attempt === attempts || !mayBeMade(error)) throw error;
        const found = await this.findMade(resource, name, options.namespace, before);
        if (found !== undefined) return found;
        if (isConflict(error)) throw error;
      }
    }
  }

  async delete(resource: ResourceName, name: string, namespace: string, options: DeleteOptions = {}): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const now: Stored = await this.cluster.find(resource, name, namespace);
      await this.lease.renew();
      if (now === undefined) return;
      const { uid, resourceVersion } = now.metadata ?? {};
      const wanted = options.preconditions?.uid;
      if (wanted !== undefined && wanted !== uid)
        throw new ClusterError(
          'conflict',
          `${resource}/${name} is another object than the one that was to be deleted. It was left as it is.`,
          'Find out who made it. Then run again.',
        );
      try {
        await this.cluster.delete(resource, name, namespace, { ...options, preconditions: { uid, resourceVersion } });
        this.claimed.delete(keyOf(resource, name));
        return;
      } catch (error) {
        if (attempt === attempts || !isConflict(error)) throw error;
      }
    }
  }

  async exec(
    namespace: string,
    pod: string,
    container: string,
    command: readonly string[],
    stdin: string,
    timeout: number,
  ): Promise<ExecResult> {
    await this.lease.renew();
    return await this.cluster.exec(namespace, pod, container, command, stdin, timeout);
  }

  async version(): Promise<string> {
    this.lease.expectHeld();
    return await this.cluster.version();
  }

  async serves(resource: ResourceName): Promise<boolean> {
    this.lease.expectHeld();
    return await this.cluster.serves(resource);
  }

  async now(): Promise<Date> {
    this.lease.expectHeld();
    return await this.cluster.now();
  }

  async find<R extends ResourceName>(
    resource: R,
    name: string,
    namespace?: string,
  ): Promise<ResourceTypes[R] | undefined> {
    this.lease.expectHeld();
    return await this.cluster.find(resource, name, namespace);
  }

  async list<R extends ResourceName>(resource: R, options?: ListOptions): Promise<ResourceTypes[R][]> {
    this.lease.expectHeld();
    return await this.cluster.list(resource, options);
  }

  async podLog(namespace: string, pod: string, container: string, sinceTime?: string): Promise<string> {
    this.lease.expectHeld();
    return await this.cluster.podLog(namespace, pod, container, sinceTime);
  }

  async watchPod(namespace: string, name: string): Promise<PodWatch> {
    this.lease.expectHeld();
    return await this.cluster.watchPod(namespace, name);
  }

  /**
   * The object of a creation whose answer was lost. No other run gives an object this run's token. An object that existed
   * before, and got the token by a claim or from somebody who may write labels, is known.
   */
  private async findMade<R extends ResourceName>(
    resource: R,
    name: string,
    namespace: string | undefined,
    before: Stored,
  ): Promise<ResourceTypes[R] | undefined> {
    const key = keyOf(resource, name);
    const found = await this.cluster.find(resource, name, namespace);
    const { deletionTimestamp, uid } = (found as Stored)?.metadata ?? {};
    const wasThere = before !== undefined && before.metadata?.uid === uid;
    if (
      fencingTokenOf(found) !== this.lease.token ||
      wasThere ||
      this.claimed.has(key) ||
      deletionTimestamp !== undefined
    )
      return undefined;
    this.log.info(`Found ${resource}/${name}: only the answer to its creation was lost`);
    this.claimed.add(key);
    return found;
  }

  /** An object that does not exist is not claimed. */
  private async claimOne(resource: ResourceName, name: string): Promise<void> {
    const { token } = this.lease;
    for (let attempt = 1; ; attempt++) {
      const now: Stored = await this.cluster.find(resource, name, this.namespace);
      await this.lease.renew();
      if (now === undefined) return;
      try {
        if (fencingTokenOf(now) !== token) {
          await this.cluster.patch(resource, name, this.namespace, [
            { op: 'test', path: '/metadata/resourceVersion', value: now.metadata?.resourceVersion },
            ...setToken(now, token),
          ]);
        }
        this.claimed.add(keyOf(resource, name));
        return;
      } catch (error) {
        if (attempt === attempts || !isTestFailure(error)) throw error;
      }
    }
  }
}

/** The answer was lost, or says that the object exists: it may come from a creation whose answer was lost. */
function mayBeMade(error: unknown): boolean {
  return isConflict(error) || isUnanswered(error);
}

function keyOf(resource: ResourceName, name: string): string {
  return `${resource}/${name}`;
}
