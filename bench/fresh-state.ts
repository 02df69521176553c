import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runPass } from '../src/renew/pass.ts';
import { directoryOn } from './directory.ts';
import { engineIn, neverAborted, writeConfig } from './engine-in.ts';
import { fileBeside, startProgram } from './programs.ts';

/** In seconds: half a year, so that nothing falls due while anybody looks. */
const life = 180 * 86_400;

/** A directory in memory with `count` fresh wishes of one `for_each`, each delivered to a file of its own, renewed by a real pass. */
export async function freshState(count: number): Promise<AsyncDisposable & { readonly path: string }> {
  const directory = await directoryOn('memory');
  await using peer = await startProgram([fileBeside('slow-issuers.ts'), '1', '0', String(life)]);
  const [origin] = JSON.parse(peer.line) as readonly string[];
  const rows = Array.from({ length: count }, (_, index) => ({ name: `ce${index}`, host: `ce${index}.example.org` }));
  await writeFile(join(directory.path, 'rows.json'), JSON.stringify(rows), { mode: 0o600 });
  await writeConfig(directory.path, configFor(origin ?? ''), 'secret');
  await using opened = await engineIn(directory.path);
  const { renewed } = await runPass(opened.engine, { mode: 'pass', signals: neverAborted });
  if (renewed !== count) throw new Error(`only ${renewed} of ${count} wishes could be made fresh`);
  return directory;
}

const configFor = (origin: string): string => `
limits: { concurrency: 16, per_second: 100000 }
accounts:
  robot: { grant: client_credentials, issuer: "${origin}", client_id: robot, client_secret: { file: DIR/secret } }
tokens:
  "{name}":
    for_each: { file: DIR/rows.json }
    account: robot
    scope: [storage.read:/]
    deliver: [{ file: "DIR/targets/{name}" }]
`;
