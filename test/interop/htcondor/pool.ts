import { existsSync, readFileSync } from 'node:fs';
import { chmod, chown, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Ran } from '../run-program.ts';
import { type InRoot, ranInRoot } from './in-root.ts';
import { type Patience, until } from './until.ts';
import type { users } from './users.ts';

export type User = (typeof users)[number];

/** What condor_submit answers. */
export type Submitted =
  | { readonly kind: 'queued'; readonly job: Job }
  /** The credd wants a login at this link first. */
  | { readonly kind: 'visit'; readonly url: string; readonly said: string }
  | { readonly kind: 'refused'; readonly said: string };

export interface Job {
  readonly id: string;
  readonly user: User;
}

/** As the job's own log tells it. */
export type JobEvent = 'submitted' | 'running' | 'held' | 'released' | 'completed' | 'removed';

const events: Readonly<Record<string, JobEvent>> = {
  ...{ '000': 'submitted', '001': 'running', '005': 'completed', '009': 'removed', '012': 'held', '013': 'released' },
};

export interface JobWish {
  /** A script for /bin/sh; what it prints is what `printed` answers. */
  readonly script: string;
  /** Lines of the submit file beside. */
  readonly lines?: readonly string[];
}

const home = (root: string, user: User, ...path: readonly string[]) => join(root, 'home', user, ...path);
let scripts = 0;

/** What a user of the pool, and its administrator, do by HTCondor's own commands. */
export class Pool {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  run(command: readonly string[], how: InRoot = {}): Promise<Ran> {
    return ranInRoot(this.#root, command, how);
  }

  /** What it printed, of a command that has to succeed. */
  async output(command: readonly string[], how: InRoot = {}): Promise<string> {
    const { status, stdout, stderr } = await this.run(command, how);
    if (status !== 0) throw new Error(`${command.join(' ')} ended with ${status}: ${stderr}${stdout}`);
    return stdout;
  }

  async submit(
    user: User,
    { script, lines = [] }: JobWish,
    how: Omit<InRoot, 'user'> & { readonly args?: readonly string[] } = {},
  ): Promise<Submitted> {
    scripts += 1;
    const name = `job-${process.pid}-${scripts}`;
    await this.write(user, `${name}.sh`, `#!/bin/sh\n${script}\n`, 0o755);
    const text = [
      ...[`executable = ${name}.sh`, `output = ${name}.out`, `error = ${name}.err`, 'log = $(Cluster).log'],
      ...[
        'should_transfer_files = YES',
        'when_to_transfer_output = ON_EXIT',
        'request_memory = 16',
        'request_disk = 16',
      ],
      ...[...lines, 'queue', ''],
    ].join('\n');
    await this.write(user, `${name}.sub`, text);
    const { args = [], ...inRoot } = how;
    const { stdout, stderr } = await this.run(['condor_submit', ...args, `${name}.sub`], { ...inRoot, user });
    const said = stdout + stderr;
    const cluster = /submitted to cluster (\d+)/.exec(said)?.[1];
    if (cluster !== undefined) {
      this.#outputs.set(cluster, `${name}.out`);
      return { kind: 'queued', job: { id: cluster, user } };
    }
    const url = /https?:\/\/\S+\/key\/[0-9a-f]{64}/.exec(said)?.[0];
    return url === undefined ? { kind: 'refused', said } : { kind: 'visit', url, said };
  }
  readonly #outputs = new Map<string, string>();

  /** A submission that needs nothing more of anybody. */
  async queued(user: User, wish: JobWish, how: Parameters<Pool['submit']>[2] = {}): Promise<Job> {
    const submitted = await this.submit(user, wish, how);
    if (submitted.kind !== 'queued') throw new Error(`not queued: ${submitted.said}`);
    return submitted.job;
  }

  /** The job's ad, as condor_q or, once the job has left, condor_history has it. */
  async ad({ id }: Job): Promise<Readonly<Record<string, unknown>>> {
    const query = async (command: string) => (await this.run([command, id, '-json'])).stdout.trim();
    const text = (await query('condor_q')) || (await query('condor_history'));
    return (JSON.parse(text || '[{}]') as readonly Record<string, unknown>[])[0] ?? {};
  }

  /** Ads of all jobs of a user that are in the queue. */
  async queue(user: User): Promise<readonly Readonly<Record<string, unknown>>[]> {
    return JSON.parse((await this.output(['condor_q', user, '-json'])).trim() || '[]') as Record<string, unknown>[];
  }

  /** What has happened to a job so far, in order. */
  events({ id, user }: Job): readonly JobEvent[] {
    const file = home(this.#root, user, `${id}.log`);
    if (!existsSync(file)) return [];
    return [...readFileSync(file, 'utf8').matchAll(/^(\d{3}) \(/gm)].flatMap(([, code = '']) => events[code] ?? []);
  }

  async waitFor(job: Job, state: JobEvent, patience: Patience = {}): Promise<void> {
    const explain = async () => {
      const log = home(this.#root, job.user, `${job.id}.log`);
      const { HoldReason: why } = await this.ad(job);
      return `job ${job.id} of ${job.user}: ${why ?? ''}\n${existsSync(log) ? readFileSync(log, 'utf8') : 'no event yet'}`;
    };
    await until(`job ${job.id} of ${job.user} is ${state}`, () => this.events(job).includes(state), {
      explain,
      ...patience,
    });
  }

  /** What the script of a completed job printed. */
  printed({ id, user }: Job): string {
    return readFileSync(home(this.#root, user, this.#outputs.get(id) ?? ''), 'utf8');
  }

  /** Waits for the end of the job and answers with what it printed. */
  async result(job: Job, patience: Patience = { within: 60 }): Promise<string> {
    await this.waitFor(job, 'completed', patience);
    return this.printed(job);
  }

  /** A file of a user's home. */
  async write(user: User, name: string, text: string, mode = 0o600): Promise<string> {
    const path = home(this.#root, user, name);
    await writeFile(path, text, { mode });
    await chmod(path, mode);
    const { uid, gid } = await stat(home(this.#root, user));
    await chown(path, uid, gid);
    return `/home/${user}/${name}`;
  }

  /** What stands in a file of a user's home; undefined if it is not there yet. */
  read(user: User, name: string): string | undefined {
    const path = home(this.#root, user, name);
    return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
  }

  /** condor_store_cred, by default as the user whose credential it is. */
  storeCred(
    user: User,
    verb: 'add-oauth' | 'query-oauth' | 'delete-oauth',
    options: readonly string[],
    how: InRoot = {},
  ) {
    return this.run(['condor_store_cred', verb, ...options], { user, ...how });
  }

  /** A file of the credential directory, such as `alice/mytok.use`. */
  credential(name: string): string | undefined {
    const path = this.credentialPath(name);
    return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
  }
  credentialPath(name = ''): string {
    return join(this.#root, 'var/lib/condor/oauth_credentials', name);
  }

  /** The access token in a `.use` file, which is JSON or the bare token. */
  readUse(user: User, name: string): string | undefined {
    const text = this.credential(`${user}/${name}.use`);
    if (text === undefined || !text.startsWith('{')) return text?.trim();
    return (JSON.parse(text) as { readonly access_token?: string }).access_token;
  }
}
