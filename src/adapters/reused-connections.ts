import https from 'node:https';

/** Milliseconds. Load balancers and NAT gateways forget a connection that was idle for a minute or longer: such a one must not be used again. */
const idleLimit = 10_000;

const reusing = new WeakMap<https.Agent, https.Agent>();

/**
 * An agent like the given one that keeps connections open between calls. A call on an open one saves the round trips of TCP and TLS.
 * @param agent of the library, which opens a connection for each call. One that goes through a proxy is returned as it is
 */
export function withReusedConnections<A>(agent: A): A | https.Agent {
  // An agent for a proxy is a subclass.
  if (!(agent instanceof https.Agent) || agent.constructor !== https.Agent) return agent;
  const known = reusing.get(agent);
  if (known !== undefined) return known;
  const { options }: https.Agent = agent;
  const made = new https.Agent({ ...options, keepAlive: true, timeout: idleLimit });
  reusing.set(agent, made);
  return made;
}

/** Whether a call failed because the other side had closed its connection, which may have been before the call was sent. */
export function isClosed(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ECONNRESET' || code === 'EPIPE';
}
