import type { Directory, Files, OpenFile } from './files.ts';

/** The calls a plan can break. */
export type FaultyCall =
  | 'openDirectory'
  | 'createExclusive'
  | 'open'
  | 'write'
  | 'truncate'
  | 'sync'
  | 'syncDirectory'
  | 'rename'
  | 'remove'
  | 'list'
  | 'readText';

/**
 * One thing that goes wrong. `nth` counts the calls of this kind (on this `path`, if one is given) from 1 and says with which
 * one the trouble starts; `times` says for how many calls it lasts (once, unless told).
 */
export interface FaultStep {
  readonly op: FaultyCall;
  readonly nth?: number;
  readonly times?: number;
  /** Only below directories (or for names) that contain this text. */
  readonly path?: string;
  /** The system code it fails with, such as EIO or ENOSPC. */
  readonly code?: string;
  /** For `write`: only so many bytes go out, without an error (scenario 11). */
  readonly short?: number;
  /** For `sync` and `syncDirectory`: answers yes and does nothing (scenario 13). */
  readonly dropped?: true;
  /** Runs instead of failing, right before the real call: a kill point. */
  readonly meanwhile?: () => void | Promise<void>;
}

interface Counted {
  readonly step: FaultStep;
  seen: number;
}

function systemError(code: string, op: string, path: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: planned fault in ${op} of ${path}`), { code });
}

/** Real files under a plan of faults. What the plan does not name goes through untouched. */
export function faultyFiles(real: Files, plan: readonly FaultStep[]): Files {
  const counted: Counted[] = plan.map((step) => ({ step, seen: 0 }));

  /** The step that is in force for this call, after its `meanwhile` has run. Throws where the step has a code. */
  async function meet(op: FaultyCall, path: string): Promise<FaultStep | undefined> {
    for (const entry of counted) {
      const { step } = entry;
      if (step.op !== op || (step.path !== undefined && !path.includes(step.path))) continue;
      entry.seen += 1;
      const first = step.nth ?? 1;
      if (entry.seen < first || entry.seen >= first + (step.times ?? 1)) continue;
      await step.meanwhile?.();
      if (step.code !== undefined) throw systemError(step.code, op, path);
      return step;
    }
    return undefined;
  }

  return {
    ...real,
    async openDirectory(path, use) {
      await meet('openDirectory', path);
      return faultyDirectory(await real.openDirectory(path, use), meet);
    },
    async readText(path, limit) {
      await meet('readText', path);
      return await real.readText(path, limit);
    },
  };
}

type Meet = (op: FaultyCall, path: string) => Promise<FaultStep | undefined>;

function faultyDirectory(real: Directory, meet: Meet): Directory {
  const whole = (name: string) => `${real.path}/${name}`;
  return {
    ...real,
    async openDirectory(name, use) {
      await meet('openDirectory', whole(name));
      return faultyDirectory(await real.openDirectory(name, use), meet);
    },
    async list() {
      await meet('list', real.path);
      return await real.list();
    },
    async createExclusive(name, mode) {
      await meet('createExclusive', whole(name));
      return faultyOpenFile(await real.createExclusive(name, mode), whole(name), meet);
    },
    async open(name, how) {
      await meet('open', whole(name));
      return faultyOpenFile(await real.open(name, how), whole(name), meet);
    },
    async rename(from, to) {
      await meet('rename', whole(from));
      await real.rename(from, to);
    },
    async remove(name) {
      await meet('remove', whole(name));
      await real.remove(name);
    },
    async sync() {
      const step = await meet('syncDirectory', real.path);
      if (step?.dropped !== true) await real.sync();
    },
  };
}

function faultyOpenFile(real: OpenFile, path: string, meet: Meet): OpenFile {
  return {
    ...real,
    async write(bytes) {
      const step = await meet('write', path);
      return await real.write(step?.short === undefined ? bytes : bytes.subarray(0, step.short));
    },
    async truncate(length) {
      await meet('truncate', path);
      await real.truncate(length);
    },
    async sync() {
      const step = await meet('sync', path);
      if (step?.dropped !== true) await real.sync();
    },
  };
}
