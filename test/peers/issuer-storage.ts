import { readFileSync, renameSync, writeFileSync } from 'node:fs';

interface Entry {
  readonly payload: Record<string, unknown>;
  readonly expiresAt: number | null;
}

/** Where oidc-provider keeps what it issues: a map, written to a file after each change if there is one. */
export class IssuerStorage {
  readonly #entries = new Map<string, Entry>();
  readonly #file: string | undefined;

  constructor(file: string | undefined) {
    this.#file = file;
    if (file === undefined) return;
    try {
      this.#entries = new Map(JSON.parse(readFileSync(file, 'utf8')));
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT') throw thrown;
    }
  }

  get(key: string): Record<string, unknown> | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    if (entry.expiresAt === null || entry.expiresAt > Date.now()) return entry.payload;
    this.#entries.delete(key);
    return undefined;
  }

  set(key: string, payload: Record<string, unknown>, life?: number): void {
    this.#entries.set(key, { payload, expiresAt: life === undefined ? null : Date.now() + life * 1000 });
    this.#save();
  }

  deleteWhere(chosen: (key: string, payload: Record<string, unknown>) => boolean): void {
    for (const [key, { payload }] of this.#entries) if (chosen(key, payload)) this.#entries.delete(key);
    this.#save();
  }

  find(chosen: (key: string, payload: Record<string, unknown>) => boolean): Record<string, unknown> | undefined {
    for (const [key, { payload }] of this.#entries) if (chosen(key, payload)) return this.get(key);
    return undefined;
  }

  /** Synchronous and by rename: the process is killed at any time, and what it answered must be there afterwards. */
  #save(): void {
    if (this.#file === undefined) return;
    writeFileSync(`${this.#file}.new`, JSON.stringify([...this.#entries]), { mode: 0o600 });
    renameSync(`${this.#file}.new`, this.#file);
  }
}

/** The adapter that oidc-provider asks for, one per kind of thing. */
export const adapterFor = (storage: IssuerStorage) => (model: string) => {
  const keyOf = (id: string) => `${model}:${id}`;
  return {
    async upsert(id: string, payload: Record<string, unknown>, life?: number) {
      storage.set(keyOf(id), payload, life);
    },
    async find(id: string) {
      return storage.get(keyOf(id));
    },
    async findByUid(uid: string) {
      return storage.find((key, payload) => key.startsWith(`${model}:`) && payload['uid'] === uid);
    },
    async findByUserCode(userCode: string) {
      return storage.find((key, payload) => key.startsWith(`${model}:`) && payload['userCode'] === userCode);
    },
    async consume(id: string) {
      const payload = storage.get(keyOf(id));
      if (payload === undefined) return;
      payload['consumed'] = Math.floor(Date.now() / 1000);
      storage.set(keyOf(id), payload);
    },
    async destroy(id: string) {
      storage.deleteWhere((key) => key === keyOf(id));
    },
    async revokeByGrantId(grantId: string) {
      storage.deleteWhere((_, payload) => payload['grantId'] === grantId);
    },
  };
};
