/** Something happened to this name in this directory, as `add` was given it; no name: to the directory itself. */
export type OnEvent = (directory: string, name: string) => void;

/** What came of beginning to watch; `refused`: the system has no more watches for us. */
export type WatchBegun = 'watched' | 'gone' | 'refused';

/**
 * Directories that the system tells us about. What happens often may be told once; when more happens than the system keeps, it is lost
 * without a word, so that whoever has to know everything looks now and then.
 */
export interface Watch {
  /** Begins at once. A link is not followed, and counts as gone, as does what we may not look into. */
  add(directory: string): WatchBegun;
  drop(directory: string): void;
  /**
   * Resolves when everything that happened before the call was handed out: in `directory`, which is watched, a hidden file with a name
   * of its own comes and goes at once, and its event comes after all others. False if it cannot be made, or no event came.
   */
  settled(directory: string): Promise<boolean>;
  close(): void;
}

export interface Watches {
  open(onEvent: OnEvent): Watch;
}
