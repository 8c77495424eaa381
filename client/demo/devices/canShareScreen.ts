import { hasMediaDevices } from './openDevice.ts';

export function canShareScreen(): boolean {
  return hasMediaDevices() && typeof navigator.mediaDevices.getDisplayMedia === 'function';
}
