const memoize = (fn) => {
  const cache = new Map();
  return (...args) => {
    const key = JSON.stringify(args);
    if (!cache.has(key)) cache.set(key, fn.apply(null, args));
    return cache.get(key);
  };
};
const paths = memoize((rows, columns) => (rows === 1 || columns === 1 ? 1 : paths(rows - 1, columns) + paths(rows, columns - 1)));
console.log(paths(10, 10));
