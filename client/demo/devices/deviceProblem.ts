export type DeviceKind = 'camera' | 'microphone';

/** Why a camera or a microphone cannot be used. */
export type DeviceProblem = 'denied' | 'missing' | 'unplugged' | 'busy' | 'insecure';

/** Names the cause of a `getUserMedia` that failed. */
export function deviceProblem(errorName: string): DeviceProblem {
  if (errorName === 'NotAllowedError' || errorName === 'SecurityError') return 'denied';
  if (errorName === 'NotFoundError' || errorName === 'OverconstrainedError') return 'missing';
  return 'busy';
}
