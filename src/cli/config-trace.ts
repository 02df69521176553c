import { hash } from 'node:crypto';
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { World } from '../world/world.ts';

/** What reading the configuration looked at. While all of it is as it was, so is the configuration. */
export interface ConfigTrace {
  /** Absolute paths with what identified them before they were read; null for what was not there. */
  readonly files: Readonly<Record<string, string | null>>;
  /** Variables of the environment with a hash of their values, which may be secret; null for what was not set. */
  readonly env: Readonly<Record<string, string | null>>;
  /** A command was run, whose output nobody can know to be the same. */
  readonly commands: boolean;
}

/** Device, inode, size, and the times of the last change of content and of the inode, to the nanosecond. */
export function fileIdentity(path: string): string | null {
  const facts = statSync(path, { bigint: true, throwIfNoEntry: false });
  if (facts === undefined) return null;
  return [facts.dev, facts.ino, facts.size, facts.mtimeNs, facts.ctimeNs, facts.mode].join(':');
}

const valueIdentity = (value: string | undefined) => (value === undefined ? null : hash('sha256', value));

/** The world, with a note taken of every file, variable and command that is asked for. */
export function traced(world: World): { readonly world: World; trace(): ConfigTrace } {
  const files: Record<string, string | null> = {};
  const env: Record<string, string | null> = {};
  let commands = false;
  const note = (path: string) => {
    const absolute = resolve(path);
    files[absolute] ??= fileIdentity(absolute);
  };
  const noted =
    <A extends readonly [string, ...unknown[]], R>(work: (...args: A) => R) =>
    (...args: A): R => {
      note(args[0]);
      return work(...args);
    };
  const { files: real, processes } = world;
  return {
    world: {
      ...world,
      files: {
        ...real,
        readText: noted(real.readText),
        facts: noted(real.facts),
        look: noted(real.look),
        openDirectory: noted(real.openDirectory),
      },
      processes: {
        run: (call) => {
          commands = true;
          return processes.run(call);
        },
      },
      env: new Proxy(world.env, {
        get(target, name) {
          const value = typeof name === 'string' ? target[name] : undefined;
          if (typeof name === 'string') env[name] = valueIdentity(value);
          return value;
        },
      }),
    },
    trace: () => ({ files, env, commands }),
  };
}

/** Is everything that was looked at as it was? */
export function unchanged(trace: ConfigTrace, env: Readonly<Record<string, string | undefined>>): boolean {
  if (trace.commands) return false;
  if (Object.entries(trace.env).some(([name, value]) => valueIdentity(env[name]) !== value)) return false;
  return Object.entries(trace.files).every(([path, identity]) => fileIdentity(path) === identity);
}
