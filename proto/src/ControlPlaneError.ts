/** The control plane's refusal of a request. */
export class ControlPlaneError extends Error {
  override readonly name = 'ControlPlaneError';
  readonly status: number;
  /** The code of the problem (RFC 9457), such as `ROOM_NOT_FOUND`; empty without one. */
  readonly code: string;
  /** The `Retry-After` of the answer, ms; 0 without one. */
  readonly retryAfterMs: number;

  private constructor(status: number, code: string, detail: string, retryAfterMs = 0) {
    super(detail);
    this.retryAfterMs = retryAfterMs;
    this.status = status;
    this.code = code;
  }

  /** @param answer a response that is not a success. */
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

  /** The error for a room whose media daemon is gone, as the control plane would answer. */
  static roomNotFound(): ControlPlaneError {
    return new ControlPlaneError(404, 'ROOM_NOT_FOUND', "the room's media daemon is gone");
  }
}
