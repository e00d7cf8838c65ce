const cluster = require("cluster");
if (cluster.isPrimary) cluster.fork();
else console.log("worker", process.pid);
