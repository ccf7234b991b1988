import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** An authority of a test's own and what it has signed: PEM files. */
export interface TlsFolder {
  readonly ca: string;
  readonly server: { readonly cert: string; readonly key: string };
  readonly client: { readonly cert: string; readonly key: string };
  remove(): void;
}

/** Makes an authority, a certificate for a server of that name, and one for a client. */
export function makeTlsFiles(serverName: string): TlsFolder {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-tls-'));
  const file = (name: string) => join(folder, name);
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl(
    'req',
    '-x509',
    ...newKey,
    '-days',
    '1',
    '-subj',
    '/CN=Test',
    '-keyout',
    file('ca.key'),
    '-out',
    file('ca.crt'),
  );
  const sign = (name: string, subject: string) => {
    const { cert, key } = { cert: file(`${name}.crt`), key: file(`${name}.key`) };
    writeFileSync(file(`${name}.ext`), `subjectAltName=DNS:${subject}\n`);
    openssl('req', ...newKey, '-subj', `/CN=${subject}`, '-keyout', key, '-out', file(`${name}.csr`));
    const by = ['-CA', file('ca.crt'), '-CAkey', file('ca.key'), '-CAcreateserial', '-days', '1'];
    openssl('x509', '-req', '-in', file(`${name}.csr`), ...by, '-extfile', file(`${name}.ext`), '-out', cert);
    return { cert, key };
  };
  return {
    ca: file('ca.crt'),
    server: sign('server', serverName),
    client: sign('client', 'mill'),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
