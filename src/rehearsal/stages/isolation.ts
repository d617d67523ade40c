import { upgrade } from '../../common/versions.ts';
import { failed, passed, type Answer } from '../../findings/finding.ts';
import { serverImage } from '../../target/target.ts';
import { removeServer, startServer } from '../server.ts';
import type { RehearsalContext } from '../context.ts';
import type { Stage } from '../stage.ts';

/**
 * On empty directories, before there is a copy: a server that ignored its flags would listen with the data of the copy, and run the jobs of pg_cron.
 * Decision: docs/decisions/0034-rehearsal.md
 */
export const isolation: Stage = {
  id: 'rehearsal-isolation',
  title: 'Isolation of the servers on the copy',

  async run(context) {
    const servers = [
      { major: upgrade.from, image: serverImage(context.target) },
      { major: upgrade.to, image: context.serving.reference },
    ];
    const evidence: string[] = [];
    for (const server of servers) {
      const opened = await openedBy(context, server);
      if (opened !== undefined) return opened;
      evidence.push(
        `PostgreSQL ${String(server.major)} listens on its local socket alone, and starts no background worker`,
      );
    }
    return passed(...evidence);
  },
};

/** @returns the finding, where the server is not as isolated as it has to be */
async function openedBy(
  context: RehearsalContext,
  server: { readonly major: number; readonly image: string },
): Promise<Answer | undefined> {
  const started = await startServer(context, { ...server, hasCopy: false });
  await removeServer(context, server.major);
  if (!Array.isArray(started)) return undefined;
  return failed(
    "A rehearsal needs an image that takes the flags in the variable POSTGRESQL_EXTRA_FLAGS, as the vendor's does.",
    ...started.map((line) => `PostgreSQL ${String(server.major)} on an empty directory: ${line}`),
  );
}
