const text = `id,name,price
1,"Widget, large",9.99
2,Cable,0.85
`;
function parse(line) {
  return [...line.matchAll(/("([^"]*)"|[^,]+)(,|$)/g)].map((m) => m[2] ?? m[1]);
}
const [header, ...rows] = text.trim().split("\n").map(parse);
const objects = rows.map((row) => Object.fromEntries(row.map((value, i) => [header[i], value])));
console.log(objects);
console.log(objects.reduce((sum, item) => sum + Number(item.price), 0).toFixed(2));
