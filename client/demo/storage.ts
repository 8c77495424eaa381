type Key = 'name' | 'camera' | 'microphone' | 'speaker' | 'theme' | 'view' | 'shortcuts';

/** What this browser remembers of the person. Where storage is off, nothing: everything is asked for again. */
export function recall(key: Key): string | undefined {
  try {
    return localStorage.getItem(key) ?? undefined;
  } catch {
    return undefined;
  }
}

export function remember(key: Key, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // See `recall`.
  }
}
