import { SettingsError } from '@mediasoup-server/server-kit/settings';
import { type Command, CommanderError } from 'commander';
import { CliError, type exitCodes } from './CliError.ts';
import type { CliProcess } from './CommandContext.ts';
import { createProgram } from './program.ts';

/**
 * Runs a command line.
 *
 * @param words what follows the program's name.
 * @returns the exit code.
 */
export async function run(words: readonly string[], cliProcess: CliProcess): Promise<keyof typeof exitCodes> {
  const program = createProgram(cliProcess);
  const { stdout, stderr } = cliProcess;
  for (const command of withAll(program)) {
    command.exitOverride().configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
    });
  }
  try {
    await program.parseAsync(words, { from: 'user' });
    return 0;
  } catch (error) {
    // commander has written its message. Help with a failing exit code means that the command is missing.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    if (error instanceof CliError) return error.exitCode;
    if (error instanceof SettingsError) return 1;
    return 1;
  }
}

function withAll(command: Command): Command[] {
  return [command, ...command.commands.flatMap(withAll)];
}
