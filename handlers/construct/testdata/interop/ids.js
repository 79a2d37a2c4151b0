// Says which identity numbers npm's id-validator refuses.
const Validator = require("id-validator"), v = new Validator();
let bad = 0;
for (const id of require("fs").readFileSync(0, "utf8").split("\n")) if (id && !v.isValid(id)) { bad++; console.log("refused", id); }
console.log("done", bad);
