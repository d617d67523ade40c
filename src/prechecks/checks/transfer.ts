import { failed, passed, unknown, warning } from '../../findings/finding.ts';
import { notAsked } from '../../common/known.ts';
import type { Check } from '../../facts/check.ts';

/** How the files will go over, as far as it can be known before the Job tries. */
export const transferChecks: readonly Check[] = [
  {
    id: 'transfer',
    title: 'Transfer mode of the volume',
    expected: 'The volume can do what "transfer" asks for',
    subject: 'target',
    why: 'Neither the kind of file system nor the storage class tells whether a volume makes reflinks or hard links. With `probe-volume: true` both are tried on a small file beside the data directory, which is removed. Without it the Job tries on a file of a table before it changes anything: with `transfer: auto` it takes the first mode that works, with another one it refuses.',
    run({ inputs, volumeTrial }) {
      const { transfer } = inputs;
      if (transfer === 'copy') return passed('all files are copied, as "transfer" says: every volume can do that');
      if (!volumeTrial.known) {
        if (volumeTrial.code !== notAsked)
          return unknown('Remove the reason, or set "probe-volume" to false.', volumeTrial.reason);
        const untried = `not tried (${volumeTrial.reason})`;
        return transfer === 'auto'
          ? passed(
              'every volume can do what "transfer" asks for: auto takes the first of clone, link and copy that works',
              `which one that is: ${untried}; the mode is chosen in the Job, before it changes anything`,
            )
          : warning(
              `Set "probe-volume" to true, or "transfer" to auto: a Job that can't ${transfer} refuses in the downtime.`,
              `${untried}: the Job tries before it changes anything`,
            );
      }
      const { clone, link } = volumeTrial.value;
      const evidence = [
        `reflinks ${clone.works ? 'work' : `do not work: ${clone.said}`}`,
        `hard links ${link.works ? 'work' : `do not work: ${link.said}`}`,
      ];
      if (transfer !== 'auto') {
        return volumeTrial.value[transfer].works
          ? passed(...evidence)
          : failed(`Set "transfer" to ${link.works ? 'link or auto' : 'copy or auto'}.`, ...evidence);
      }
      if (clone.works || link.works)
        return passed(`the files will be ${clone.works ? 'cloned' : 'linked'}`, ...evidence);
      return warning(
        'Nothing has to be done where the time does not matter. Else move the data to a volume of another file system (ext4, xfs).',
        'all data will be copied, which takes time and room',
        ...evidence,
      );
    },
  },
];
