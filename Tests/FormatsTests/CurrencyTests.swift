import EventModel
import Money
import Testing

@Suite("An amount of money")
struct CurrencyTests {
    @Test(
        arguments: [
            (4550, "EUR", "45.50"), (4550, "JPY", "4550"), (4550, "BHD", "4.550"), (4550, "CLF", "0.4550"),
            (0, "EUR", "0.00"),
            (5, "EUR", "0.05"), (-5, "EUR", "-0.05"), (-4550, "KWD", "-4.550"), (0, "JPY", "0"), (-7, "JPY", "-7"),
            (.max, "EUR", "92233720368547758.07"), (.min, "EUR", "-92233720368547758.08"),
        ] as [(Int64, String, String)])
    func `is shown with the decimals of its currency`(amount: Int64, code: String, shown: String) {
        #expect(Currency.major(amount, code) == shown)
    }
    @Test(arguments: ["", "eur", "EURO", "ABC", "XXX", "XTS", "XAU", "DEM", "HRK"])
    func `is in a currency that there is`(code: String) {
        #expect(Currency.exponent(of: code) == nil && Currency.major(1, code) == nil)
    }
    @Test func `is in one of the currencies of ISO 4217, each with its minor unit`() {
        let exponents: [String: Int] = [
            "USD": 2, "GBP": 2, "CHF": 2, "KRW": 0, "VND": 0, "ISK": 0, "CLP": 0, "UGX": 0, "TND": 3, "OMR": 3,
            "JOD": 3,
            "IQD": 3, "LYD": 3, "UYW": 4, "UYI": 0, "MGA": 2, "MRU": 2, "XOF": 0, "XAF": 0, "XPF": 0, "XCD": 2,
        ]
        for (code, exponent) in exponents { #expect(Currency.exponent(of: code) == exponent, "\(code)") }
    }
}
