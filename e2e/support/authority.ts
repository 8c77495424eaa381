import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

/** A certificate authority, and certificates for 127.0.0.1 that it signs. */
export function authority(t: TestContext, name: string) {
  const folder = mkdtempSync(join(tmpdir(), 'certificates-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = (of: string) => join(folder, `${name}-${of}`);
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe' });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl('req', '-x509', ...key, '-subj', `/CN=${name}`, '-keyout', file('ca.key'), '-out', file('ca.crt'));
  const sign = (whom: string) => {
    const files = { cert: file(`${whom}.crt`), key: file(`${whom}.key`) };
    openssl('req', ...key, '-subj', `/CN=${whom}`, '-keyout', files.key, '-out', file(`${whom}.csr`));
    writeFileSync(file('extensions'), 'subjectAltName=IP:127.0.0.1');
    const by = ['-CA', file('ca.crt'), '-CAkey', file('ca.key'), '-CAcreateserial', '-extfile', file('extensions')];
    openssl('x509', '-req', '-in', file(`${whom}.csr`), ...by, '-out', files.cert);
    return files;
  };
  return { ca: file('ca.crt'), sign };
}
