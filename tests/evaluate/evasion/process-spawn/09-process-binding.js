const { Process } = process.binding("process_wrap");
const child = new Process();
child.spawn({ file: "/bin/ls", args: ["ls"], stdio: [] });
