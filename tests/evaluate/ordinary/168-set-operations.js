const a = new Set([1, 2, 3]);
const b = new Set([2, 3, 4]);
console.log([...a].filter((x) => b.has(x)), [...new Set([...a, ...b])]);
const weak = new WeakMap();
const key = {};
weak.set(key, "v");
console.log(weak.get(key), structuredClone({ d: new Date(0) }).d.getTime());
