/// A text as a number, where it is written as Redis takes one: no sign of plus, no zeros before, no spaces.
package enum WholeNumber {
    package static func of(_ text: some Collection<UInt8>) -> Int64? {
        guard text.count <= 20, let digits = String(validating: text, as: UTF8.self), let number = Int64(digits),
            String(number) == digits
        else { return nil }
        return number
    }
}
