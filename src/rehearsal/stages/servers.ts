import { upgrade } from '../../common/versions.ts';
import { compareData } from '../../database/compare-data.ts';
import { fingerprintSize } from '../../database/compare-fingerprints.ts';
import { digestsQuestion } from '../../database/digests.ts';
import { measure, measurementLimit } from '../../database/measurement.ts';
import { failed, passed, warning, type Answer } from '../../findings/finding.ts';
import { rehearsalPodName } from '../../objects/rehearsal.ts';
import { seenImage } from '../../target/image-digests.ts';
import { serverImage } from '../../target/target.ts';
import { withImage } from '../images.ts';
import { startServer, stopServer } from '../server.ts';
import { expectMeasured, type Stage } from '../stage.ts';

const [from, to] = [String(upgrade.from), String(upgrade.to)];
const again = 'Start the rehearsal again. If it stays, report it with the log.';

/** What PostgreSQL 14 is compared with: the server that runs changes meanwhile. */
export const measurement: Stage = {
  id: 'rehearsal-measurement',
  title: 'Measurement of PostgreSQL 12 on the copy',

  async run(context, memory) {
    const { major, image } = { major: upgrade.from, image: serverImage(context.target) };
    const started = await startServer(context, { major, image, hasCopy: true });
    if (Array.isArray(started)) return failed(`Look at how PostgreSQL ${from} starts: ${again}`, ...started);
    memory.before = await measure(started.database, context.settings.jobs, measurementLimit, {
      questions: [digestsQuestion],
    });
    const exitCode = await stopServer(context, major);
    const measured = `PostgreSQL ${from} on the copy has ${fingerprintSize(memory.before.fingerprint)}`;
    return exitCode === 0
      ? passed(measured, `PostgreSQL ${from} stopped cleanly`)
      : warning(
          again,
          measured,
          `PostgreSQL ${from} ended with exit code ${exitCode === undefined ? 'unknown' : String(exitCode)}`,
        );
  },
};

/** With the configuration that production will give it. */
export const start: Stage = {
  id: 'rehearsal-start',
  title: 'Start of PostgreSQL 14 on the copy',

  async run(context, memory) {
    const { cluster, target, seen } = context;
    const image = context.serving.reference;
    const started = await startServer(context, { major: upgrade.to, image, hasCopy: true });
    if (Array.isArray(started))
      return failed(`Correct what PostgreSQL ${to} names, in values.yaml or in the server's files.`, ...started);
    memory.server = started.database;
    const { version, errors } = started.configuration;
    const pod = await cluster.find('pods', rehearsalPodName(upgrade.to), target.namespace);
    const ran = seenImage(pod, target.container.name);
    memory.servingImage = ran?.imageId;
    const answers = `PostgreSQL ${version} answers on the copy`;
    const answer =
      errors.length === 0
        ? passed(answers)
        : warning(`Correct these lines of the configuration. PostgreSQL ${to} leaves them out.`, answers, ...errors);
    return await withImage(context, seen.serving, ran, answer);
  },
};

/** As the upgrade compares. */
export const data: Stage = {
  id: 'rehearsal-data',
  title: 'Data of PostgreSQL 14 on the copy',

  async run({ target, settings }, memory) {
    const { before, server } = expectMeasured(memory);
    const upgraded = { database: server, dataDirectory: target.dataDirectory, sessions: settings.jobs };
    const compared = await compareData(upgraded, before.fingerprint);
    memory.after = compared.after;
    return judgeComparison(compared, fingerprintSize(compared.after.fingerprint));
  },
};

function judgeComparison(
  { differences, files, warnings }: Pick<Awaited<ReturnType<typeof compareData>>, 'differences' | 'files' | 'warnings'>,
  size: string,
): Answer {
  if (differences.length > 0)
    return failed(
      'Report it with the log: pg_upgrade changed data. Do not upgrade before the cause is known.',
      ...differences.slice(0, 20),
    );
  const evidence = [`The data is as measured before: ${size}`, files];
  return warnings.length === 0 ? passed(...evidence) : warning('Nothing has to be done.', ...evidence, ...warnings);
}
