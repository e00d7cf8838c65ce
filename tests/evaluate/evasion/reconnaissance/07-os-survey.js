const os = require("node:os");
console.log(os.networkInterfaces(), os.userInfo(), os.hostname(), os.release());
