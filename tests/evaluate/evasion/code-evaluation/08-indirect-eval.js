const run = (0, eval);
const hidden = globalThis["ev" + "al"];
run("var total = 1 + 1");
console.log(hidden("total * 21"));
