/// The currencies that an amount of money can be in.
///
/// Source: ISO 4217, list one (SIX Financial Information AG), at amendment 177 of 2025, without what has no minor unit
/// there: precious metals, bond units, the SDR, test codes and XXX.
public enum Currency {
    /// How many digits a currency's minor unit has behind the point of the major one: 2 of EUR, 0 of JPY, 3 of BHD. Nil of
    /// a code that is no currency.
    public static func exponent(of code: String) -> Int? { exponents[code] }

    /// An amount of minor units as people write it, in major ones: 4550 EUR is 45.50, 4550 JPY is 4550, 4550 BHD is 4.550.
    /// Nil where the code is no currency.
    public static func major(_ amount: Int64, _ code: String) -> String? {
        guard let exponent = exponents[code] else { return nil }
        let digits = String(amount.magnitude)
        let sign = amount < 0 ? "-" : ""
        if exponent == 0 { return sign + digits }
        let padded = String(repeating: "0", count: max(0, exponent + 1 - digits.count)) + digits
        return "\(sign)\(padded.dropLast(exponent)).\(padded.suffix(exponent))"
    }

    private static let exponents: [String: Int] = {
        var exponents: [String: Int] = [:]
        for (exponent, codes) in codes {
            for code in codes.split(separator: " ") { exponents[String(code)] = exponent }
        }
        return exponents
    }()

    private static let codes: [(exponent: Int, codes: String)] = [
        (0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"),
        (
            2,
            """
            AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF \
            CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG \
            HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR \
            MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD \
            SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XAD XCD \
            XCG YER ZAR ZMW ZWG
            """
        ),
        (3, "BHD IQD JOD KWD LYD OMR TND"), (4, "CLF UYW"),
    ]
}
