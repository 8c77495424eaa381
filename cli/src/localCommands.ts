import { createLogger } from '@mediasoup-server/server-kit/logger';
import { Option } from 'commander';
import { type AccessTokenRequest, grants, signAccessToken } from './accessToken.ts';
import type { CommandContext, CommonOptions } from './CommandContext.ts';
import { checkControlPlaneFiles, checkMediaDaemonFiles } from './checkFiles.ts';
import { checkHealth } from './health.ts';
import { generateAssignmentKey, randomSecret } from './keys.ts';
import { id, tokenRoom, wholeNumber } from './optionValue.ts';
import { effectiveSettings, readControlPlane, readMediaDaemon, type ServerName } from './serverSettings.ts';

/** The commands that need no running server, and `health`: settings, keys, tables, tokens. */
export function addLocalCommands({ command, server, envFile, settings, output }: CommandContext): void {
  command('config check', 'Checks the settings, and the keys and certificates that they name, as the start does.')
    .addArgument(server())
    .addOption(envFile())
    .action(async (server: ServerName, options: CommonOptions) => {
      const environment = await settings(options);
      if (server === 'control-plane') await checkControlPlaneFiles(await readControlPlane(environment));
      else await checkMediaDaemonFiles(readMediaDaemon(environment));
      output(options).answer({ server, ok: true }, `the settings of the ${server} are valid`);
    });

  command('config show', 'Prints the value of every setting; secrets are hidden.')
    .addArgument(server())
    .addOption(envFile())
    .action(async (server: ServerName, options: CommonOptions) => {
      output(options).page(await effectiveSettings(server, await settings(options)), {
        variable: ({ variable }) => variable,
        from: ({ from }) => from,
        value: ({ value = '' }) => value,
      });
    });

  command('health', 'Asks a server on this machine whether it is alive, at the address of its settings.')
    .addArgument(server())
    .option('--ready', 'ask whether it is ready to take peers')
    .addOption(envFile())
    .action(async (server: ServerName, options: CommonOptions & { ready?: true }) => {
      await checkHealth(server, options.ready ? '/ready' : '/health', await settings(options));
      output(options).answer({ server, ok: true }, `the ${server} ${options.ready ? 'is ready' : 'is alive'}`);
    });

  command('tables create', "Creates the control plane's tables that do not exist yet.")
    .addOption(envFile())
    .action(async (options: CommonOptions) => {
      // Loaded only here, because it is most of the control plane.
      const { makeTables } = await import('@mediasoup-server/control-plane/app');
      const config = await readControlPlane(await settings(options));
      const { tablePrefix } = config.store;
      await makeTables(config, { logger: createLogger('mediasoup-server', 'silent') });
      output(options).answer({ prefix: tablePrefix, ok: true }, `the tables ${tablePrefix}* exist`);
    });

  command('keys assignment', 'Creates a key that signs assignment tokens, in a file that only its owner can read.')
    .argument('<file>', 'the new file; an existing file is not overwritten')
    .action(async (file: string, options: CommonOptions) => {
      const kid = await generateAssignmentKey(file);
      output(options).answer({ file, kid }, `${file}: a new Ed25519 key, published as ${kid}`);
    });

  command('keys secret', 'Prints a random secret: for the daemon key, TURN, or access tokens.').action(
    (options: CommonOptions) => {
      const secret = randomSecret();
      output(options).answer({ secret }, secret);
    },
  );

  command('token', "Signs an access token as an application does, with the settings' secret or a private key.")
    .requiredOption('--room <roomId>', 'the room; "*" is all rooms and needs the grant admin', tokenRoom)
    .requiredOption('--peer <peerId>', 'the peer', id)
    .addOption(
      new Option('--grant <grant...>', 'what the token allows')
        .choices(grants)
        .default(['publish', 'subscribe', 'data']),
    )
    .option('--expires-in <seconds>', 'the lifetime of the token', wholeNumber(1), 3600)
    .option('--key <file>', "PEM file with the application's private key")
    .addOption(envFile())
    .action(async (options: CommonOptions & AccessTokenRequest & { key?: string }) => {
      const secret = (await settings(options)).CONTROL_PLANE_ACCESS_TOKEN_SECRET;
      const token = await signAccessToken(options, { secret, keyFile: options.key });
      output(options).answer({ token }, token);
    });
}
