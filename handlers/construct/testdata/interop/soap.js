// ParaBank's loan service, served by npm's soap. A fault comes with HTTP 200.
const http = require("http"), fs = require("fs"), soap = require("soap");
const requestLoan = ({ loanRequest: r }) => {
  if (Number(r.loanAmount) > 1000000) throw { Fault: { faultcode: "soap:Server", faultstring: "额度不足", statusCode: 200 } };
  return { loanResponse: { loanProviderName: "甲<银行>", approved: true, message: "借 " + r.loanAmount, accountId: r.customerId } };
};
const server = http.createServer((_, res) => { res.statusCode = 404; res.end(); });
server.listen(0, "127.0.0.1", () => {
  soap.listen(server, "/loan", { LoanProcessorServiceImplService: { LoanProcessorServiceImplPort: { requestLoan } } }, fs.readFileSync("LoanService.wsdl", "utf8"));
  console.log(server.address().port);
});
process.stdin.on("end", () => process.exit(0)).resume();
