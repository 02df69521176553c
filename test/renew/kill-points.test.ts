import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { rotationSteps } from '../../src/renew/steps.ts';
import { type HostileIssuer, hostileIssuer, json, type Step, token } from '../peers/hostile-issuer.ts';
import { type HomeName, homes, oneLogin, setting } from './setting.ts';

const program = fileURLToPath(new URL('killed-pass.ts', import.meta.url));

/** Rotates at every use. `grace`: the token before the current one gives the same successor again; else it is refused. */
function rotating(grace: 'grace' | 'strict'): { readonly step: Step; readonly current: () => string } {
  let generation = 1;
  const step: Step = (response, request) => {
    const sent = request.form.get('refresh_token');
    const repeat = sent === `rt-${generation - 1}` && grace === 'grace';
    if (sent === `rt-${generation}`) generation += 1;
    else if (!repeat) return json(400, { error: 'invalid_grant' })(response, request);
    return token({ refresh_token: `rt-${generation}`, scope: 'storage.read:/' })(response, request);
  };
  return { step, current: () => `rt-${generation}` };
}

async function killedAt(issuer: HostileIssuer, dir: string, step: string, home: HomeName): Promise<void> {
  const child = spawn(process.execPath, [program, dir, oneLogin(issuer.issuer), step, home], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (part) => {
    said += part;
  });
  const [, signal] = await once(child, 'exit');
  assert.equal(signal, 'SIGKILL', `the process was to die at ${step}, and said ${said}`);
}

for (const home of homes) {
  for (const grace of ['grace', 'strict'] as const) {
    for (const step of rotationSteps) {
      const where = home === 'store' ? '' : ', its home a .top file';
      test(`scenario 1: killed when ${step}, ${grace} issuer${where}: a usable refresh token, or a marker with the reason`, async () => {
        await using issuer = await hostileIssuer();
        const behaviour = rotating(grace);
        issuer.always(behaviour.step);
        const config = oneLogin(issuer.issuer);
        const before = await setting({ config, home });
        await before.logIn('robot', 'rt-1');
        await before.close();
        await killedAt(issuer, before.dir, step, home);

        await using here = await setting({ config, dir: before.dir, home });
        await here.pass('forced');
        const account = await here.account('robot');
        const lost = step === 'answered' && grace === 'strict';
        if (lost) {
          assert.equal(account.login, 'dead');
          assert.match(account.trouble?.sentence ?? '', /never arrived/);
          issuer.assertRequests(2);
        } else {
          assert.equal(await here.refreshToken('robot'), behaviour.current(), 'the issuer and we agree');
          assert.equal(account.intent, null);
          assert.equal(account.login, 'ready');
          assert.equal(await here.delivered('token'), 'opaque-access-token');
        }
      });
    }
  }
}
