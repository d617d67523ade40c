import { upgrade } from '../../common/versions.ts';
import { waitForServer } from '../server/server-ready.ts';
import type { Step } from '../contract/step.ts';

/** Waits until the Service sends clients to the server. What compared the data asked in the pod, and did not wait for the readiness probe. */
export const awaitReady: Step = {
  id: 'server-ready',
  title: `Wait until PostgreSQL ${String(upgrade.to)} is ready`,
  plan: () => [],
  run: (context) => waitForServer(context, context.serving.reference),
};
