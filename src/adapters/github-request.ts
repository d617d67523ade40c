import { HttpClient } from '@actions/http-client';
import { request as octokit } from '@octokit/request';
import { RequestError } from '@octokit/request-error';
import type { Endpoints, RequestParameters } from '@octokit/types';
import { fetch, type RequestInit } from 'undici';
import { CancelledError, GitHubError, sentence } from '../common/errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/runner.ts';
import { messageOf, noAnswer, pullRequestPermissions, refusal } from './github-error.ts';
import { limitPause, longestPause } from './github-limits.ts';

/** How often a call is made in all, and the first pause; pauses double. */
const attempts = 5;
const firstPause = 1000;

export interface Connection {
  /** Of the API: https://api.github.com, or https://server/api/v3. */
  readonly apiUrl: string;
  readonly token: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds after which an answer is given up. */
  readonly answerLimit?: number;
}

export interface Call {
  /** Completes "Can't …". */
  readonly doing: string;
  /** Making the call twice does no harm: a read, or a git object, whose name is its content. */
  readonly repeatable: boolean;
  /** A refusal that ends by itself, since not all of GitHub knows at once what was just created. */
  readonly passing?: RegExp;
  /** What a job has to name for it, as `issues: write`; what a pull request needs where it is missing. */
  readonly permissions?: string;
}

export interface Place {
  readonly owner: string;
  readonly repo: string;
}

type Route = keyof Endpoints;
type Parameters<R extends Route> = Endpoints[R]['parameters'] & RequestParameters;
type Answer<R extends Route> = Endpoints[R]['response'];

/** Octokit's requests, by the proxy of the environment, with retries that are told and only where they can succeed. */
export class GitHubRequests {
  private readonly send: typeof octokit;

  constructor(private readonly connection: Connection) {
    const { apiUrl, token } = connection;
    const dispatcher = new HttpClient().getAgentDispatcher(apiUrl);
    this.send = octokit.defaults({
      baseUrl: apiUrl.replace(/\/+$/, ''),
      headers: {
        authorization: `token ${token}`,
        'user-agent': 'circleci-server-postgresql-upgrade',
        'x-github-api-version': '2022-11-28',
      },
      request: {
        // Node's own fetch does not know the proxy variables.
        fetch: (url: string, options: RequestInit) =>
          fetch(url, { ...options, ...(dispatcher === undefined ? {} : { dispatcher }) }),
      },
    });
  }

  async read<R extends Route>(doing: string, route: R, parameters: Parameters<R>): Promise<Answer<R>> {
    return await this.call({ doing, repeatable: true }, route, parameters);
  }

  /** Writes a git object: its name is its content, so that writing it again writes nothing. */
  async object<R extends Route>(doing: string, route: R, parameters: Parameters<R>): Promise<Answer<R>> {
    return await this.call({ doing, repeatable: true }, route, parameters);
  }

  /** Sets something on a pull request that may be a moment old; the same result however often it is done. */
  async fresh<R extends Route>(doing: string, route: R, parameters: Parameters<R>): Promise<Answer<R>> {
    const passing = /could not resolve to a node|not found/i;
    return await this.call({ doing, repeatable: true, passing }, route, parameters);
  }

  /**
   * Asks by GraphQL what REST does not tell.
   * @throws GitHubError also for an answer that is errors, which come with status 200
   */
  async query(call: Call, query: string): Promise<unknown> {
    // A server's GraphQL is beside its REST API: /api/graphql and /api/v3.
    const baseUrl = this.connection.apiUrl.replace(/\/+$/, '').replace(/\/api\/v3$/, '/api');
    const parameters = { baseUrl, query } as unknown as Parameters<'GET /'>;
    const answer = await this.call(call, 'POST /graphql' as 'GET /', parameters);
    const { data, errors } = answer.data as unknown as { data?: unknown; errors?: readonly { message?: string }[] };
    if (data !== undefined && data !== null && errors === undefined) return data;
    throw new GitHubError(
      'github-refused',
      `Can't ${call.doing}: ${sentence(errors?.[0]?.message ?? 'GitHub gave no message')}`,
      "See GitHub's message.",
    );
  }

  async call<R extends Route>(call: Call, route: R, parameters: Parameters<R>): Promise<Answer<R>> {
    const { clock, log, signal } = this.connection;
    for (let attempt = 1; ; attempt++) {
      if (signal?.aborted === true) throw new CancelledError(`trying to ${call.doing}`);
      const outcome = await this.once(call, route, parameters);
      if ('answer' in outcome) return outcome.answer;
      const pause = outcome.pause ?? firstPause * 2 ** (attempt - 1);
      if (!outcome.again || attempt === attempts || pause > longestPause) throw outcome.error;
      log.info(
        `${outcome.error.message} Waiting ${String(Math.ceil(pause / 1000))} s before the next attempt (${String(attempt)} of ${String(attempts - 1)})`,
      );
      await clock.sleep(pause, signal);
    }
  }

  private async once<R extends Route>(
    call: Call,
    route: R,
    parameters: Parameters<R>,
  ): Promise<{ answer: Answer<R> } | { error: Error; again: boolean; pause?: number | undefined }> {
    const { signal, answerLimit = 30_000, apiUrl, clock } = this.connection;
    const limit = AbortSignal.timeout(answerLimit);
    try {
      const answer = await this.send(route as string, {
        ...parameters,
        request: { signal: signal === undefined ? limit : AbortSignal.any([signal, limit]) },
      });
      if (typeof answer.data === 'string' && answer.data !== '') throw unreadable(call.doing, apiUrl);
      return { answer: answer as Answer<R> };
    } catch (error) {
      if (signal?.aborted === true) return { error: new CancelledError(`trying to ${call.doing}`), again: false };
      if (error instanceof GitHubError) return { error, again: false };
      // Octokit answers 500 for a call that got no answer at all.
      if (!(error instanceof RequestError) || error.response === undefined) {
        const lost = limit.aborted ? new Error(`no answer within ${String(answerLimit / 1000)} s`) : error;
        return uncertain(call, noAnswer(call.doing, apiUrl, lost));
      }
      const limited = limitPause(error, clock.now());
      if (limited !== undefined) return { error: limited.error(call.doing), again: true, pause: limited.pause };
      const refused = refusal(call.doing, error, call.permissions ?? pullRequestPermissions, (text) =>
        this.connection.log.redact(text),
      );
      if (error.status >= 500) return uncertain(call, refused);
      return { error: refused, again: call.passing?.test(messageOf(error)) ?? false };
    }
  }
}

/** Nobody knows whether it happened: a call that can't be made twice is for the caller to look into. */
function uncertain(call: Call, error: GitHubError): { error: GitHubError; again: boolean } {
  if (call.repeatable) return { error, again: true };
  return {
    error: new GitHubError(
      'github-uncertain',
      `${error.message} It is unknown whether GitHub carried it out.`,
      error.remedy,
    ),
    again: false,
  };
}

function unreadable(doing: string, address: string): GitHubError {
  return new GitHubError(
    'github-unexpected-answer',
    `Can't ${doing}: the answer from ${address} is not GitHub's.`,
    'Check GITHUB_API_URL and the proxy.',
  );
}
