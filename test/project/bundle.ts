import { readFileSync } from 'node:fs';
import * as z from 'zod';

const metafile = z.object({
  inputs: z.record(
    z.string(),
    z.object({ imports: z.array(z.object({ path: z.string(), kind: z.string(), original: z.string().optional() })) }),
  ),
  outputs: z.record(
    z.string(),
    z.object({
      entryPoint: z.string().optional(),
      inputs: z.record(z.string(), z.unknown()),
      imports: z.array(z.object({ path: z.string(), kind: z.string() })),
    }),
  ),
});

/** What esbuild says of the last build: every import that is there at run time, and what ended up in which file. */
export const bundle = metafile.parse(
  JSON.parse(readFileSync('node_modules/.cache/mdi-sensors-mcp/metafile.json', 'utf8')),
);

/** Everything that is loaded with the chunk of this source file, without a further `import()`. */
export function loadedWith(source: string): string[] {
  const [entry] = Object.entries(bundle.outputs).find(([, output]) => output.entryPoint === source) ?? [];
  if (entry === undefined) throw new Error(`${source} is no chunk of its own`);
  const files = new Set([entry]);
  for (const file of files) {
    const imports = bundle.outputs[file]?.imports ?? [];
    for (const { path, kind } of imports) if (kind === 'import-statement' && path in bundle.outputs) files.add(path);
  }
  return [...files].flatMap((file) => Object.keys(bundle.outputs[file]?.inputs ?? {}));
}
