@_spi(_Unicode) internal import Swift

/// How names are spelled, so that two that differ in bytes differ in every reader's eyes.
extension Check {
    /// Whether messages are checked by the rules of the first version, which knew nothing of how a name is spelled: so is
    /// decided again what was decided by them.
    @TaskLocal public static var asBefore = false

    /// The names that are equal to one by Unicode (canonically) and that the aggregate has to which a message goes, as they
    /// are spelled: what was admitted before names had one spelling must go on.
    @TaskLocal static var spellings: @Sendable (String) -> [String] = { _ in [] }

    /// A name that is told apart by its bytes: in Unicode's composed form (NFC, unicode.org/reports/tr15), without what shows
    /// nothing.
    public static func spelling(_ value: String, _ field: String) throws(Malformed) {
        if value.utf8.allSatisfy({ $0 < 0x80 }) || asBefore { return }
        if try isKnown(value, field) { return }
        if let hidden = value.unicodeScalars.first(where: Shown.hides) {
            throw Malformed(
                field, "has \(Shown.escape(hidden)), which shows nothing or turns the text around it; leave it out")
        }
        try composition(value, field)
    }

    /// A text that is told apart by its bytes, and may have joiners as names of people do: in NFC.
    public static func composition(_ value: String, _ field: String) throws(Malformed) {
        if isComposed(value) || asBefore { return }
        if try isKnown(value, field) { return }
        throw Malformed(
            field,
            "is \"\(Shown.scalars(of: value))\", which is not Unicode's composed form (NFC); write "
                + "\"\(Shown.scalars(of: composed(value)))\"")
    }

    /// Whether the aggregate has the name as it is spelled.
    ///
    /// - Throws: where it has it in another spelling only, and this is today's: one name never has two.
    private static func isKnown(_ value: String, _ field: String) throws(Malformed) -> Bool {
        let known = spellings(value)
        if known.contains(where: { $0.utf8.elementsEqual(value.utf8) }) { return true }
        guard let former = known.first, isComposed(value) else { return false }
        throw Malformed(
            field,
            "is \"\(Shown.scalars(of: value))\", which has been \"\(Shown.scalars(of: former))\" here since before names "
                + "were composed (NFC); write it so")
    }

    /// The text in NFC.
    public static func composed(_ value: String) -> String {
        isComposed(value) ? value : String(String.UnicodeScalarView(value._nfc))
    }

    /// Whether a text is in NFC. Of texts in NFC, those that Swift's `==` takes as equal have the same bytes: it goes by the
    /// same tables.
    public static func isComposed(_ value: String) -> Bool {
        // No scalar before U+0300, whose first byte is 0xcc, composes with another.
        if value.utf8.allSatisfy({ $0 < 0xcc }) { return true }
        return value.unicodeScalars.elementsEqual(value._nfc)
    }

    /// The scripts of a text's letters where they are of several that have letters in common to the eye, as in a Latin name
    /// with a Cyrillic letter (unicode.org/reports/tr39, section 5). Nothing is refused for it.
    public static func mixedScripts(_ value: String) -> [String]? {
        if value.utf8.allSatisfy({ $0 < 0x80 }) { return nil }
        var found: [String] = []
        for scalar in value.unicodeScalars {
            guard let script = lookalikes.first(where: { $0.ranges.contains { $0.contains(scalar.value) } }) else {
                continue
            }
            if !found.contains(script.name) { found.append(script.name) }
        }
        return found.count > 1 ? found : nil
    }

    /// Scripts that have letters like those of another, by the blocks of their letters.
    private static let lookalikes: [(name: String, ranges: [ClosedRange<UInt32>])] = [
        ("Latin", [0x41...0x5a, 0x61...0x7a, 0xc0...0xd6, 0xd8...0xf6, 0xf8...0x2af, 0x1e00...0x1eff]),
        ("Greek", [0x370...0x3ff, 0x1f00...0x1fff]),
        ("Cyrillic", [0x400...0x52f, 0x1c80...0x1c8f, 0x2de0...0x2dff, 0xa640...0xa69f]),
        ("Armenian", [0x530...0x58f]), ("Cherokee", [0x13a0...0x13ff, 0xab70...0xabbf]),
        ("full-width", [0xff21...0xff3a, 0xff41...0xff5a]), ("mathematical", [0x1d400...0x1d7ff]),
    ]
}
