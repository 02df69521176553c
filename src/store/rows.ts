import { crc32 } from 'node:zlib';
import type { Row } from './database.ts';

/** A record as it lies in a row: its JSON, and a checksum over key and JSON that tells a torn or exchanged row (scenario 13). */
export interface Packed {
  readonly doc: string;
  readonly sum: number;
}

export const checksum = (key: string, text: string): number => crc32(`${key}\n${text}`);

export function pack(key: string, record: object): Packed {
  const doc = JSON.stringify(record);
  return { doc, sum: checksum(key, doc) };
}

/** The record, or undefined when the row is damaged. */
export function unpack<T>(key: string, row: Row): T | undefined {
  const doc = row['doc'];
  if (typeof doc !== 'string' || checksum(key, doc) !== row['sum']) return undefined;
  return parse<T>(doc);
}

export function parse<T>(doc: string): T | undefined {
  try {
    const value: unknown = JSON.parse(doc);
    return typeof value === 'object' && value !== null ? (value as T) : undefined;
  } catch {
    return undefined;
  }
}
