/// One name in the spellings that it has: JSON has `rowLabel`, SQL `row_label`, a command line `row-label`.
package enum Spelling {
    /// As an option has it: `paymentToken` and `payment_token` are `payment-token`.
    package static func option(_ name: String) -> String {
        name.reduce(into: "") { $0 += $1 == "_" ? "-" : $1.isUppercase ? "-\($1.lowercased())" : String($1) }
    }

    /// Whether two are spellings of one name.
    package static func same(_ a: String, _ b: String) -> Bool {
        // Of two in ASCII, which names are, no other texts need be made.
        if let same = a.utf8.withContiguousStorageIfAvailable({ a in
            b.utf8.withContiguousStorageIfAvailable { b in sameInASCII(a, b) }
        }), let same, let same {
            return same
        }
        return a == b || option(a) == option(b)
    }

    /// Nil where one of them is not in ASCII.
    private static func sameInASCII(_ a: UnsafeBufferPointer<UInt8>, _ b: UnsafeBufferPointer<UInt8>) -> Bool? {
        var (left, right) = (Letters(a), Letters(b))
        while true {
            switch (left.next(), right.next()) {
            case (nil, nil): return true
            case (let one, let other):
                if (one ?? 0) >= 0x80 || (other ?? 0) >= 0x80 { return nil }
                if one != other { return a.contains { $0 >= 0x80 } || b.contains { $0 >= 0x80 } ? nil : false }
            }
        }
    }

    /// The bytes of a name in ASCII as an option has it.
    private struct Letters {
        private let bytes: UnsafeBufferPointer<UInt8>
        private var at = 0
        /// A dash was given for a capital, which comes next.
        private var isInCapital = false

        init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

        mutating func next() -> UInt8? {
            if at == bytes.count { return nil }
            let byte = bytes[at]
            if (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte), !isInCapital {
                isInCapital = true
                return UInt8(ascii: "-")
            }
            at += 1
            if isInCapital {
                isInCapital = false
                return byte | 0x20
            }
            return byte == UInt8(ascii: "_") ? UInt8(ascii: "-") : byte
        }
    }
}
