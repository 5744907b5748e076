/// How many columns of a terminal a text takes: Chinese and emoji take two, marks that combine none.
enum DisplayWidth {
    static func of(_ text: String) -> Int {
        // Printable ASCII, which most is.
        if text.utf8.allSatisfy({ (0x20..<0x7f).contains($0) }) { return text.utf8.count }
        return text.reduce(0) { $0 + of($1) }
    }

    /// Of what is one character to a reader: a family of emoji that are joined, a flag, a letter with its marks.
    static func of(_ character: Character) -> Int {
        let scalars = character.unicodeScalars
        guard let first = scalars.first else { return 0 }
        if isPicture(first, of: scalars) { return 2 }
        // Letters that share a character, as Indic ones do, stand side by side; a syllable of Hangul is as wide as its first.
        return scalars.reduce(0) { $0 + of($1) }
    }

    /// The beginning of a text that is no wider, with … where something was left out.
    static func prefix(_ text: String, _ width: Int) -> String {
        if of(text) <= width { return text }
        if width < 1 { return "" }
        var (kept, taken) = ("", 0)
        for character in text {
            let next = of(character)
            if taken + next > width - 1 { break }
            kept.append(character)
            taken += next
        }
        return kept + "…"
    }

    /// The text with spaces up to a width.
    static func padded(_ text: String, _ width: Int, right: Bool = false) -> String {
        let space = String(repeating: " ", count: max(0, width - of(text)))
        return right ? space + text : text + space
    }

    /// The text in lines that are no wider, cut at spaces; a word that is wider than that, where it must be.
    static func wrapped(_ text: String, _ width: Int) -> [String] {
        var lines: [String] = []
        var (line, taken) = ("", 0)
        for word in text.split(separator: " ", omittingEmptySubsequences: false).flatMap({ pieces($0, width) }) {
            let next = of(word)
            if !line.isEmpty, taken + 1 + next > width {
                lines.append(line)
                (line, taken) = (word, next)
            } else if line.isEmpty && taken == 0 {
                (line, taken) = (word, next)
            } else {
                line += " \(word)"
                taken += 1 + next
            }
        }
        return lines + [line]
    }

    /// A word in pieces that are no wider.
    private static func pieces(_ word: Substring, _ width: Int) -> [String] {
        if of(String(word)) <= width { return [String(word)] }
        var (pieces, piece, taken) = ([String](), "", 0)
        for character in word {
            let next = of(character)
            if taken + next > width, !piece.isEmpty {
                pieces.append(piece)
                (piece, taken) = ("", 0)
            }
            piece.append(character)
            taken += next
        }
        return pieces + [piece]
    }

    /// Whether a character is shown as a picture: by its own nature, or because a selector says so (UTS #51).
    private static func isPicture(_ first: Unicode.Scalar, of scalars: Character.UnicodeScalarView) -> Bool {
        if isIndicator(first) { return scalars.count > 1 }
        if first.properties.isEmojiPresentation { return true }
        return first.properties.isEmoji && scalars.dropFirst().contains { $0 == "\u{fe0f}" || $0 == "\u{20e3}" }
    }

    /// A half of a flag.
    private static func isIndicator(_ scalar: Unicode.Scalar) -> Bool { (0x1f1e6...0x1f1ff).contains(scalar.value) }

    private static func of(_ scalar: Unicode.Scalar) -> Int {
        if scalar.isASCII { return scalar.value < 0x20 || scalar.value == 0x7f ? 0 : 1 }
        // A hyphen that shows only where a line ends is shown by terminals.
        if scalar == "\u{ad}" { return 1 }
        // The vowels and finals of Hangul, written by themselves.
        if (0x1160...0x11ff).contains(scalar.value) || (0xd7b0...0xd7ff).contains(scalar.value) { return 0 }
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format, .lineSeparator, .paragraphSeparator, .control: return 0
        default: break
        }
        if scalar.properties.isDefaultIgnorableCodePoint { return 0 }
        if scalar.properties.isEmojiPresentation && !isIndicator(scalar) { return 2 }
        return wide.contains { $0.contains(scalar.value) } ? 2 : 1
    }

    /// What is Wide or Fullwidth by Unicode's EastAsianWidth.txt (UAX #11) and no emoji, with what is reserved between.
    private static let wide: [ClosedRange<UInt32>] = [
        0x1100...0x115f, 0x2329...0x232a, 0x2e80...0x303e, 0x3041...0x3247, 0x3250...0x4dbf, 0x4e00...0xa4c6,
        0xa960...0xa97c, 0xac00...0xd7a3, 0xf900...0xfaff, 0xfe10...0xfe19, 0xfe30...0xfe6b, 0xff01...0xff60,
        0xffe0...0xffe6, 0x16fe0...0x18d08, 0x1aff0...0x1b2fb, 0x1f200...0x1f202, 0x1f210...0x1f23b, 0x1f240...0x1f248,
        0x1f250...0x1f251, 0x1f260...0x1f265, 0x20000...0x2fffd, 0x30000...0x3fffd,
    ]
}
