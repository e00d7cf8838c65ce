const vm = await import("node:vm");
const context = vm.createContext({ console });
vm.runInContext("console.log(this.constructor.name)", context);
new vm.Script("1 + 1").runInThisContext();
