// Runs a CloudFront function in Node.js. Standard input: {"source", "pairs", "events"}; `pairs` is the content of the
// associated key value store. Standard output: the handler's result for each event.
import { readFileSync } from 'node:fs';

const { source, pairs, events } = JSON.parse(readFileSync(0, 'utf8'));

globalThis.cloudfrontModule = {
  kvs: () => ({
    get: async (key) => {
      if (!Object.hasOwn(pairs, key)) {
        throw new Error(`no such key: ${key}`);
      }
      return pairs[key];
    },
  }),
};

// A module runs in strict mode, as the functions do on CloudFront.
const module = `${source.replace("import cf from 'cloudfront';", 'const cf = globalThis.cloudfrontModule;')}
export { handler };`;
const { handler } = await import(`data:text/javascript;base64,${Buffer.from(module).toString('base64')}`);
const results = [];
for (const event of events) {
  results.push(await handler(event));
}
process.stdout.write(JSON.stringify(results));
