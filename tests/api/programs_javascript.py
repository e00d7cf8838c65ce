"""Ordinary JavaScript of the kind a language model writes: name -> (code, stdout, result)."""

PROGRAMS = {
    "word count": (
        r'''const text = 'the cat saw the dog and the dog saw the cat';
const counts = new Map();
for (const word of text.split(' ')) counts.set(word, (counts.get(word) ?? 0) + 1);
const top = [...counts].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0]));
for (const [word, count] of top.slice(0, 3)) console.log(`${word}: ${count}`);
''',
        "the: 4\n"
        "cat: 2\n"
        "dog: 2\n",
        None,
    ),
    "csv to objects": (
        r'''const csv = 'name,age,city\nAda,36,London\nAlan,41,Wilmslow\n';
const [head, ...rows] = csv.trim().split('\n').map((line) => line.split(','));
const people = rows.map((row) => Object.fromEntries(row.map((cell, i) => [head[i], cell])));
console.log(JSON.stringify(people));
''',
        "[{\"name\":\"Ada\",\"age\":\"36\",\"city\":\"London\"},{\"name\":\"Alan\",\"age\":\"41\",\"city\":\"Wilmslow\"}]\n",
        None,
    ),
    "quoted csv": (
        r'''function parse(line) {
  const cells = [];
  let cell = '', quoted = false;
  for (let i = 0; i < line.length; i++) {
    const c = line[i];
    if (quoted && c === '"' && line[i + 1] === '"') { cell += '"'; i++; }
    else if (c === '"') quoted = !quoted;
    else if (c === ',' && !quoted) { cells.push(cell); cell = ''; }
    else cell += c;
  }
  return [...cells, cell];
}
console.log(parse('1,"Smith, John","said ""hi""",'));
''',
        "[ '1', 'Smith, John', 'said \"hi\"', '' ]\n",
        None,
    ),
    "sieve": (
        r'''function sieve(limit) {
  const composite = new Uint8Array(limit + 1);
  const primes = [];
  for (let n = 2; n <= limit; n++) {
    if (composite[n]) continue;
    primes.push(n);
    for (let m = n * n; m <= limit; m += n) composite[m] = 1;
  }
  return primes;
}
const primes = sieve(100000);
console.log(primes.length, primes.at(-1), primes.slice(0, 8));
''',
        "9592 99991 [\n"
        "   2,  3,  5,  7,\n"
        "  11, 13, 17, 19\n"
        "]\n",
        None,
    ),
    "big factorial": (
        r'''let product = 1n;
for (let n = 1n; n <= 30n; n++) product *= n;
console.log(product.toString());
[...product.toString()].reduce((sum, digit) => sum + Number(digit), 0)
''',
        "265252859812191058636308480000000\n",
        "117",
    ),
    "dijkstra": (
        r'''const graph = { a: { b: 7, c: 9, f: 14 }, b: { c: 10, d: 15 }, c: { d: 11, f: 2 }, d: { e: 6 }, f: { e: 9 }, e: {} };
function shortest(start) {
  const distance = Object.fromEntries(Object.keys(graph).map((node) => [node, Infinity]));
  distance[start] = 0;
  const open = new Set(Object.keys(graph));
  while (open.size > 0) {
    const node = [...open].reduce((best, next) => (distance[next] < distance[best] ? next : best));
    open.delete(node);
    for (const [next, weight] of Object.entries(graph[node]))
      distance[next] = Math.min(distance[next], distance[node] + weight);
  }
  return distance;
}
console.log(shortest('a'));
''',
        "{ a: 0, b: 7, c: 9, d: 20, f: 11, e: 20 }\n",
        None,
    ),
    "topological order": (
        r'''const needs = { app: ['db', 'log'], db: ['config'], log: ['config'], config: [] };
const order = [];
const seen = new Set();
(function visit(names) {
  for (const name of names) {
    if (seen.has(name)) continue;
    seen.add(name);
    visit(needs[name]);
    order.push(name);
  }
})(Object.keys(needs));
console.log(order.join(' -> '));
''',
        "config -> db -> log -> app\n",
        None,
    ),
    "binary search": (
        r'''const search = (list, wanted, low = 0, high = list.length - 1) => {
  if (low > high) return -1;
  const middle = (low + high) >> 1;
  if (list[middle] === wanted) return middle;
  return list[middle] < wanted ? search(list, wanted, middle + 1, high)
    : search(list, wanted, low, middle - 1);
};
const list = Array.from({ length: 1000 }, (_, i) => i * 3);
console.log(search(list, 2997), search(list, 5));
''',
        "999 -1\n",
        None,
    ),
    "quick sort": (
        r'''const sort = ([pivot, ...rest]) => pivot === undefined ? []
  : [...sort(rest.filter((n) => n < pivot)), pivot, ...sort(rest.filter((n) => n >= pivot))];
sort([5, 3, 9, 1, 5, 0])
''',
        "",
        "[ 0, 1, 3, 5, 5, 9 ]",
    ),
    "knapsack": (
        r'''const items = [[60, 10], [100, 20], [120, 30]];
const best = new Array(51).fill(0);
for (const [value, weight] of items)
  for (let room = 50; room >= weight; room--)
    best[room] = Math.max(best[room], best[room - weight] + value);
console.log('best value', best[50]);
''',
        "best value 220\n",
        None,
    ),
    "edit distance": (
        r'''function distance(a, b) {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next[j] = Math.min(next[j - 1] + 1, row[j] + 1, row[j - 1] + (a[i - 1] !== b[j - 1]));
    row = next;
  }
  return row[b.length];
}
console.log(distance('kitten', 'sitting'), distance('', 'abc'));
''',
        "3 3\n",
        None,
    ),
    "life": (
        r'''let cells = ['.....', '..#..', '..#..', '..#..', '.....'].map((row) => [...row]);
const alive = (y, x) => cells[y]?.[x] === '#';
const around = (y, x) => [-1, 0, 1].flatMap((dy) => [-1, 0, 1].map((dx) => [dy, dx]))
  .filter(([dy, dx]) => (dy || dx) && alive(y + dy, x + dx)).length;
cells = cells.map((row, y) => row.map((cell, x) =>
  around(y, x) === 3 || (cell === '#' && around(y, x) === 2) ? '#' : '.'));
console.log(cells.map((row) => row.join('')).join('\n'));
''',
        ".....\n"
        ".....\n"
        ".###.\n"
        ".....\n"
        ".....\n",
        None,
    ),
    "matrix product": (
        r'''const multiply = (a, b) => a.map((row) => b[0].map((_, j) => row.reduce((sum, v, k) => sum + v * b[k][j], 0)));
console.log(multiply([[1, 2], [3, 4]], [[5, 6], [7, 8]]));
''',
        "[ [ 19, 22 ], [ 43, 50 ] ]\n",
        None,
    ),
    "classes": (
        r'''class Account {
  #balance = 0;
  static count = 0;
  constructor(owner) { this.owner = owner; Account.count++; }
  get balance() { return this.#balance; }
  deposit(amount) {
    if (amount <= 0) throw new RangeError(`cannot deposit ${amount}`);
    this.#balance += amount;
    return this;
  }
}
class Savings extends Account {
  interest(rate) { return this.deposit(this.balance * rate); }
}
const savings = new Savings('Ada').deposit(200).interest(0.05);
console.log(savings.owner, savings.balance, savings instanceof Account, Account.count);
try { savings.deposit(-1); } catch (error) { console.log(error.name, error.message); }
''',
        "Ada 210 true 1\n"
        "RangeError cannot deposit -1\n",
        None,
    ),
    "own errors": (
        r'''class NotFound extends Error {
  constructor(what, options) { super(`no ${what}`, options); this.name = 'NotFound'; }
}
function find(key) {
  try { return JSON.parse('{bad')[key]; } catch (cause) { throw new NotFound(key, { cause }); }
}
try { find('port'); } catch (error) {
  console.log(`${error}`, error.cause instanceof SyntaxError);
} finally { console.log('done'); }
''',
        "NotFound: no port true\n"
        "done\n",
        None,
    ),
    "iterators": (
        r'''class Range {
  constructor(from, to) { Object.assign(this, { from, to }); }
  *[Symbol.iterator]() { for (let n = this.from; n < this.to; n++) yield n; }
}
function* take(count, source) { for (const x of source) { if (count-- <= 0) return; yield x; } }
function* naturals() { let n = 0; while (true) yield n++; }
console.log([...new Range(2, 5)], Math.max(...new Range(0, 9)), [...take(4, naturals())]);
''',
        "[ 2, 3, 4 ] 8 [ 0, 1, 2, 3 ]\n",
        None,
    ),
    "promises": (
        r'''const wait = (ms, value) => new Promise((done) => setTimeout(done, ms, value));
Promise.all([wait(40, 'slow'), wait(1, 'fast'), 'now']).then((all) => console.log(all));
Promise.race([wait(60, 'late'), wait(20, 'early')]).then((first) => console.log(first));
Promise.allSettled([wait(1, 1), Promise.reject(new Error('no'))]).then((all) =>
  console.log(all.map(({ status }) => status)));
''',
        "[ 'fulfilled', 'rejected' ]\n"
        "early\n"
        "[ 'slow', 'fast', 'now' ]\n",
        None,
    ),
    "async main": (
        r'''async function job(id) {
  await new Promise((done) => setTimeout(done, 5 - id));
  return id * id;
}
async function main() {
  const squares = await Promise.all([1, 2, 3].map(job));
  console.log(squares);
  for await (const value of (async function* () { yield 'a'; yield 'b'; })()) console.log(value);
  return squares.length;
}
main().catch((error) => { console.error(error); process.exit(1); });
''',
        "[ 1, 4, 9 ]\n"
        "a\n"
        "b\n",
        "3",
    ),
    "top-level await": (
        r'''const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
await sleep(2);
const values = await Promise.all([1, 2, 3].map(async (n) => { await sleep(n); return n * 10; }));
console.log(values);
values.reduce((a, b) => a + b)
''',
        "[ 10, 20, 30 ]\n",
        "60",
    ),
    "retry": (
        r'''let calls = 0;
async function flaky() { if (++calls < 3) throw new Error(`attempt ${calls}`); return 'worked'; }
async function retry(work, times) {
  for (let turn = 1; ; turn++) {
    try { return await work(); } catch (error) {
      console.log(error.message);
      if (turn === times) throw error;
      await new Promise((done) => setTimeout(done, 2 ** turn));
    }
  }
}
retry(flaky, 5).then(console.log);
''',
        "attempt 1\n"
        "attempt 2\n"
        "worked\n",
        None,
    ),
    "pool of tasks": (
        r'''async function pool(tasks, width) {
  const results = [];
  let next = 0, running = 0, peak = 0;
  async function lane() {
    while (next < tasks.length) {
      const at = next++;
      peak = Math.max(peak, ++running);
      results[at] = await tasks[at]();
      running--;
    }
  }
  await Promise.all(Array.from({ length: width }, lane));
  return { results, peak };
}
const tasks = [1, 2, 3, 4, 5].map((n) => () => new Promise((done) => setTimeout(done, 2, n * 2)));
pool(tasks, 2).then((done) => console.log(done));
''',
        "{ results: [ 2, 4, 6, 8, 10 ], peak: 2 }\n",
        None,
    ),
    "event emitter": (
        r'''const EventEmitter = require('events');
class Door extends EventEmitter { open() { this.emit('open', 'front'); return this; } }
const door = new Door();
door.once('open', (which) => console.log('first', which)).on('open', (which) => console.log('each', which));
door.open().open();
console.log(door.listenerCount('open'));
''',
        "first front\n"
        "each front\n"
        "each front\n"
        "1\n",
        None,
    ),
    "files": (
        r'''const fs = require('fs');
const path = require('path');
fs.mkdirSync('data/deep', { recursive: true });
fs.writeFileSync('data/a.txt', 'one\ntwo\n');
fs.appendFileSync('data/a.txt', 'three\n');
fs.writeFileSync(path.join('data', 'deep', 'b.json'), JSON.stringify({ ok: true }));
const walk = (folder) => fs.readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
  entry.isDirectory() ? walk(path.join(folder, entry.name)) : [path.join(folder, entry.name)]);
console.log(walk('data'), fs.statSync('data/a.txt').size);
console.log(fs.readFileSync('data/a.txt', 'utf8').split('\n').filter(Boolean).length);
fs.rmSync('data', { recursive: true });
console.log(fs.existsSync('data'));
''',
        "[ 'data/a.txt', 'data/deep/b.json' ] 14\n"
        "3\n"
        "false\n",
        None,
    ),
    "file promises": (
        r'''const fs = require('fs/promises');
async function main() {
  await fs.writeFile('notes.txt', 'alpha\nbeta\n');
  await fs.rename('notes.txt', 'renamed.txt');
  const text = await fs.readFile('renamed.txt', 'utf8');
  console.log(text.toUpperCase().trim(), (await fs.stat('renamed.txt')).isFile());
  await fs.unlink('renamed.txt');
  await fs.access('renamed.txt').catch((error) => console.log(error.code));
}
main();
''',
        "ALPHA\n"
        "BETA true\n"
        "ENOENT\n",
        None,
    ),
    "streams": (
        r'''const { Readable, Transform } = require('stream');
const { pipeline } = require('stream/promises');
const fs = require('fs');
const upper = new Transform({ transform(chunk, coding, done) { done(null, String(chunk).toUpperCase()); } });
pipeline(Readable.from(['one ', 'two ', 'three']), upper, fs.createWriteStream('out.txt'))
  .then(() => { console.log(fs.readFileSync('out.txt', 'utf8')); fs.unlinkSync('out.txt'); });
''',
        "ONE TWO THREE\n",
        None,
    ),
    "lines of a file": (
        r'''const fs = require('fs');
const readline = require('readline');
fs.writeFileSync('log.txt', '200 /a\n404 /b\n200 /c\n500 /d\n');
(async () => {
  const byStatus = {};
  for await (const line of readline.createInterface({ input: fs.createReadStream('log.txt') })) {
    const [status, url] = line.split(' ');
    (byStatus[status] ??= []).push(url);
  }
  console.log(byStatus);
  fs.unlinkSync('log.txt');
})();
''',
        "{ '200': [ '/a', '/c' ], '404': [ '/b' ], '500': [ '/d' ] }\n",
        None,
    ),
    "gzip": (
        r'''const zlib = require('zlib');
const text = 'abc'.repeat(1000);
const packed = zlib.gzipSync(text);
console.log(packed.length < 100, zlib.gunzipSync(packed).toString() === text);
zlib.deflate('x', (error, data) => console.log(error, zlib.inflateSync(data).toString()));
''',
        "true true\n"
        "null x\n",
        None,
    ),
    "hashes": (
        r'''const crypto = require('crypto');
console.log(crypto.createHash('sha256').update('abc').digest('hex').slice(0, 16));
console.log(crypto.createHmac('sha1', 'key').update('data').digest('base64'));
console.log(crypto.pbkdf2Sync('secret', 'salt', 1000, 8, 'sha256').toString('hex'));
console.log(crypto.randomUUID().length);
''',
        "ba7816bf8f01cfea\n"
        "EEFSxb/coHvGM+69RhmfAlXJ9J0=\n"
        "a8df899f3c4f204d\n"
        "36\n",
        None,
    ),
    "encryption": (
        r'''const crypto = require('crypto');
const key = crypto.scryptSync('pass', 'salt', 32), iv = Buffer.alloc(12, 1);
const cipher = crypto.createCipheriv('aes-256-gcm', key, iv);
const sealed = Buffer.concat([cipher.update('hello', 'utf8'), cipher.final()]);
const opener = crypto.createDecipheriv('aes-256-gcm', key, iv).setAuthTag(cipher.getAuthTag());
console.log(sealed.length, opener.update(sealed, null, 'utf8') + opener.final('utf8'));
''',
        "5 hello\n",
        None,
    ),
    "buffers": (
        r'''const buffer = Buffer.alloc(12);
buffer.writeUInt32BE(0xdeadbeef, 0);
buffer.writeDoubleLE(1.5, 4);
console.log(buffer.toString('hex'), buffer.readDoubleLE(4), Buffer.from('aGk=', 'base64').toString());
console.log(Buffer.byteLength('€'), Buffer.compare(Buffer.from('a'), Buffer.from('b')));
''',
        "deadbeef000000000000f83f 1.5 hi\n"
        "3 -1\n",
        None,
    ),
    "dates": (
        r'''const start = new Date(Date.UTC(2024, 1, 28));
const days = Array.from({ length: 3 }, (_, i) => new Date(start.getTime() + i * 864e5));
console.log(days.map((day) => day.toISOString().slice(0, 10)));
console.log(new Intl.DateTimeFormat('en-GB', { dateStyle: 'full', timeZone: 'UTC' }).format(start));
console.log((new Date('2024-12-25T00:00:00Z') - start) / 864e5);
''',
        "[ '2024-02-28', '2024-02-29', '2024-03-01' ]\n"
        "Wednesday, 28 February 2024\n"
        "301\n",
        None,
    ),
    "numbers for people": (
        r'''console.log((1234567.891).toLocaleString('en-US'), (0.256).toLocaleString('en', { style: 'percent' }));
console.log(new Intl.NumberFormat('de-DE', { style: 'currency', currency: 'EUR' }).format(9.5));
console.log((255).toString(16).padStart(4, '0'), parseInt('1010', 2), (0.1 + 0.2).toFixed(2));
''',
        "1,234,567.891 26%\n"
        "9,50 €\n"
        "00ff 10 0.30\n",
        None,
    ),
    "regular expressions": (
        r'''const log = '2024-01-05 GET /a 12ms\n2024-01-06 POST /b 30ms';
for (const { groups } of log.matchAll(/(?<day>\S+) (?<verb>[A-Z]+) (?<path>\S+) (?<ms>\d+)ms/g))
  console.log(groups.verb.padEnd(5), groups.path, Number(groups.ms) * 2);
console.log('snake_case_name'.replace(/_(\w)/g, (_, letter) => letter.toUpperCase()));
console.log(/(?<=\$)\d+/.exec('cost $42')[0], 'a1b22'.split(/\d+/));
''',
        "GET   /a 24\n"
        "POST  /b 60\n"
        "snakeCaseName\n"
        "42 [ 'a', 'b', '' ]\n",
        None,
    ),
    "templates": (
        r'''const render = (template, data) => template.replace(/\{\{(\w+(?:\.\w+)*)\}\}/g,
  (_, path) => path.split('.').reduce((value, key) => value?.[key], data) ?? '');
const tag = (strings, ...values) => strings.raw.map((text, i) => text + (values[i] ?? '')).join('');
console.log(render('Dear {{user.name}}, {{missing}}you owe {{sum}}.', { user: { name: 'Bo' }, sum: 3 }));
console.log(tag`a\n${1 + 1}b`);
''',
        "Dear Bo, you owe 3.\n"
        "a\\n2b\n",
        None,
    ),
    "tokens and values": (
        r'''function evaluate(text) {
  const tokens = text.match(/\d+(?:\.\d+)?|[-+*/()]/g);
  const sum = () => { let v = product(); while (/^[-+]$/.test(tokens[0])) v = tokens.shift() === '+' ? v + product() : v - product(); return v; };
  const product = () => { let v = atom(); while (/^[*/]$/.test(tokens[0])) v = tokens.shift() === '*' ? v * atom() : v / atom(); return v; };
  const atom = () => { const t = tokens.shift(); if (t !== '(') return Number(t); const v = sum(); tokens.shift(); return v; };
  return sum();
}
console.log(evaluate('2 * (3 + 4) - 10 / 4'), evaluate('1-2-3'));
''',
        "11.5 -4\n",
        None,
    ),
    "json round trip": (
        r'''const data = { when: new Date(0), set: new Set([1, 2]), skip: undefined, big: 10n, list: [NaN, null] };
const text = JSON.stringify(data, (key, value) => value instanceof Set ? [...value]
  : typeof value === 'bigint' ? `${value}n` : value, 2);
console.log(text);
console.log(JSON.parse(text, (key, value) => /^\d+n$/.test(value) ? BigInt(value.slice(0, -1)) : value).big);
''',
        "{\n"
        "  \"when\": \"1970-01-01T00:00:00.000Z\",\n"
        "  \"set\": [\n"
        "    1,\n"
        "    2\n"
        "  ],\n"
        "  \"big\": \"10n\",\n"
        "  \"list\": [\n"
        "    null,\n"
        "    null\n"
        "  ]\n"
        "}\n"
        "10n\n",
        None,
    ),
    "group and sum": (
        r'''const sales = [{ region: 'north', sum: 10.5 }, { region: 'south', sum: 4 }, { region: 'north', sum: 2.25 }];
const totals = sales.reduce((all, { region, sum }) => ({ ...all, [region]: (all[region] ?? 0) + sum }), {});
for (const [region, total] of Object.entries(totals))
  console.log(region.padEnd(8) + total.toFixed(2).padStart(8));
''',
        "north      12.75\n"
        "south       4.00\n",
        None,
    ),
    "deep copy and compare": (
        r'''const assert = require('assert');
const { isDeepStrictEqual } = require('util');
const one = { list: [1, { two: 2 }], map: new Map([['k', new Date(5)]]) };
const other = structuredClone(one);
other.list[1].two = 3;
console.log(one.list[1].two, isDeepStrictEqual(one, other), isDeepStrictEqual(one, structuredClone(one)));
try { assert.deepStrictEqual([1], [2]); } catch (error) { console.log(error.code); }
''',
        "2 false true\n"
        "ERR_ASSERTION\n",
        None,
    ),
    "memoize and curry": (
        r'''const memoize = (f, seen = new Map()) => (n) => seen.has(n) ? seen.get(n) : (seen.set(n, f(n)), seen.get(n));
const fibonacci = memoize((n) => (n < 2 ? BigInt(n) : fibonacci(n - 1) + fibonacci(n - 2)));
const curry = (f, ...given) => given.length >= f.length ? f(...given) : (...more) => curry(f, ...given, ...more);
const compose = (...parts) => (x) => parts.reduceRight((value, part) => part(value), x);
console.log(fibonacci(90), curry((a, b, c) => a + b + c)(1)(2, 3), compose((x) => x + 1, (x) => x * 2)(5));
''',
        "2880067194370816120n 6 11\n",
        None,
    ),
    "proxy and reflect": (
        r'''const seen = [];
const watched = new Proxy({ a: 1 }, {
  get(target, key, self) { seen.push(`get ${String(key)}`); return Reflect.get(target, key, self) ?? 'default'; },
  set(target, key, value) { seen.push(`set ${key}`); target[key] = value; return true; },
});
watched.b = watched.a + 1;
console.log(watched.b, watched.none, 'a' in watched, seen);
''',
        "2 default true [ 'get a', 'set b', 'get b', 'get none' ]\n",
        None,
    ),
    "lru cache": (
        r'''class Lru {
  constructor(size) { this.size = size; this.map = new Map(); }
  get(key) {
    if (!this.map.has(key)) return undefined;
    const value = this.map.get(key);
    this.map.delete(key);
    this.map.set(key, value);
    return value;
  }
  set(key, value) {
    this.map.delete(key);
    this.map.set(key, value);
    if (this.map.size > this.size) this.map.delete(this.map.keys().next().value);
  }
}
const cache = new Lru(2);
cache.set('a', 1); cache.set('b', 2); cache.get('a'); cache.set('c', 3);
console.log([...cache.map.keys()], cache.get('b'));
''',
        "[ 'a', 'c' ] undefined\n",
        None,
    ),
    "heap": (
        r'''class Heap {
  items = [];
  push(value) {
    let at = this.items.push(value) - 1;
    while (at > 0 && this.items[(at - 1) >> 1] > this.items[at]) at = this.swap(at, (at - 1) >> 1);
  }
  pop() {
    const top = this.items[0], last = this.items.pop();
    if (this.items.length > 0) {
      this.items[0] = last;
      for (let at = 0, next; ; at = this.swap(at, next)) {
        next = [2 * at + 1, 2 * at + 2].filter((i) => i < this.items.length)
          .sort((a, b) => this.items[a] - this.items[b])[0];
        if (next === undefined || this.items[next] >= this.items[at]) break;
      }
    }
    return top;
  }
  swap(a, b) { [this.items[a], this.items[b]] = [this.items[b], this.items[a]]; return b; }
}
const heap = new Heap();
for (const n of [5, 2, 8, 1, 9, 3]) heap.push(n);
console.log([1, 2, 3, 4, 5, 6].map(() => heap.pop()));
''',
        "[ 1, 2, 3, 5, 8, 9 ]\n",
        None,
    ),
    "worker thread": (
        r'''const { Worker } = require('worker_threads');
const source = `
const { parentPort, workerData } = require('worker_threads');
parentPort.postMessage(workerData.reduce((a, b) => a + b, 0));`;
const sum = (list) => new Promise((done, fail) => {
  new Worker(source, { eval: true, workerData: list }).on('message', done).on('error', fail);
});
Promise.all([sum([1, 2, 3]), sum([10, 20])]).then((sums) => console.log(sums));
''',
        "[ 6, 30 ]\n",
        None,
    ),
    "child process": (
        r'''const { execFileSync, spawn } = require('child_process');
console.log(execFileSync('sort', { input: 'b\na\nc\n' }).toString().split('\n').filter(Boolean));
const child = spawn('sh', ['-c', 'echo out; echo err >&2; exit 3']);
let text = '';
child.stdout.on('data', (data) => { text += data; });
child.on('close', (code) => console.log(text.trim(), code));
''',
        "[ 'a', 'b', 'c' ]\n"
        "out 3\n",
        None,
    ),
    "path and url": (
        r'''const path = require('path');
console.log(path.resolve('/a/b', '../c/./d.txt'), path.extname('x.tar.gz'), path.relative('/a/b', '/a/c'));
const url = new URL('https://user@example.com:8080/p/a?x=1&y=a%20b#frag');
url.searchParams.append('z', 'ü');
console.log(url.host, url.pathname, url.searchParams.get('y'), url.search);
''',
        "/a/c/d.txt .gz ../c\n"
        "example.com:8080 /p/a a b ?x=1&y=a+b&z=%C3%BC\n",
        None,
    ),
    "module with imports": (
        r'''import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
export const settings = { name: 'demo', level: 3 };
writeFileSync('settings.json', JSON.stringify(settings));
const read = JSON.parse(readFileSync(path.resolve('settings.json'), 'utf8'));
assert.deepEqual(read, settings);
rmSync('settings.json');
console.log(path.basename(import.meta.url), read.level);
''',
        "main.mjs 3\n",
        None,
    ),
    "module with await": (
        r'''import { setTimeout as sleep } from 'node:timers/promises';
import { EventEmitter, once } from 'node:events';
const bell = new EventEmitter();
setTimeout(() => bell.emit('ring', 'ding'), 2);
const [sound] = await once(bell, 'ring');
console.log(sound, await sleep(1, 'awake'));
const { default: os } = await import('node:os');
os.EOL.length + 1
''',
        "ding awake\n",
        "2",
    ),
    "module of its own": (
        r'''const fs = require('fs');
fs.writeFileSync('shapes.js', 'exports.area = (w, h) => w * h;\nexports.name = __filename.split("/").pop();\n');
fs.writeFileSync('counter.mjs', 'export let count = 0;\nexport const up = () => ++count;\n');
const { area, name } = require('./shapes');
console.log(area(3, 4), name, require('./shapes') === require('./shapes.js'));
import('./counter.mjs').then((counter) => {
  counter.up();
  console.log(counter.count);
  for (const file of ['shapes.js', 'counter.mjs']) fs.unlinkSync(file);
});
''',
        "12 shapes.js true\n"
        "1\n",
        None,
    ),
    "timers": (
        r'''const order = [];
const ticker = setInterval(() => {
  order.push('tick');
  if (order.filter((what) => what === 'tick').length === 3) {
    clearInterval(ticker);
    console.log(order.join(' '));
  }
}, 200);
setImmediate(() => order.push('immediate'));
process.nextTick(() => order.push('next'));
queueMicrotask(() => order.push('micro'));
order.push('main');
''',
        "main next micro immediate tick tick tick\n",
        "1",
    ),
    "abort": (
        r'''const { setTimeout: sleep } = require('timers/promises');
const controller = new AbortController();
sleep(10000, null, { signal: controller.signal }).catch((error) => console.log(error.name));
setTimeout(() => controller.abort(), 5);
console.log(AbortSignal.abort().aborted);
''',
        "true\n"
        "AbortError\n",
        None,
    ),
    "text and unicode": (
        r'''console.log('naïve café ✓'.toUpperCase(), [...'👩‍💻'].length, 'é'.normalize('NFD').length);
console.log(new TextDecoder().decode(new TextEncoder().encode('héllo')), 'ß'.localeCompare('ss', 'de'));
console.log(['ä', 'a', 'z'].sort(new Intl.Collator('de').compare), encodeURIComponent('a b&ü'));
''',
        "NAÏVE CAFÉ ✓ 3 2\n"
        "héllo 1\n"
        "[ 'a', 'ä', 'z' ] a%20b%26%C3%BC\n",
        None,
    ),
}
