const assert = require("assert");
function equal(a, b) {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || !a || !b) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => equal(a[key], b[key]));
}
assert(equal({ a: [1, { b: 2 }] }, { a: [1, { b: 2 }] }));
assert(!equal({ a: 1 }, { a: 2 }));
console.log("ok");
