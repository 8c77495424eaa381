import { hasMediaDevices } from './openDevice.ts';

export function canShareScreen(): boolean {
  return hasMediaDevices() && typeof navigator.mediaDevices.getDisplayMedia === 'function';
}

/**
 * Asks which screen, window or tab to share: its picture, and its sound where the browser offers it. Undefined when the
 * person changed their mind.
 */
export async function openScreen(): Promise<MediaStream | undefined> {
  try {
    return await navigator.mediaDevices.getDisplayMedia({ video: { frameRate: { ideal: 15 } }, audio: true });
  } catch (error) {
    if ((error as Error).name === 'NotAllowedError') return undefined;
    throw error;
  }
}
