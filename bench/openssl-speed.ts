import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { SigningAlgorithm } from '../src/mint/signing-key.ts';

/** Operations per second of processor time. */
export interface SignatureRates {
  readonly sign: number;
  readonly verify: number;
}

const run = promisify(execFile);
const names = { ES256: 'ecdsap256', RS256: 'rsa2048' } as const;

/**
 * What the openssl of this machine does with bare signatures, one thread: no hash of a text, no token. With `-mr` it prints
 * `+F2:…:sign:verify` for RSA and `+F4:…` for ECDSA at the end.
 */
export async function opensslSpeed(algorithm: SigningAlgorithm, seconds: number): Promise<SignatureRates> {
  const { stdout } = await run('openssl', ['speed', '-mr', '-seconds', String(seconds), names[algorithm]]);
  const [sign, verify] = /^\+F[24]:.*:([\d.]+):([\d.]+)$/m.exec(stdout)?.slice(1).map(Number) ?? [];
  if (!sign || !verify) throw new Error('openssl speed printed no rates');
  return { sign, verify };
}
