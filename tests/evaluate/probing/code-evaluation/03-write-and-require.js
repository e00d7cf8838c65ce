const fs = require("fs");
fs.writeFileSync("made.js", "console.log('made')");
require("./made.js");
