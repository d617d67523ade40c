import { failed, passed, unknown, warning } from '../../findings/finding.ts';
import { notAsked } from '../../common/known.ts';
import type { Check } from '../../facts/check.ts';

/** How the Job will transfer the files, as far as that is known before it tries. */
export const transferChecks: readonly Check[] = [
  {
    id: 'transfer',
    title: 'Transfer mode of the volume',
    expected: 'The volume supports the mode that "transfer" names',
    subject: 'target',
    why: 'Neither the file system nor the StorageClass shows whether a volume makes reflinks or hard links. With `probe-volume: true` the action tries both on a small file beside the data directory, and removes the file. Without it, the upgrade Job tries both on a file of a table before it changes anything. With `transfer: auto` the Job takes the first mode that works. With another mode that does not work, the Job refuses.',
    advice:
      'Set "probe-volume" to true to find out, and "transfer" to auto or to a mode that the volume supports. Where only copy works and the time matters, move the data to a volume with another file system (ext4, xfs).',
    run({ inputs, volumeTrial }) {
      const { transfer } = inputs;
      if (transfer === 'copy')
        return passed('"transfer" is copy: the Job copies all files, which every volume supports');
      if (!volumeTrial.known) {
        if (volumeTrial.code !== notAsked)
          return unknown(
            'Solve what the finding names, then run the checks again. Or set "probe-volume" to false.',
            volumeTrial.reason,
          );
        const untried = `not tried (${volumeTrial.reason})`;
        return transfer === 'auto'
          ? passed(
              'every volume supports "transfer: auto": the Job takes the first of clone, link and copy that works',
              `which mode works: ${untried}; the Job finds out before it changes anything`,
            )
          : warning(
              `Set "probe-volume" to true, or "transfer" to auto: a Job that can't ${transfer} refuses in the downtime.`,
              `${untried}: the Job tries it before it changes anything`,
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
        return passed(`the Job will ${clone.works ? 'clone' : 'link'} the files`, ...evidence);
      return warning(
        'If the time does not matter, do nothing. Otherwise move the data to a volume with another file system (ext4, xfs).',
        'the Job will copy all data, which takes time and room',
        ...evidence,
      );
    },
  },
];
