import type { CommandModule } from './command.ts';

export interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  load(): Promise<CommandModule>;
}

/**
 * Every command of `tokeep`, in the order of the help. The summary stands here, so that `tokeep --help` loads none of them;
 * the module's `register` is handed the summary's command back by name and must use the same name.
 */
export const commandTable: readonly CommandEntry[] = [
  {
    name: 'setup',
    summary: 'make an account, log in, and write its configuration',
    load: () => import('./commands/setup.ts'),
  },
  { name: 'renew', summary: 'renew every token that is due, once', load: () => import('./commands/renew.ts') },
  { name: 'run', summary: 'keep tokens fresh until stopped (the daemon)', load: () => import('./commands/run.ts') },
  {
    name: 'status',
    summary: 'what is fresh, what is wrong, and whose turn it is',
    load: () => import('./commands/status.ts'),
  },
  { name: 'get', summary: 'print a token, renewing it first if needed', load: () => import('./commands/get.ts') },
  { name: 'shell', summary: 'start a shell with a token kept fresh', load: () => import('./commands/shell.ts') },
  { name: 'exec', summary: 'run a command with a token kept fresh', load: () => import('./commands/exec.ts') },
  { name: 'inspect', summary: 'decode and explain a token', load: () => import('./commands/inspect.ts') },
  { name: 'verify', summary: 'say whether a token is good', load: () => import('./commands/verify.ts') },
  { name: 'can', summary: 'say whether a token lets its bearer do something', load: () => import('./commands/can.ts') },
  {
    name: 'explain',
    summary: 'say why a service accepts or refuses a token',
    load: () => import('./commands/explain.ts'),
  },
  { name: 'map', summary: 'say which local user a token is', load: () => import('./commands/map.ts') },
  { name: 'idtoken', summary: 'make and read IDTOKENS of HTCondor', load: () => import('./commands/idtoken.ts') },
  {
    name: 'account',
    summary: 'list, log in again, remove or revoke accounts',
    load: () => import('./commands/account.ts'),
  },
  { name: 'config', summary: 'check, show and convert the configuration', load: () => import('./commands/config.ts') },
  {
    name: 'issuer',
    summary: 'issue tokens: keys, signing, the site, the server',
    load: () => import('./commands/issuer.ts'),
  },
  {
    name: 'credmon',
    summary: "keep the tokens of HTCondor's jobs fresh",
    load: () => import('./commands/credmon.ts'),
  },
  {
    name: 'condor',
    summary: "work with HTCondor's credentials",
    load: () => import('./commands/condor.ts'),
  },
  {
    name: 'forecast',
    summary: 'what runs out, and when, if an issuer is away',
    load: () => import('./commands/forecast.ts'),
  },
  { name: 'notify', summary: 'send a test message', load: () => import('./commands/notify.ts') },
  { name: 'seal', summary: 'change the sealing key; back up and restore', load: () => import('./commands/seal.ts') },
  {
    name: 'demo',
    summary: 'see it work: an issuer, tokens, renewals, on this machine only',
    load: () => import('./commands/demo.ts'),
  },
  {
    name: 'completion',
    summary: 'print the completion script of a shell',
    load: () => import('./commands/completion.ts'),
  },
];
