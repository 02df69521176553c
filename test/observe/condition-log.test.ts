import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createConditionLog } from '../../src/observe/condition-log.ts';
import { conditionsOf } from '../../src/observe/conditions.ts';
import { createLogger } from '../../src/observe/log.ts';
import { account, accountRecord, downIssuer, noon, records, trouble, wanted, wish, wishRecord } from './samples.ts';

test('the log says when something begins, gets worse and ends, once each, and nothing of what merely follows', () => {
  const lines: string[] = [];
  const look = createConditionLog(
    createLogger({
      format: 'terminal',
      threshold: 'info',
      clock: { now: () => noon },
      write: (line) => lines.push(line.replace(/^tokeep: |\n$/g, '')),
    }),
  );
  const at = (more: Parameters<typeof records>[0]) =>
    look(conditionsOf(records(more), wanted([account('atlas')], [wish('mon', 'atlas')]), noon));
  const said = () => lines.splice(0);
  const accounts = [accountRecord('atlas')];
  const failing = wishRecord('mon', 'atlas', { trouble: trouble('issuer-unreachable', { nextTry: null }) });

  at({ accounts, wishes: [failing], issuers: [downIssuer] });
  assert.deepEqual(said(), ['warning: no connection to https://issuer.example/: nothing listens there']);
  at({ accounts, wishes: [failing], issuers: [downIssuer] });
  assert.deepEqual(said(), []);
  at({ accounts: [accountRecord('atlas', { login: 'dead' })] });
  assert.deepEqual(said(), [
    'account atlas needs somebody to log in: the login of account atlas is dead (run: tokeep account login atlas)',
    'over: issuer:https://issuer.example/:down',
  ]);
  at({ accounts });
  assert.deepEqual(said(), ['over: account:atlas:login']);
});
