import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { openState } from '../../src/cli/open-state.ts';
import { loadConfig } from '../../src/config/load.ts';
import { faultCodes } from '../../src/fault/codes.ts';
import { Fault } from '../../src/fault/fault.ts';
import { silentLogger } from '../../src/observe/log.ts';
import { realWorld } from '../../src/world/real-world.ts';
import { account, accountName, refreshToken } from '../store/samples.ts';

const isFault = (code: string) => (thrown: unknown) => thrown instanceof Fault && thrown.code === code;

/** A state in a home of its own, whose configuration may name a file with a passphrase. */
function home(context: TestContext) {
  const top = mkdtempSync(join(tmpdir(), 'tokeep-passphrase-'));
  context.after(() => rmSync(top, { recursive: true, force: true }));
  const [file, secret] = [join(top, 'c.yaml'), join(top, 'passphrase')];
  const world = { ...realWorld(), env: { HOME: top, CONFIGURATION_DIRECTORY: top } };
  const open = async (settings: string) => {
    writeFileSync(file, settings);
    return await openState(world, join(top, 'state'), await loadConfig(world, file), silentLogger);
  };
  return {
    keyFile: join(top, 'seal.key'),
    withKey: () => open('accounts: {}\n'),
    withPassphrase(text: string) {
      writeFileSync(secret, `${text}\n`, { mode: 0o600 });
      return open(`seal: { passphrase: { file: ${secret} } }\n`);
    },
  };
}

test('a state sealed with a passphrase opens with it alone; with another one nothing is sealed or changed', async (context) => {
  const { withPassphrase, withKey, keyFile } = home(context);
  const first = await withPassphrase('correct horse battery');
  await first.store.saveAccount(account('robot'), { credential: refreshToken('r1') });
  await first.store.close();
  const salt = readFileSync(keyFile, 'utf8');
  assert.match(salt, /^tokeep-seal-salt-1 /);

  await assert.rejects(withPassphrase('another horse battery'), isFault('seal-wrong-key'));
  await assert.rejects(withKey(), isFault('seal-key-unusable'));
  assert.equal(faultCodes['seal-wrong-key'].exit, 3);
  assert.equal(readFileSync(keyFile, 'utf8'), salt);

  const again = await withPassphrase('correct horse battery');
  const { credential } = await again.store.secrets(accountName('robot'));
  await again.store.close();
  assert.equal(credential?.reveal(), 'r1');
});

test('a passphrase beside a key file that needs none is refused with the way to bring it in; a short one is no lock', async (context) => {
  const { withKey, withPassphrase } = home(context);
  await (await withKey()).store.close();
  await assert.rejects(withPassphrase('correct horse battery'), (thrown) => {
    assert.match(String((thrown as Fault).hint), /tokeep seal rotate/);
    return isFault('seal-key-unusable')(thrown);
  });
  const { withPassphrase: elsewhere } = home(context);
  await assert.rejects(elsewhere('short'), isFault('seal-key-unusable'));
});
