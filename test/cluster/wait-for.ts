import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Asks again and again.
 * @throws Error when it has not come in two minutes
 */
export async function waitFor(what: string, hasCome: () => boolean): Promise<void> {
  const deadline = Date.now() + 120_000;
  while (!hasCome()) {
    if (Date.now() > deadline) throw new Error(`after two minutes there is still not: ${what}`);
    await sleep(300);
  }
}
