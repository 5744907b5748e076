/// A name of 1 to 20 letters of ASCII, digits or `_` as two words: a graph of names is gone through by what is compared and hashed
/// in a few instructions. Their order is that of the names.
package struct PackedName: Hashable, Comparable, Sendable {
    package static let longest = 20
    /// Letters of each word; each takes six bits.
    private static let each = 10

    private var high: UInt64 = 0
    private var low: UInt64 = 0

    /// Nil of what is no such name.
    package init?(_ name: some StringProtocol) {
        let packed = name.utf8.withContiguousStorageIfAvailable { PackedName(UnsafeRawBufferPointer($0)) }
        guard let packed = packed ?? PackedName(Array(name.utf8)) else { return nil }
        self = packed
    }

    private init?(_ letters: [UInt8]) {
        guard let packed = letters.withUnsafeBytes({ PackedName($0) }) else { return nil }
        self = packed
    }

    private init?(_ letters: UnsafeRawBufferPointer) {
        if letters.isEmpty || letters.count > Self.longest { return nil }
        for place in 0..<Self.longest {
            let code = place < letters.count ? Self.code(letters[place]) : 0
            if place < letters.count, code == 0 { return nil }
            if place < Self.each { high = high << 6 | code } else { low = low << 6 | code }
        }
    }

    /// 1 to 63 in the order of ASCII; 0 of all others.
    private static func code(_ letter: UInt8) -> UInt64 {
        switch letter {
        case 0x30...0x39: UInt64(letter) - 0x30 + 1
        case 0x41...0x5a: UInt64(letter) - 0x41 + 11
        case 0x5f: 37
        case 0x61...0x7a: UInt64(letter) - 0x61 + 38
        default: 0
        }
    }

    private static let letters = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz".utf8)

    package var name: String {
        var name: [UInt8] = []
        for word in [high, low] {
            for place in 0..<Self.each {
                let code = Int(word >> UInt64(6 * (Self.each - 1 - place)) & 63)
                if code > 0 { name.append(Self.letters[code - 1]) }
            }
        }
        return String(decoding: name, as: UTF8.self)
    }

    package static func < (one: PackedName, other: PackedName) -> Bool {
        one.high != other.high ? one.high < other.high : one.low < other.low
    }

    /// The last so many of names with a space between, in their order. What is no name among them is left out.
    package static func last(_ limit: Int, of names: String) -> [PackedName] {
        var names = names
        return names.withUTF8 { text in
            var found: [PackedName] = []
            found.reserveCapacity(min(limit, text.count / 2 + 1))
            var end = text.count
            while end > 0, found.count < limit {
                var start = end
                while start > 0, text[start - 1] != UInt8(ascii: " ") { start -= 1 }
                let letters = UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: text[start..<end]))
                if let name = PackedName(letters) { found.append(name) }
                end = start - 1
            }
            found.reverse()
            return found
        }
    }
}
