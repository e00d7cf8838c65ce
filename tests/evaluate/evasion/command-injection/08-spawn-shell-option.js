import { spawn } from "child_process";

const options = { shell: true, stdio: "inherit" };
const words = ["-la", "; whoami"];
spawn("ls", words, { ...options, shell: "/bin/bash" });
