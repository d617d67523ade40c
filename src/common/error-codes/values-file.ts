import { failed, type CodeRow } from './end.ts';

/** Why an edit of the values file is refused. Nothing was written. */
export const valuesFileCodes = {
  'values-alias': [
    failed,
    'The image, or a key that leads to it, is a YAML alias (`*name`). A change would change other places too.',
    'Write the value out in that line.',
  ],
  'values-aliases': [
    failed,
    'The aliases of the file stand for so many values that Helm refuses to read it.',
    'Write them out, or set `values-file` to another file.',
  ],
  'values-ambiguous': [
    failed,
    'Helm reads a text in this line in another way than other YAML parsers do.',
    'Write it as the message says, mostly in quotes.',
  ],
  'values-block-scalar': [
    failed,
    'A part of the image is a block of several lines (pipe or `>`), or its header has a comment.',
    'Write it on one line, in quotes.',
  ],
  'values-control-character': [
    failed,
    'The file has a character that YAML does not allow, or about which parsers disagree.',
    'Remove it, or write it as an escape in double quotes.',
  ],
  'values-duplicate-key': [
    failed,
    'A key on the way to the image is there twice. Helm takes the last one.',
    'Remove the one that is not meant.',
  ],
  'values-encrypted': [
    failed,
    'The file is encrypted (SOPS, ansible-vault, age, PGP or git-crypt), so an edit would break it.',
    'Keep the image in a file that is not encrypted, or edit by hand and set `values-file` to `""`.',
  ],
  'values-explicit-key': [failed, 'A key on the way is written with a question mark (`? key`).', 'Write it as `key:`.'],
  'values-file-kind': [
    failed,
    "The path is a directory, a symbolic link or in a submodule, or GitHub can't list its directory.",
    'Set `values-file` to the file itself, from the root of the repository.',
  ],
  'values-file-missing': [
    failed,
    '`mode: values` needs `values-file`.',
    'Set it to the path of values.yaml in this repository.',
  ],
  'values-file-not-found': [
    failed,
    'The base branch has no file of that path.',
    'Check the path and `pull-request-base`.',
  ],
  'values-file-path': [
    failed,
    'The text is no path in the repository. It begins with `/` or `./`, or has `..` or a backslash in it.',
    'Write it from the root, like `environments/production/values.yaml`.',
  ],
  'values-helmfile': [
    failed,
    'The file is a helmfile, not the values of a chart.',
    'Set `values-file` to a file that the release lists, or `values-path` to the values in the helmfile.',
  ],
  'values-image-invalid': [
    failed,
    "Registry, repository or tag can't be parts of an image.",
    'Check `image-repository` and `image-tag`.',
  ],
  'values-invalid-yaml': [
    failed,
    'The file is not YAML that can be parsed.',
    'Correct the line that the message names.',
  ],
  'values-kubernetes-object': [
    failed,
    'The file is a Kubernetes object, such as an Application or a HelmRelease, not the values of a chart.',
    'Set `values-path` to the values within it ([GitOps](gitops.md#values-within-an-application-or-a-helmrelease)), or `values-file` to the values.',
  ],
  'values-merged-key': [
    failed,
    'The image comes only through a merge (`<<`), or a merge further down brings another one, which Helm takes.',
    'Write the key out below `<<`.',
  ],
  'values-no-item': [
    failed,
    '`values-path` names an item that the list does not have. The action adds no items to lists.',
    'Name an item that is there; the first one is `[0]`.',
  ],
  'values-not-a-list': [failed, '`values-path` names an item of something that is no list.', 'Correct `values-path`.'],
  'values-not-a-mapping': [
    failed,
    'A key on the way leads to something that is no mapping.',
    'Correct `values-path`, or the file.',
  ],
  'values-not-a-scalar': [failed, 'Registry, repository or tag is a list or a mapping.', 'Write it as a text.'],
  'values-not-an-image': [
    failed,
    '`values-path` leads to something that names no image.',
    'Correct `values-path`; it ends before `registry`, `repository` and `tag`.',
  ],
  'values-not-utf8': [
    failed,
    'The file is not UTF-8 text.',
    'Save it as UTF-8. If it is encrypted, keep the image in another file.',
  ],
  'values-other-registry': [
    failed,
    "The file names an image in a registry of your own. `mode: values` does not see the server, and would change that to the vendor's.",
    "Set `image-repository`, or `image-source: acr` if the vendor's registry is right.",
  ],
  'values-path-invalid': [
    failed,
    '`values-path` is no path of keys, or goes into the parts of the image.',
    'Write it like `postgresql.image` or `spec.sources[0].helm.valuesObject.postgresql.image`.',
  ],
  'values-several-documents': [
    failed,
    'The file has several YAML documents, and the image in more than one or in none of them.',
    'Leave one document in the file.',
  ],
  'values-several-lines': [failed, 'A part of the image is written on several lines.', 'Write it on one line.'],
  'values-shared-anchor': [
    failed,
    'The value has an anchor (`&name`) that other places of the file use.',
    'Write the value out where the anchor is used.',
  ],
  'values-tab': [
    failed,
    'A line below the image is indented by a tab. After the edit Helm could not read the file.',
    'Replace the tab by spaces, or remove the line.',
  ],
  'values-tag-elsewhere': [
    failed,
    'The image is one text without a tag, and a key beside it seems to be the tag.',
    'Edit both by hand and set `values-file` to `""`.',
  ],
  'values-tagged': [failed, 'The value has a YAML tag (`!name`).', 'Remove the tag.'],
  'values-template': [
    failed,
    'The file, or the value, is a template or a placeholder (`{{ … }}`, `$TAG`, `<TAG>`).',
    'Edit where the value comes from, by hand, and set `values-file` to `""`.',
  ],
  'values-text': [
    failed,
    'The values are one text in another file (`values: |`), and only mappings can be edited.',
    'Write them as a mapping. Argo CD takes one in `valuesObject`.',
  ],
  'values-too-large': [
    failed,
    'The file has more than 1 MiB.',
    'Set `values-file` to a smaller file that names the image.',
  ],
  'values-unproven': [
    failed,
    'A second parser could not confirm that the edit changes the image and nothing else. Nothing was written.',
    'Edit by hand and set `values-file` to `""`. Please report it with the file, without its secrets.',
  ],
  'values-unreadable': [
    failed,
    "A second parser can't read the file, before or after the edit. Nothing was written.",
    'Correct the line, or edit by hand and set `values-file` to `""`.',
  ],
} as const satisfies Readonly<Record<string, CodeRow>>;
