/** The meanings of the exit codes. */
export const exitCodes = {
  0: 'done',
  1: 'refused or failed; standard error says why',
  2: 'the command line is not valid',
  3: 'the control plane or the media daemon cannot be reached',
} as const;

/** A failure that ends the command with a message and an exit code. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly exitCode: Exclude<keyof typeof exitCodes, 0>;

  constructor(message: string, exitCode: CliError['exitCode'] = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}
