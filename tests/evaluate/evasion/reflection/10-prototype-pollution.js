const patch = JSON.parse('{"__proto__": {"isAdmin": true}}');
const target = {};
for (const key of Object.keys(patch)) {
  Object.assign(target[key] ?? {}, patch[key]);
}
({}).__proto__.isAdmin = true;
console.log({}.isAdmin);
