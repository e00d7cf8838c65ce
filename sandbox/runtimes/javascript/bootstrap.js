'use strict';
/*
 * What node does ahead of a job and around it. It is started inside the worker's wall before any
 * job is known, warms what jobs use, says so on descriptor 3 and waits there for the job.
 *
 * Descriptor 3, little-endian: to the launcher 'R'; from it u32 count and that many arguments,
 * each u32 length and bytes; the same for "NAME=value" variables; u32 length and the code; to it
 * u32 length, the report (schema/v1/report.schema.json) and u8 exit status, upon which the launcher
 * does not wait for our end (sandbox/runtimes/launch/ahead.h). Descriptor 0 is a file that holds
 * the job's standard input.
 *
 * After a job has run nothing here may be trusted: it shares the heap. It can only spoil its own
 * report that way. The name below makes node treat our frames as its own.
 */
//# sourceURL=node:casemate

{ // What is declared at the top of a text given to node -e is global.

const fs = require('fs');
const os = require('os');
const Module = require('module');
const path = require('path');
const { EventEmitter } = require('events');
const { pathToFileURL } = require('url');
const { inspect, types } = require('util');
const v8 = require('v8');
const vm = require('vm');

const CHANNEL = 3;
const READY = 'R';
// The wire's ends: schema/limits.h.
const REPORT_BYTES_MAX = 56 * 1024;
const RESULT_CHARS_MAX = 16384;
const MESSAGE_CHARS_MAX = 4096;
const TRACEBACK_CHARS_MAX = 16384;
const NAME_CHARS_MAX = 256;
// A notebook cell is not a megabyte long: above this there is no value for the last expression,
// because a syntax tree costs a hundred times the text.
const TREE_CHARS_MAX = 256 * 1024;
const UNSETTLED_STATUS = 13; // as node's own for a module whose await never ends

// Globals that the text of a job calls once, when there is text of ours in it.
const KEEP = '__casemate_keep';
const BEGIN = '__casemate_begin';
const ASYNC_HEAD = 'return (async () => {';
const ASYNC_TAIL = '\n})()';

// Loading one of these costs a job between a third of a millisecond and three.
const PRELOAD = [
  'assert', 'assert/strict', 'async_hooks', 'buffer', 'child_process', 'crypto', 'events', 'fs',
  'fs/promises', 'module', 'os', 'path', 'perf_hooks', 'process', 'querystring', 'readline',
  'readline/promises', 'stream', 'stream/promises', 'string_decoder', 'timers', 'timers/promises',
  'url', 'util', 'v8', 'vm', 'worker_threads', 'zlib',
];

// Bound early: a job that patches these must not turn its report into something else.
const { stringify } = JSON;
const { readSync, writeSync } = fs;
const emitOfNode = process.emit;
const reallyExit = process.reallyExit.bind(process);

let acorn; // node's own parser, the one of its REPL
let folder = '/';
let source = '';
let mainName = 'main.js';
let shifts = []; // where our text has moved columns: {line, column, by}
let result = null;
let pending = null; // a promise that was the last expression
let failure = null; // the report's error
let isSettled = true; // no top-level await is under way
let isDrained = false;
let isFinished = false;

// --- the channel ------------------------------------------------------------------------------

function readExactly(length) {
  const data = Buffer.allocUnsafe(length);
  for (let at = 0; at < length;) {
    const got = readSync(CHANNEL, data, at, length - at, null);
    // The usual end of a worker that nobody needs.
    if (got === 0) reallyExit(0);
    at += got;
  }
  return data;
}

const readNumber = () => readExactly(4).readUInt32LE(0);
const readText = () => readExactly(readNumber()).toString();

function readTexts() {
  const texts = [];
  for (let count = readNumber(); count > 0; count--) texts.push(readText());
  return texts;
}

function writeAll(fd, data) {
  for (let at = 0; at < data.length;) at += writeSync(fd, data, at, data.length - at);
}

// --- text -------------------------------------------------------------------------------------

// Valid Unicode without NUL, at most `limit` characters.
function clean(text, limit) {
  const whole = String(text).slice(0, limit + 1)
    .replace(/\p{Surrogate}/gu, (half) => `\\u${half.charCodeAt(0).toString(16)}`)
    .replaceAll('\0', '\\x00');
  return whole.length <= limit ? whole : `${whole.slice(0, limit - 1)}\u2026`;
}

function cleanTraceback(text) {
  if (text.length <= TRACEBACK_CHARS_MAX) return clean(text, TRACEBACK_CHARS_MAX);
  const half = TRACEBACK_CHARS_MAX / 2 - 16;
  return clean(`${text.slice(0, half)}\n    [...]\n${text.slice(-half)}`, TRACEBACK_CHARS_MAX);
}

function ownColumn(line, column) {
  for (const shift of shifts)
    if (line === shift.line && column > shift.column) column = Math.max(1, column - shift.by);
  return column;
}

// A file of the caller by the name he gave it, a place in it by his own text.
function ownPlaces(line) {
  const short = line.replaceAll(`${pathToFileURL(folder).href}/`, '').replaceAll(`${folder}/`, '');
  return short.replace(/(^|[\s(])(main\.m?js|main-\d+\.mjs):(\d+)(?::(\d+))?/g,
    (all, before, name, row, column) => (name !== mainName || column === undefined ? all
      : `${before}${name}:${row}:${ownColumn(Number(row), Number(column))}`));
}

// A frame of node, of this file, or of the text that it puts below the job's last line.
function isForeign(line) {
  if (/^\s+at (?:.*\()?(?:async )?node:/.test(line)) return true;
  const row = /^\s+at (?:.*[/(])?main\.js:(\d+):\d+\)?/.exec(line)?.[1];
  return row !== undefined && Number(row) > source.split('\n').length;
}

// A stack of the caller's frames only, as inspect() shows it.
function ownFrames(text) {
  const kept = [];
  for (const line of text.split('\n')) {
    if (/^\s+\.\.\. \d+ lines matching cause stack trace/.test(line)) continue;
    const isFrame = /^\s+at /.test(line);
    if (!isFrame || !isForeign(line))
      kept.push(isFrame || /^(?:file:\/)?\/\S+:\d+$/.test(line) ? ownPlaces(line) : line);
    else if (line.endsWith(' {')) kept.push(`${kept.pop()} {`); // the properties follow
  }
  return kept.join('\n');
}

// The line that failed with a caret below, as node shows it.
function excerpt(row, column) {
  const line = source.split('\n')[row - 1];
  if (line === undefined || line.length > 1000) return `${mainName}:${row}\n\n`;
  const margin = line.slice(0, column - 1).replace(/[^\t]/g, ' ');
  return `${mainName}:${row}\n${line}\n${margin}^\n\n`;
}

function isError(value) {
  return types.isNativeError(value) || value instanceof Error;
}

// V8 does not say where a module's syntax is wrong; the parser does.
function syntaxPlace(error) {
  if (!(error instanceof SyntaxError)) return null;
  try {
    parse(source, mainName.endsWith('.mjs') ? 'module' : 'script');
  } catch (found) {
    if (found.loc) return { row: found.loc.line, column: found.loc.column + 1 };
  }
  return null;
}

function describe(error) {
  if (!isError(error)) return `Uncaught ${inspect(error)}`;
  const text = ownFrames(inspect(error));
  if (/^\S+:\d+\n/.test(text)) return text; // node has put the excerpt there
  const frame = /^ +at (?:.*\()?(?:async )?([^\s()]+):(\d+):(\d+)\)?/m.exec(text);
  if (frame !== null)
    return frame[1] === mainName ? excerpt(Number(frame[2]), Number(frame[3])) + text : text;
  const place = syntaxPlace(error);
  return place === null ? text : excerpt(place.row, place.column) + text;
}

function nameOf(error) {
  const made = error === null || error === undefined ? 'Error' : Object(error).constructor?.name;
  const given = isError(error) && typeof error.name === 'string' ? error.name : '';
  return (given !== '' && given !== 'Error' ? given : made) || 'Error';
}

function messageOf(error) {
  if (isError(error)) return String(error.message);
  return typeof error === 'string' ? error : inspect(error);
}

const guarded = (make, otherwise) => {
  try {
    return make();
  } catch {
    return otherwise;
  }
};

function fail(error) {
  const text = guarded(() => describe(error), 'Error\n');
  const message = guarded(() => messageOf(error), '');
  failure = {
    name: clean(guarded(() => nameOf(error), 'Error'), NAME_CHARS_MAX),
    message: clean(message, MESSAGE_CHARS_MAX),
    traceback: cleanTraceback(text),
  };
  guarded(() => writeAll(2, Buffer.from(`${text}\n`)));
}

// --- the end ----------------------------------------------------------------------------------

function reportBytes() {
  const report = { error: failure, result: failure === null ? result : null };
  for (;;) {
    const data = Buffer.from(stringify(report));
    if (data.length <= REPORT_BYTES_MAX) return data;
    if (report.error === null) {
      report.result = report.result.slice(0, report.result.length / 2);
    } else {
      report.error.message = report.error.message.slice(0, report.error.message.length / 2);
      report.error.traceback = report.error.traceback.slice(report.error.traceback.length / 2);
    }
  }
}

function finish(status) {
  if (isFinished) return;
  isFinished = true;
  guarded(() => {
    const data = reportBytes();
    const message = Buffer.allocUnsafe(4 + data.length + 1);
    message.writeUInt32LE(data.length);
    data.copy(message, 4);
    message[4 + data.length] = status & 0xff;
    writeAll(CHANNEL, message);
  });
  reallyExit(status);
}

function exitStatus(otherwise) {
  const code = Number(process.exitCode ?? otherwise);
  return Number.isInteger(code) ? code : 1;
}

// What node does with an error nobody handles, but for the report. `process._exiting` is how node
// itself knows that it has told the listeners.
function endByError(error, status = 1) {
  fail(error);
  process.exitCode = status;
  if (!process._exiting) {
    process._exiting = true;
    guarded(() => Reflect.apply(emitOfNode, process, ['exit', status]));
  }
  finish(exitStatus(status));
}

function onUncaught(listened, parts) {
  let isHandled = false;
  try {
    isHandled = listened(parts);
  } catch (error) {
    endByError(error, 7); // node's own status for a handler that fails
  }
  if (!isHandled) endByError(parts[0]);
  return true;
}

function warnUnsettled() {
  failure = {
    name: 'UnsettledAwait',
    message: 'A top-level await never ended: nothing was left that could end it.',
    traceback: null,
  };
  guarded(() => writeAll(2, Buffer.from(`Warning: unsettled top-level await in ${mainName}\n`)));
  process.exitCode = UNSETTLED_STATUS;
}

function onExit(listened, parts) {
  if (!process._exiting) return listened(parts); // not node's own
  if (isDrained && !isSettled) warnUnsettled();
  const isHeard = listened(parts);
  finish(exitStatus(parts[0]));
  return isHeard;
}

// Nothing is left to do. A promise stands for what has become of it: one more turn tells.
function onBeforeExit(listened, parts) {
  if (pending !== null) {
    pending.then(show, () => {});
    pending = null;
    setImmediate(() => {});
    return true;
  }
  const isHeard = listened(parts);
  isDrained = true;
  return isHeard;
}

const OVERSEEN = { uncaughtException: onUncaught, exit: onExit, beforeExit: onBeforeExit };

// Listeners would be seen by the job, and called before its own.
function oversee() {
  const emit = function emit(...parts) {
    const listened = (rest) => Reflect.apply(emitOfNode, this, [parts[0], ...rest]);
    const serve = Object.hasOwn(OVERSEEN, parts[0]) && this === process
      ? OVERSEEN[parts[0]] : listened;
    return serve === listened ? listened(parts.slice(1)) : serve(listened, parts.slice(1));
  };
  Object.defineProperty(process, 'emit', { value: emit, writable: true, configurable: true });
}

// --- the result -------------------------------------------------------------------------------

// Timers and emitters stand for something that goes on; what they look like inside is no result.
function isHandle(value) {
  return value instanceof EventEmitter ||
    ['Timeout', 'Immediate'].includes(Object(value).constructor?.name);
}

function show(value) {
  if (value !== undefined && !guarded(() => isHandle(value), false))
    result = clean(inspect(value, { showProxy: true, maxStringLength: RESULT_CHARS_MAX }),
      RESULT_CHARS_MAX);
}

function keep(value) {
  delete globalThis[KEEP];
  if (types.isPromise(value)) pending = value;
  else show(value);
  return value;
}

function hide(name, value) {
  Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
}

// --- what kind of program it is ---------------------------------------------------------------

function parse(code, sourceType) {
  return acorn.parse(code, {
    ecmaVersion: 'latest',
    sourceType,
    allowAwaitOutsideFunction: sourceType !== 'script',
    allowReturnOutsideFunction: sourceType !== 'module',
    allowHashBang: true,
    locations: true,
  });
}

const isModuleStatement = ({ type }) => /^(?:Import|Export).*Declaration$/.test(type);

// Whether some await belongs to no function.
function hasOwnAwait(node) {
  if (node === null || typeof node !== 'object') return false;
  if (Array.isArray(node)) return node.some(hasOwnAwait);
  if (node.type === 'AwaitExpression' || (node.type === 'ForOfStatement' && node.await))
    return true;
  if (/Function/.test(node.type) || node.type === 'StaticBlock') return false;
  return Object.values(node).some(hasOwnAwait);
}

function usesImportMeta(code, tree) {
  if (!/\bimport\s*\.\s*meta\b/.test(code)) return false;
  const look = (node) => node !== null && typeof node === 'object' &&
    (node.type === 'MetaProperty' ? node.meta.name === 'import' : Object.values(node).some(look));
  return look(tree.body);
}

// The last expression's node; functions and empty statements behind it do not count.
function lastExpression(tree) {
  const said = tree.body.filter(({ type }) => type !== 'FunctionDeclaration' &&
    type !== 'EmptyStatement');
  const last = said.at(-1);
  if (last?.type !== 'ExpressionStatement') return null;
  const target = last.expression.type === 'AssignmentExpression' ? last.expression.left : null;
  const owner = target?.type === 'MemberExpression' ? target.object : null;
  // What a module exports is not said to anybody here.
  const isExport = owner?.name === 'exports' ||
    (owner?.name === 'module' && target.property.name === 'exports');
  return isExport ? null : last.expression;
}

function keeping(code, tree) {
  const node = lastExpression(tree);
  if (node === null) return { text: code, shift: null };
  const head = `${KEEP}((`;
  return {
    text: `${code.slice(0, node.start)}${head}${code.slice(node.start, node.end)}))` +
      code.slice(node.end),
    shift: { line: node.loc.start.line, column: node.loc.start.column, by: head.length },
  };
}

function parseLoosely(code) {
  for (const sourceType of ['script', 'module', 'loose']) {
    try {
      return sourceType === 'loose' ? acorn.parse(code, {
        ecmaVersion: 'latest', allowAwaitOutsideFunction: true, allowReturnOutsideFunction: true,
        allowHashBang: true, locations: true,
      }) : parse(code, sourceType);
    } catch {
      continue;
    }
  }
  return null;
}

function isAsyncScript(code) {
  try {
    new vm.Script(`(async () => {${code}\n})`);
    return /\bawait\b/.test(code);
  } catch {
    return false;
  }
}

// By V8's own words, where the parser knows less of the language than V8, or there is no tree.
function kindByCompiler(code) {
  try {
    vm.compileFunction(code, ['exports', 'require', 'module', '__filename', '__dirname'],
      { filename: path.join(folder, 'main.js') });
    return 'plain';
  } catch (error) {
    if (/import statement outside|Unexpected token 'export'|import\.meta/.test(error.message))
      return 'module';
    if (isAsyncScript(code)) return 'async';
    throw error;
  }
}

// -> {kind, text, shift}: as CommonJS, as that with awaits, or as a module.
function plan(code) {
  const tree = code.length <= TREE_CHARS_MAX ? parseLoosely(code) : null;
  if (tree === null) return { kind: kindByCompiler(code), text: code, shift: null };
  let kind = 'plain';
  if (tree.body.some(isModuleStatement) || usesImportMeta(code, tree)) kind = 'module';
  else if (/\bawait\b/.test(code) && hasOwnAwait(tree.body)) kind = 'async';
  return { kind, ...keeping(code, tree) };
}

// --- running it -------------------------------------------------------------------------------

// Thrown where nothing of ours is above it.
const rethrow = (error) => setImmediate(() => {
  isSettled = true;
  throw error;
});

function runScript({ kind, text }) {
  const name = path.join(folder, mainName);
  const main = new Module(name, undefined);
  main.id = '.';
  main.parent = null;
  main.filename = name;
  main.paths = Module._nodeModulePaths(folder);
  process.mainModule = main;
  Module._cache[name] = main;
  if (kind === 'plain') {
    main._compile(text, name);
    main.loaded = true;
    return;
  }
  isSettled = false;
  main._compile(ASYNC_HEAD + text + ASYNC_TAIL, name).then(() => {
    isSettled = true;
    main.loaded = true;
  }, rethrow);
}

function placeModule(text) {
  for (let turn = 1; ; turn++) {
    const name = path.join(folder, mainName);
    try {
      fs.writeFileSync(name, text, { flag: 'wx' });
      return name;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
      mainName = `main-${turn}.mjs`; // the caller has a file of that name
    }
  }
}

// node loads modules from files only, so for as long as that takes there is one. The first module
// that runs is ours and removes it.
function runModule({ text }) {
  const name = placeModule(text);
  const remove = () => guarded(() => fs.unlinkSync(name));
  hide(BEGIN, () => {
    delete globalThis[BEGIN];
    remove();
  });
  const first = `data:text/javascript,${BEGIN}()`;
  const both = `import '${first}'; import ${stringify(pathToFileURL(name).href)};`;
  isSettled = false;
  import(`data:text/javascript,${encodeURIComponent(both)}`).then(() => {
    isSettled = true;
  }, (error) => {
    remove();
    rethrow(error);
  });
}

function run(code) {
  source = code;
  shifts = [];
  const planned = plan(code);
  if (planned.kind === 'module') mainName = 'main.mjs';
  if (planned.kind === 'async') shifts.push({ line: 1, column: 0, by: ASYNC_HEAD.length });
  if (planned.shift !== null) {
    shifts.push(planned.shift);
    hide(KEEP, keep);
  }
  if (planned.kind === 'module') runModule(planned);
  else runScript(planned);
}

// --- what node takes from /proc and /dev, which are not there -----------------------------------

function memoryUsage() {
  const heap = v8.getHeapStatistics();
  return {
    rss: process.resourceUsage().maxRSS * 1024,
    heapTotal: heap.total_heap_size,
    heapUsed: heap.used_heap_size,
    external: heap.external_memory,
    arrayBuffers: 0,
  };
}

function mendMemoryUsage() {
  const ofNode = process.memoryUsage;
  const mended = () => guarded(ofNode, null) ?? memoryUsage();
  mended.rss = () => guarded(ofNode.rss, null) ?? memoryUsage().rss;
  Object.defineProperty(mended, 'name', { value: 'memoryUsage' });
  process.memoryUsage = mended;
}

// Programs divide their work by this number.
function mendCpus() {
  const ofNode = os.cpus;
  os.cpus = function cpus() {
    const seen = guarded(ofNode, []);
    if (seen.length > 0) return seen;
    const times = { user: 0, nice: 0, sys: 0, idle: 0, irq: 0 };
    return Array.from({ length: os.availableParallelism?.() ?? 1 },
      () => ({ model: 'unknown', speed: 0, times: { ...times } }));
  };
}

function mendStandardInput() {
  const names = ['readFileSync', 'readFile', 'openSync', 'createReadStream'];
  for (const name of names) {
    const ofNode = fs[name];
    const mended = function (file, ...rest) {
      if (file !== '/dev/stdin') return Reflect.apply(ofNode, this, [file, ...rest]);
      if (name === 'openSync') return 0;
      if (name !== 'createReadStream') return Reflect.apply(ofNode, this, [0, ...rest]);
      const options = typeof rest[0] === 'string' ? { encoding: rest[0] } : rest[0];
      return ofNode(null, { ...options, fd: 0, autoClose: false });
    };
    Object.defineProperty(mended, 'name', { value: name });
    fs[name] = mended;
  }
}

// --- ahead of the job -------------------------------------------------------------------------

function loadParser() {
  const found = { exports: {} };
  const text = process.binding('natives')['internal/deps/acorn/acorn/dist/acorn'];
  vm.compileFunction(text, ['exports', 'module'], { filename: 'node:casemate/acorn' })(
    found.exports, found);
  acorn = found.exports;
}

// node makes a pipe non-blocking: what is written before an exit would be lost, and the job's
// children would find their output failing.
function openStreams() {
  for (const stream of [process.stdout, process.stderr]) stream._handle?.setBlocking?.(true);
}

const REHEARSAL = `
const fs = require('fs');
class Point { #x = 1; get x() { return this.#x; } static of(...rest) { return new this(...rest); } }
const total = [1, 2, 3].map((n) => n * 2).filter(Boolean).reduce((a, b) => a + b, 0);
function* count(to) { for (let i = 0; i < to; i++) yield i; }
const { a, ...others } = { a: total, b: [...count(3)], c: new Map([['k', { v: 1 }]]) };
async function later() { try { await null; } catch (error) { throw error; } finally { a?.b; } }
switch (a) { case 1: break; default: while (false) { continue; } }
\`\${a} of \${Point.name}\`.replace(/x+/gu, '') ?? others;
`;

function rehearseConsole() {
  const nowhere = new (require('stream').Writable)({ write: (chunk, coding, done) => done() });
  const silent = new (require('console').Console)(nowhere);
  const map = new Map([['a', new Set([1])]]);
  silent.log('%s has %d', 'x', 1, { a: [1, 'two', null, undefined, true], map });
  silent.error(new Error('rehearsal'));
  silent.table([{ a: 1, b: 2 }]);
  inspect([1.5, 'x', Symbol('s'), 1n, () => {}, new Date(0), /x/, new Uint8Array(2)]);
}

// The way of a job, from its text to its report, but for what would be seen.
function rehearseProgram() {
  const { text } = plan(REHEARSAL);
  hide(KEEP, keep);
  const main = new Module('/rehearsal.js', undefined);
  main.paths = Module._nodeModulePaths('/');
  main._compile(text, '/rehearsal.js');
  process.emit('rehearsal', 0);
  process.stdout.write('');
  reportBytes();
  result = null;
}

function rehearseError() {
  source = 'throw 1';
  describe(new Error('rehearsal'));
  kindByCompiler('1');
}

function rehearse() {
  rehearseConsole();
  rehearseProgram();
  rehearseError();
}

async function warm() {
  for (const name of PRELOAD) require(name);
  loadParser();
  openStreams();
  for (let turn = 0; turn < 3; turn++) rehearse();
  await import('data:text/javascript,import "node:fs"');
  // Starts the threads for file operations, so that they are none that a job has started.
  await fs.promises.stat('/');
}

// The garbage of the rehearsal is not collected at the expense of a job.
function collect() {
  v8.setFlagsFromString('--expose-gc');
  vm.runInNewContext('gc')();
  v8.setFlagsFromString('--no-expose-gc');
}

// As in a program that node started: no word of how it came here.
function cover() {
  for (const name of ['require', 'module', 'exports', '__filename', '__dirname',
    ...Module.builtinModules])
    if (Object.getOwnPropertyDescriptor(globalThis, name)?.configurable && name !== 'process' &&
        name !== 'console' && name !== 'crypto')
      delete globalThis[name];
  for (const name of Object.keys(Module._cache)) delete Module._cache[name];
  process.execArgv = [];
}

function serve() {
  writeAll(CHANNEL, Buffer.from(READY));
  const args = readTexts();
  const variables = readTexts();
  const code = readText();
  folder = process.cwd();
  for (const variable of variables) {
    const at = variable.indexOf('=');
    process.env[variable.slice(0, at)] = variable.slice(at + 1);
  }
  process.argv = [process.execPath, path.join(folder, 'main.js'), ...args];
  run(code);
}

warm().then(() => {
  mendMemoryUsage();
  mendCpus();
  mendStandardInput();
  oversee();
  collect();
  // Once more, because a collection moves what it keeps and empties V8's caches.
  rehearse();
  cover();
  // Out of the promise, so that what the job throws is thrown and not rejected.
  setImmediate(serve);
});

}
