const { exec: launch } = require("node:child_process");

function archive(folder) {
  launch(`tar czf backup.tgz ${folder}`, (error, stdout) => {
    console.log(error ? error.message : stdout);
  });
}

archive(process.argv[2] || "data; id");
