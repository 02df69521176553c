/**
 * Events in order of time: a binary heap over plain arrays, since a simulated week has millions of them. Events of the same
 * moment come out in the order of their numbers, so that a run repeats exactly.
 */
export class EventQueue {
  readonly #times: number[] = [];
  readonly #events: number[] = [];

  get size(): number {
    return this.#times.length;
  }

  /** When the next event is; only asked while there is one. */
  get soonest(): number {
    return this.#times[0] ?? Number.POSITIVE_INFINITY;
  }

  push(time: number, event: number): void {
    let at = this.#times.length;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#before(time, event, parent)) break;
      this.#copy(parent, at);
      at = parent;
    }
    this.#times[at] = time;
    this.#events[at] = event;
  }

  pop(): number | undefined {
    const first = this.#events[0];
    const time = this.#times.pop();
    const event = this.#events.pop();
    const size = this.#times.length;
    if (time === undefined || event === undefined || size === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= size) break;
      const right = child + 1;
      if (right < size && this.#before(this.#times[right] ?? 0, this.#events[right] ?? 0, child)) child = right;
      if (this.#before(time, event, child)) break;
      this.#copy(child, at);
      at = child;
    }
    this.#times[at] = time;
    this.#events[at] = event;
    return first;
  }

  #before(time: number, event: number, other: number): boolean {
    const otherTime = this.#times[other] ?? 0;
    return time < otherTime || (time === otherTime && event < (this.#events[other] ?? 0));
  }

  #copy(from: number, to: number): void {
    this.#times[to] = this.#times[from] ?? 0;
    this.#events[to] = this.#events[from] ?? 0;
  }
}
