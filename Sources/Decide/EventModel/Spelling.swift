/// One name in the spellings that it has: JSON has `rowLabel`, SQL `row_label`, a command line `row-label`.
package enum Spelling {
    /// As an option has it: `paymentToken` and `payment_token` are `payment-token`.
    package static func option(_ name: String) -> String {
        name.reduce(into: "") { $0 += $1 == "_" ? "-" : $1.isUppercase ? "-\($1.lowercased())" : String($1) }
    }

    /// Whether two are spellings of one name.
    package static func same(_ a: String, _ b: String) -> Bool { a == b || option(a) == option(b) }
}
