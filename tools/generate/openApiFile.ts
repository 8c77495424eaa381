import { writeFile } from 'node:fs/promises';
import { openApi } from '../../control-plane/src/http/openApi.ts';

/** Writes proto/openapi.json: the OpenAPI document that the control plane also serves. */

await writeFile(new URL('../../proto/openapi.json', import.meta.url), `${JSON.stringify(openApi(), null, 2)}\n`);
