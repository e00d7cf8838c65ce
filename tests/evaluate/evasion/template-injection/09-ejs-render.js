const engine = require("ejs");
const body = process.argv[2];
console.log(engine.render("<%= 7 * 7 %>" + body, {}));
