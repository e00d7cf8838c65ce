const load = process.mainModule.constructor._load;
console.log(load("fs").readdirSync("."));
