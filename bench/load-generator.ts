import { createRequire } from 'node:module';
import { outputOf } from './programs.ts';

const autocannon = createRequire(import.meta.url).resolve('autocannon');

export interface TokenRequest {
  readonly url: string;
  readonly clientId: string;
  readonly secret: string;
  readonly form: Readonly<Record<string, string>>;
}

/** What a plain HTTP load generator (autocannon, 16 connections, a process of its own) gets from a token endpoint, per second. */
export async function plainLoad(request: TokenRequest, seconds: number): Promise<number> {
  const basic = Buffer.from(`${request.clientId}:${request.secret}`).toString('base64');
  const printed = await outputOf([
    autocannon,
    ...['--connections', '16', '--duration', String(seconds), '--method', 'POST', '--json', '--no-progress'],
    ...['--headers', `authorization=Basic ${basic}`],
    ...['--headers', 'content-type=application/x-www-form-urlencoded'],
    ...['--body', new URLSearchParams(request.form).toString(), request.url],
  ]);
  const result = JSON.parse(printed) as { '2xx': number; non2xx: number; errors: number; duration: number };
  if (result.non2xx > 0 || result.errors > 0) throw new Error('the token endpoint refused the load generator');
  return result['2xx'] / result.duration;
}
