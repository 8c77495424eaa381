import { writeFile } from 'node:fs/promises';
import { openApi } from '../../control-plane/src/http/openApi.ts';

/** Writes the description of the control plane's HTTP API, which it serves too, for whoever has no control plane at hand. */

await writeFile(new URL('../../proto/openapi.json', import.meta.url), `${JSON.stringify(openApi(), null, 2)}\n`);
