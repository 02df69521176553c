// The first program inside the namespaces that `run.ts` makes: an issuer, the pool, the web login, then the tests, then all of it ends.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { smtpSink } from '../../peers/smtp-sink.ts';
import { robot, startIssuer } from '../../peers/start-issuer.ts';
import { throwAwayCa } from '../../peers/throw-away-ca.ts';
import { ownPlaces } from '../own-places.ts';
import { tailOfLogs } from './logs.ts';
import { domain, lengths, robotService, services } from './pool-config.ts';
import { say, took } from './progress.ts';
import { preparePool, startPool } from './start-pool.ts';
import { asEnvironment, type Surroundings } from './surroundings.ts';

const top = join(import.meta.dirname, '../../..');
const root = process.env['TOKEEP_CONDOR_IN'] ?? '';
/** In a network of our own every port is free. */
const webPort = 8443;
const webPrefix = `https://localhost:${webPort}`;

/** Clients as an administrator would have registered them. */
const clients = [
  ...Object.entries(services).map(([name, { id, secret }]) => ({
    ...{ client_id: id, client_secret: secret, redirect_uris: [`${webPrefix}/return/${name}`] },
    ...{ grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'] },
    token_endpoint_auth_method: 'client_secret_post' as const,
  })),
  { client_id: robotService.id, client_secret: robotService.secret, grant_types: robot.grant_types },
];

async function main(files: readonly string[]): Promise<number> {
  await using ca = await throwAwayCa();
  await using stack = new AsyncDisposableStack();
  const directory = tmpdir();
  const server = await ca.certificate({ names: ['localhost', `ap.${domain}`, '127.0.0.1'] });
  const issuer = stack.use(
    await startIssuer({
      tls: ca,
      clients,
      accessTokenLife: lengths.accessToken,
      scopes: ['storage.read:/', 'compute.read', 'compute.create'],
      audiences: ['https://data.example.org', 'https://other.example.org'],
    }),
  );
  const mails = join(directory, 'mails');
  mkdirSync(mails);
  let came = 0;
  // Complete before it has its name: the tests read it from other processes.
  const onMail = ({ data }: { readonly data: string }) => {
    came += 1;
    writeFileSync(join(mails, `.${came}`), data);
    renameSync(join(mails, `.${came}`), join(mails, `${came}.eml`));
  };
  const mail = stack.use(await smtpSink({ onMail }));
  await preparePool({
    ...{ root, caFile: ca.caFile, server, issuer: issuer.issuer, webPrefix, webPort },
    tokeepYaml: `notify:\n  operators: { mail: { to: grid-ops@${domain}, from: tokeep@${domain}, port: ${mail.port} } }\n`,
  });
  const pool = await took('the pool is up', () => startPool(root, webPort));
  stack.use(pool);
  const told: Surroundings = {
    ...{ root, caFile: ca.caFile, ...server, directory, issuer: issuer.issuer, webPrefix, mails },
  };
  const env = { ...asEnvironment(told), ...(await ownPlaces(directory)), NODE_EXTRA_CA_CERTS: ca.caFile };
  const status = await runTests(files, env);
  if (status !== 0) say(`the logs of the pool end so:\n${tailOfLogs(root)}`);
  return status;
}

/** Most scenarios wait for something, and do that side by side; those that others would notice come after them, one by one. */
async function runTests(files: readonly string[], env: Readonly<Record<string, string>>): Promise<number> {
  const here = 'test/interop/htcondor';
  const rounds = files.length > 0 ? [files] : [[`${here}/*.test.ts`], [`${here}/alone/*.test.ts`]];
  let worst = 0;
  for (const [round, tests] of rounds.entries()) {
    const args = ['--test', `--test-concurrency=${round === 0 ? 6 : 1}`, '--test-timeout=240000', ...tests];
    const child = spawn(process.execPath, args, { cwd: top, stdio: 'inherit', env: { ...process.env, ...env } });
    const [status] = (await once(child, 'close')) as [number | null];
    worst = Math.max(worst, status ?? 1);
  }
  return worst;
}

process.exitCode = await main(process.argv.slice(2));
