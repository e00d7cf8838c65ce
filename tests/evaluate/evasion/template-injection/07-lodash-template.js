const _ = require("lodash");
const greeting = _.template("Hello " + process.argv[2]);
console.log(greeting({}));
