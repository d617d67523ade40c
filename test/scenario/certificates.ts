// A certificate authority of the tests' own, with a server on 127.0.0.1 and a client.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

export interface Certificates {
  readonly authority: string;
  readonly server: KeyPair;
  readonly client: KeyPair;
}

export function makeCertificates(): Certificates {
  const directory = mkdtempSync(path.join(tmpdir(), 'certificates-'));
  try {
    const authority = make(directory, 'authority', ['-addext', 'basicConstraints=critical,CA:TRUE']);
    const signed = ['-CA', 'authority.crt', '-CAkey', 'authority.key', '-addext', 'basicConstraints=critical,CA:FALSE'];
    return {
      authority: authority.certificate,
      server: make(directory, 'server', [...signed, '-addext', 'subjectAltName=IP:127.0.0.1']),
      client: make(directory, 'client', [...signed, '-addext', 'extendedKeyUsage=clientAuth']),
    };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function make(directory: string, name: string, options: readonly string[]): KeyPair {
  const files = ['-keyout', `${name}.key`, '-out', `${name}.crt`, '-subj', `/CN=${name}`, '-days', '1'];
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-config', '/dev/null'];
  execFileSync('openssl', ['req', ...kind, ...files, ...options], { cwd: directory, stdio: 'pipe' });
  const read = (ending: string) => readFileSync(path.join(directory, `${name}.${ending}`), 'utf8');
  return { certificate: read('crt'), key: read('key') };
}
