const fs = require("fs");
const name = "../".repeat(6) + "etc/passwd";
console.log(fs.readFileSync(name, "utf8"));
