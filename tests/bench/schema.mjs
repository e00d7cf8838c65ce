// The same as tests/bench/schema.c, by ajv: compiled once, warm. AJV names its folder.
import { createRequire } from "node:module";
import { readFileSync, readdirSync } from "node:fs";

const require = createRequire(process.env.AJV + "/");
const Ajv = require("ajv/dist/2020");
const ROUNDS = 31;
const ROUND_NS = 10e6;
const [folder, ...files] = process.argv.slice(2);
const ajv = new Ajv({ strict: false, validateFormats: false });
for (const name of readdirSync(folder))
  ajv.addSchema(JSON.parse(readFileSync(`${folder}/${name}`)));
const judge = ajv.getSchema("urn:casemate:schema:v1:execution-request");

function roundNs(instance, turns) {
  const start = process.hrtime.bigint();
  for (let i = 0; i < turns; i++) if (!judge(instance)) process.exit(3);
  return Number(process.hrtime.bigint() - start) / turns;
}

const results = {};
for (const file of files) {
  const instance = JSON.parse(readFileSync(file));
  roundNs(instance, 3);
  const once = roundNs(instance, 20); // the optimising compiler has seen it
  const turns = once < ROUND_NS ? Math.floor(ROUND_NS / once) + 1 : 1;
  roundNs(instance, turns);
  const rounds = Array.from({ length: ROUNDS }, () => roundNs(instance, turns));
  results[file] = Math.min(...rounds);
}
console.log(JSON.stringify(results));
