<?php
// The same service by PHP's SoapServer. A fault comes with HTTP 500.
class Loan {
    function requestLoan($in) {
        $r = $in->loanRequest;
        if ($r->loanAmount > 1000000) throw new SoapFault('Server', '额度不足');
        return ['loanResponse' => ['loanProviderName' => '甲<银行>', 'approved' => true, 'message' => '借 ' . $r->loanAmount, 'accountId' => $r->customerId]];
    }
}
ini_set('soap.wsdl_cache_enabled', '0');
$server = new SoapServer(__DIR__ . '/LoanService.wsdl');
$server->setClass('Loan');
$server->handle();
