type Key = 'name' | 'camera' | 'microphone' | 'speaker' | 'theme' | 'view' | 'shortcuts';

/** Settings of the person in this browser. If storage is off, none are kept. */
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
