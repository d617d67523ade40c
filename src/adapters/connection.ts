import type { KubeConfig } from '@kubernetes/client-node';
import { CancelledError, type ClusterError } from '../common/errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/runner.ts';
import { answerError, bounded, connectionError, credentialsError, missingHereError } from './api-error.ts';
import type { Credentials } from './credentials.ts';
import { weaknessesOf } from './wire.ts';
import { callApiServer, NoAnswerError, type HttpAnswer, type HttpRequest } from './http.ts';

/** An answer that is no success. */
export class RefusedError extends Error {
  constructor(
    readonly status: number,
    readonly body: string,
    /** Seconds. */
    readonly retryAfter?: number,
  ) {
    super(`HTTP ${String(status)}`);
  }
}

export interface Attempts {
  /** What kind of call it is; a proxy may know the one and not the other. */
  readonly kind: 'request' | 'command';
  /** The statuses that say that a later attempt may do better, besides 429. */
  readonly passing: (status: number) => boolean;
  /** Whether it may be done again when its answer was lost. */
  readonly isRepeatable: boolean;
  /** Milliseconds; less than the connection's own patience. */
  readonly patience?: number;
  readonly signal?: AbortSignal | undefined;
}

/** Milliseconds for which a server that has not yet answered well is asked again. */
const shortPatience = 15_000;
const longestPause = 4000;
const longestRetryAfter = 10;

/**
 * The way to the API server, which outlasts its bad moments. A server that never
 * answered is most likely a wrong address, and is not asked twice. One that did
 * is asked until the patience is over: when it does not answer, is overloaded, or
 * whatever is before it says that it is away.
 * Decision: docs/decisions/0007-waits.md
 */
export class Connection {
  /** Kinds of calls that have been answered well. */
  private readonly reached = new Set<Attempts['kind']>();

  /** What the server's clock showed in its last answer, and ours when that came. */
  private told: { readonly date: Date; readonly at: number } | undefined;

  /** @param patience milliseconds for which a server that has answered before may be away */
  constructor(
    private readonly credentials: Credentials,
    private readonly clock: Clock,
    private readonly log: Log,
    private readonly patience: number,
  ) {}

  /** Where the cluster is, for people. */
  get address(): string {
    const { config } = this.credentials;
    const server = withoutUserinfo(config.getCurrentCluster()?.server ?? '?');
    return `${server} (context ${config.getCurrentContext()})`;
  }

  /** What weakens the way there, a sentence each. */
  get weaknesses(): readonly string[] {
    const cluster = this.credentials.config.getCurrentCluster();
    return cluster === null ? [] : weaknessesOf(cluster, (variable) => process.env[variable] ?? '');
  }

  /** The text as it may be told. */
  readonly redact = (text: string): string => this.log.redact(text);

  /** For whoever looks for the cause of something. */
  readonly debug = (text: string): void => {
    this.log.debug(bounded(this.redact(text)));
  };

  /** The API server's time, or undefined before its first answer. */
  get time(): Date | undefined {
    return this.told && new Date(this.told.date.getTime() + this.clock.monotonic() - this.told.at);
  }

  /**
   * One call, as often as it takes.
   *
   * Which calls may be repeated when the answer was lost is decided here:
   * - a read; it changes nothing.
   * - a JSON Patch. All patches of this action set values (`add`, `replace`) that don't depend on what was there, and
   *   test before whose object it is. What such a test refuses the second time (the version of the object, a journal's
   *   outcome, an entry of managedFields) its caller decides by reading: FencingTokenCluster, HeldLease, Journal, removeEntries.
   * - a deletion. What is gone, or terminating, stays so; another object of the same name is kept by the preconditions.
   * - not a creation: one without a fixed name would make two objects. FencingTokenCluster looks whether the object exists.
   * @throws ClusterError, or CancelledError when the signal ends a read or a pause
   */
  async call(
    doing: string,
    request: HttpRequest,
    how: Pick<Attempts, 'patience' | 'signal'> = {},
  ): Promise<HttpAnswer> {
    const isRead = request.method === 'GET';
    const isRepeatable = request.method !== 'POST';
    return await this.outlast(
      doing,
      async (config) => {
        // What has been sent is waited for: whoever takes it back must know of it.
        const answer = await callApiServer(config, isRead ? { ...request, signal: how.signal } : request);
        if (answer.date !== undefined) this.told = { date: answer.date, at: this.clock.monotonic() };
        if (answer.status >= 200 && answer.status < 300) return answer;
        throw new RefusedError(answer.status, answer.body, answer.retryAfter);
      },
      { ...how, kind: 'request', isRepeatable, passing: (status) => isRepeatable && status >= 500 },
    );
  }

  /**
   * Does it until it succeeds or there is no hope.
   * @param doing completes "Can't …"
   * @throws ClusterError, CancelledError
   */
  async outlast<T>(doing: string, attempt: (config: KubeConfig) => Promise<T>, how: Attempts): Promise<T> {
    const { signal } = how;
    const start = this.clock.monotonic();
    let toldReason = '';
    let isRenewed = false;
    for (let number = 1; ; number++) {
      const { config } = this.credentials;
      try {
        const result = await attempt(config);
        this.reached.add(how.kind);
        return result;
      } catch (error) {
        if (isAborted(signal)) throw new CancelledError(`trying to ${doing}`);
        const status = error instanceof RefusedError ? error.status : undefined;
        if (status === 401 && !isRenewed) {
          isRenewed = true;
          this.renewCredentials(doing, config);
          continue;
        }
        const isOver = this.clock.monotonic() - start >= this.patienceWith(error, how);
        if (status !== undefined && status < 500) this.reached.add(how.kind);
        if (isOver) throw this.errorOf(doing, error);
        const pause = pauseBefore(number, error);
        const reason = bounded(this.redact((error as Error).message));
        if (reason !== toldReason)
          this.log.info(`Can't ${doing} (${reason}). Waiting ${String(pause / 1000)} s before the next attempt`);
        toldReason = reason;
        await this.clock.sleep(pause, signal);
        if (isAborted(signal)) throw new CancelledError(`trying to ${doing}`);
      }
    }
  }

  /** Milliseconds for which this failure is no reason to give up. */
  private patienceWith(error: unknown, { kind, passing, isRepeatable, patience = this.patience }: Attempts): number {
    if (error instanceof RefusedError) {
      if (error.status !== 429 && !passing(error.status)) return 0;
      return this.reached.has(kind) ? patience : Math.min(patience, shortPatience);
    }
    if (!(error instanceof NoAnswerError) || this.reached.size === 0) return 0;
    return error.wasSent && !isRepeatable ? 0 : patience;
  }

  private renewCredentials(doing: string, refused: KubeConfig): void {
    try {
      this.credentials.renew(refused);
    } catch (error) {
      throw credentialsError(doing, this.credentials.origin, error, this.redact);
    }
  }

  private errorOf(doing: string, error: unknown): Error {
    if (error instanceof RefusedError)
      return error.status === 401
        ? credentialsError(doing, this.credentials.origin, error.body, this.redact)
        : answerError(doing, error.status, error.body, this.redact);
    if (!(error instanceof NoAnswerError)) return error as ClusterError;
    return error.missing === undefined
      ? connectionError(doing, this.address, error, this.redact)
      : missingHereError(doing, error.missing, error);
  }
}

/** An address without the user and the password that it may have: nobody needs them to know where it is. */
function withoutUserinfo(address: string): string {
  return address.replace(/:\/\/[^/?#]*@/, '://');
}

/** Asked again after each wait: it may have become so meanwhile. */
function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}

/** Milliseconds. */
function pauseBefore(number: number, error: unknown): number {
  const pause = Math.min(250 * 2 ** number, longestPause);
  const asked = error instanceof RefusedError ? (error.retryAfter ?? 0) : 0;
  return Math.max(pause, Math.min(asked, longestRetryAfter) * 1000);
}
