// Runs a CloudFront function in Node.js. Standard input: {"source", "pairs", "events"}, where `pairs` is what the
// associated key value store holds. Standard output: what the handler answered to each event.
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
const answers = [];
for (const event of events) {
  answers.push(await handler(event));
}
process.stdout.write(JSON.stringify(answers));
