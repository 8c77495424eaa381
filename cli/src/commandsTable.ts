import type { Command } from 'commander';
import { exitCodes } from './CliError.ts';
import { createProgram } from './program.ts';

/** The commands and the exit codes, as docs/reference/cli.md shows them. */
export function commandsTable(): string {
  const stream = { write: () => {} };
  const program = createProgram({ stdout: stream, stderr: stream, environment: {} });
  const commands = leaves(program).map(({ names, command }) => {
    const given = command.registeredArguments.map((argument) => `<${argument.name()}>`);
    const options = command.options
      .filter(({ long }) => long !== '--json')
      .map(({ flags, mandatory }) => `\`${flags}\`${mandatory ? ' (required)' : ''}`);
    return `| \`${[...names, ...given].join(' ')}\` | ${command.description()} | ${options.join(', ')} |`;
  });
  const codes = Object.entries(exitCodes).map(([code, meaning]) => `| ${code} | ${meaning} |`);
  return [
    ...['| command | what it does | options |', '|---|---|---|', ...commands, ''],
    ...['| exit code | meaning |', '|---|---|', ...codes],
  ].join('\n');
}

/** The commands that have an action, with their names. */
function leaves(command: Command, names: readonly string[] = []): { names: readonly string[]; command: Command }[] {
  const own = command.commands.flatMap((one) => leaves(one, [...names, one.name()]));
  return own.length > 0 ? own : [{ names, command }];
}
