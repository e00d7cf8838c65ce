function diff(before, after, path = "") {
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  const out = [];
  for (const key of keys) {
    const where = `${path}/${key}`;
    if (typeof before[key] === "object" && typeof after[key] === "object") out.push(...diff(before[key], after[key], where));
    else if (before[key] !== after[key]) out.push([where, before[key], after[key]]);
  }
  return out;
}
console.log(diff({ a: 1, b: { c: 2 } }, { a: 1, b: { c: 3 }, d: 4 }));
