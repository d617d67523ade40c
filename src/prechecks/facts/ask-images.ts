import type { Libraries } from '../../database/libraries.ts';
import type { DatabaseFacts, ServerFacts } from '../../database/server.ts';
import type { SortOrders } from '../../database/sort-order.ts';
import type { JobSettings } from '../../objects/upgrade-job.ts';
import {
  librariesFor,
  localesOf,
  parseProbe,
  probeContainer,
  probePod,
  type ImageFacts,
  type ProbeRole,
} from '../../probes/probe.ts';
import {
  parseRestoreTest,
  restoreTestLabels,
  restoreTestPod,
  type RestoreTestFacts,
} from '../../probes/restore-test.ts';
import { runProbe } from '../../probes/run-probe.ts';
import { runTrial, type Trial } from '../../probes/run-trial.ts';
import { obstacleToTrial, trialPod } from '../../probes/trial-pod.ts';
import { isScaled } from '../../target/applications.ts';
import { seenImage } from '../../target/image-digests.ts';
import { admittedLabels } from '../../target/network-policies.ts';
import type { NetworkPolicy } from '../../ports/cluster.ts';
import { notAsked, type Known, combineFacts, known, thenFact, pair } from '../../common/known.ts';
import type { FactReaderDeps } from './deps.ts';
import type { HazardFacts } from '../../hazards/hazard.ts';
import { notDumped } from './not-dumped.ts';

/** Asks the image of this role what it holds. */
export async function probe(
  gathering: FactReaderDeps,
  role: ProbeRole,
  settings: Known<JobSettings>,
  databases: Known<readonly DatabaseFacts[]>,
  sortOrders: Known<SortOrders>,
  libraries: Known<Libraries>,
): Promise<Known<ImageFacts>> {
  const { inputs, target } = gathering;
  const image = role === 'upgrade' ? inputs.upgradeImage : inputs.servingImage.reference;
  if (inputs.probes === 'none')
    return { known: false, reason: `${image} was not asked (probes: none)`, code: notAsked };
  if (!settings.known) return settings;
  const locales = localesOf(
    settings.value.initdb,
    databases.known ? databases.value : [],
    sortOrders.known ? sortOrders.value : {},
  );
  const asked = librariesFor(role, libraries.known ? libraries.value : { used: {}, preloaded: [] });
  return await known(() =>
    runProbe(
      gathering,
      probePod(target, role, image, inputs.imagePullSecret, locales, asked, gathering.scripts.probe),
      inputs.jobStartTimeout,
      'probe',
      (log, pod) => {
        const facts = parseProbe(image, log);
        return facts && { ...facts, seen: seenImage(pod, probeContainer) };
      },
    ),
  );
}

/** Starts PostgreSQL 14 with the StatefulSet's configuration, unless that could touch anything outside of its pod. */
export async function tryStart(gathering: FactReaderDeps, server: Known<ServerFacts>): Promise<Known<Trial>> {
  const { inputs, target, database } = gathering;
  if (inputs.probes === 'none') return { known: false, reason: 'probes: none', code: notAsked };
  if (!server.known) return server;
  const obstacle = obstacleToTrial(target, server.value.archiveMode);
  if (obstacle !== undefined) return { known: false, reason: obstacle, code: 'not-tried' };
  const pod = trialPod(target, inputs.servingImage.reference);
  return await known(() => runTrial(gathering, pod, database, inputs.jobStartTimeout));
}

/** Dumps what pg_upgrade will dump, and restores it into a new PostgreSQL 14. Leaves out the databases whose users' code a dump might run. */
export async function testRestore(
  gathering: FactReaderDeps,
  settings: Known<JobSettings>,
  server: Known<ServerFacts>,
  databases: Known<readonly DatabaseFacts[]>,
  hazards: Known<HazardFacts>,
  policies: Promise<Known<readonly NetworkPolicy[]>>,
): Promise<Known<RestoreTestFacts>> {
  const { inputs, target, database, scripts } = gathering;
  const image = inputs.upgradeImage;
  if (inputs.probes === 'none')
    return { known: false, reason: `${image} was not asked (probes: none)`, code: notAsked };
  const read = combineFacts(settings, combineFacts(server, databases, pair), pair);
  return await thenFact(read, async ([job, [facts, list]]) => {
    const left = notDumped(list, hazards, inputs.ignoreChecks);
    const names = list.map(({ name }) => name).filter((name) => name !== 'template0' && !left.has(name));
    const limit = inputs.jobStartTimeout;
    const labels = await labelsToServer(gathering, await policies, facts.port);
    const pod = restoreTestPod(target, job, facts, database.superuser, names, scripts.restoreTest, labels, limit);
    return await runProbe(gathering, pod, limit, 'restore test', (log) => parseRestoreTest(image, names, log));
  });
}

/** Labels with which the NetworkPolicies let the restore test connect to the server; none where they can't be told. */
async function labelsToServer(
  { cluster, target }: FactReaderDeps,
  policies: Known<readonly NetworkPolicy[]>,
  port: number,
): Promise<Readonly<Record<string, string>>> {
  const { pod, namespace } = target;
  if (!policies.known || policies.value.length === 0 || pod === undefined) return {};
  const services = await known(() => cluster.list('services', { namespace }));
  if (!services.known) return {};
  const selectors = [
    // One without a selector has endpoints that somebody else writes.
    ...services.value
      .map(({ spec }) => ({ matchLabels: spec?.selector ?? {} }))
      .filter(({ matchLabels }) => Object.keys(matchLabels).length > 0),
    ...target.applications.filter(isScaled).map(({ podSelector }) => podSelector),
  ];
  return admittedLabels(policies.value, restoreTestLabels, pod, port, selectors);
}
