/** The control plane's refusal of a request. */
export class ControlPlaneError extends Error {
  override readonly name = 'ControlPlaneError';
  readonly status: number;
  /** Of the problem that it answered (RFC 9457): `ROOM_NOT_FOUND`; empty where it answered none. */
  readonly code: string;
  /** How long it asks to wait, ms; 0 where it does not. */
  readonly retryAfterMs: number;

  private constructor(status: number, code: string, detail: string, retryAfterMs = 0) {
    super(detail);
    this.retryAfterMs = retryAfterMs;
    this.status = status;
    this.code = code;
  }

  /** @param answer one that is no success. */
  static async from(answer: Response): Promise<ControlPlaneError> {
    const problem = (await answer.json().catch(() => ({}))) as { code?: string; title?: string; detail?: string };
    const detail = problem.detail ?? problem.title ?? `HTTP ${answer.status}`;
    const seconds = Number(answer.headers.get('retry-after') ?? 0);
    return new ControlPlaneError(
      answer.status,
      problem.code ?? '',
      detail,
      Number.isFinite(seconds) ? seconds * 1000 : 0,
    );
  }

  /** What is as good as such an answer: the record of a room whose media daemon is gone. */
  static roomNotFound(): ControlPlaneError {
    return new ControlPlaneError(404, 'ROOM_NOT_FOUND', "the room's media daemon is gone");
  }
}
