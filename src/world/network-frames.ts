/** Longer than any message of either side: the largest answer, with every character of it escaped. */
export const largestFrame = 16 * 1024 * 1024;

const prefix = 4;

/** A message on the pipe: its length in four bytes, most significant first, then JSON. */
export function frame(message: object): Buffer {
  const text = JSON.stringify(message);
  const length = Buffer.byteLength(text);
  const bytes = Buffer.allocUnsafe(prefix + length);
  bytes.writeUInt32BE(length);
  bytes.write(text, prefix);
  return bytes;
}

/** Puts together again what the pipe cut up. */
export class FrameReader {
  #parts: Buffer[] = [];
  #size = 0;
  #needs = prefix;

  /** The messages that end in this piece. Throws when they are no frames; its error may quote the message and is not to be shown. */
  take(piece: Buffer): readonly unknown[] {
    this.#parts.push(piece);
    this.#size += piece.length;
    if (this.#size < this.#needs) return [];
    const bytes = this.#parts.length === 1 ? piece : Buffer.concat(this.#parts, this.#size);
    const messages: unknown[] = [];
    let at = 0;
    this.#needs = prefix;
    while (bytes.length - at >= prefix) {
      const length = bytes.readUInt32BE(at);
      if (length > largestFrame) throw new RangeError('a frame is too long');
      this.#needs = prefix + length;
      if (bytes.length - at < this.#needs) break;
      messages.push(JSON.parse(bytes.toString('utf8', at + prefix, at + this.#needs)));
      at += this.#needs;
      this.#needs = prefix;
    }
    this.#parts = at === bytes.length ? [] : [bytes.subarray(at)];
    this.#size = bytes.length - at;
    return messages;
  }
}
